//! Boards that start: names for what they run, and their graph back where that is wanted.

use std::sync::Arc;

use firmware_proto::{Dialect, Edge, PortRef, Response};
use serde_json::{Value, json};

use super::bench::{A, Bench, commands, end, library};
use crate::pure::model::build::Build;

fn port(node: u8, port: u8) -> PortRef {
    PortRef { node, port }
}

/// What a board says that runs 1 → 2, both Forward, with an initial packet for the first.
fn chatter() -> Vec<Response> {
    let added = |node| Response::NodeAdded { component: 11, node, parent: 0 };
    let edge = Edge { src: port(1, 0), tgt: port(2, 0) };
    let sent = Response::SendPacketDone { target: port(1, 0), kind: 7 };
    vec![Response::NodesCleared, added(1), added(2), Response::NodesConnected(edge), sent, Response::NetworkStarted]
}

/// The same as `microflo generate` writes it.
fn embedded(data: Value) -> Value {
    json!({
        "processes": { "button": { "component": "Forward" }, "lamp": { "component": "Forward" } },
        "connections": [
            { "src": { "process": "button", "port": "out" }, "tgt": { "process": "lamp", "port": "in" } },
            { "data": data, "tgt": { "process": "button", "port": "in" } },
        ],
        "outports": { "light": { "process": "lamp", "port": "out" } },
    })
}

/// The board starts and runs its embedded graph.
fn boot(bench: &mut Bench) {
    bench.board.embed(&[11, 11], &[(port(1, 0), port(2, 0))]);
    bench.line.clear();
    bench.runtime.handle_boot(&chatter(), bench.now);
    bench.collect();
}

fn with_graph(data: Value) -> Bench {
    let mut bench = Bench::new(Dialect::Flo01);
    let graph = Some(Arc::new(embedded(data)));
    bench.runtime.set_build(Some(Build { library: library(), graph, origin: "a test".into() }));
    boot(&mut bench);
    bench.got(A);
    bench
}

fn names(bench: &Bench) -> Vec<String> {
    bench.runtime.graph_json()["processes"].as_object().unwrap().keys().cloned().collect()
}

#[test]
fn an_embedded_graph_has_the_names_and_packets_of_its_source() {
    let mut bench = with_graph(json!("5"));
    assert_eq!(names(&bench), ["button", "lamp"]);
    let shown = bench.runtime.graph_json();
    assert_eq!(shown["connections"][1]["data"], "5");
    assert_eq!(shown["outports"]["light"]["process"], "lamp");
    bench.assert_in_step();
    // Its packets are known, so nothing is lost by what restarts it or builds it anew.
    assert_eq!(commands(&bench.graph("addnode", json!({ "id": "x", "component": "Forward" })))[0], "addnode");
    let removed = bench.graph("removenode", json!({ "id": "lamp" }));
    assert_eq!(commands(&removed)[..3], ["ports", "removeedge", "removenode"]);
    bench.assert_in_step();
}

#[test]
fn names_fit_where_packets_do_not_and_nothing_fits_where_nodes_do_not() {
    let mut bench = with_graph(json!([1, 2]));
    assert_eq!(names(&bench), ["button", "lamp"]);
    assert_eq!(
        bench.runtime.graph_json()["connections"].as_array().unwrap().len(),
        1,
        "other packets than the board got"
    );
    assert!(bench.refused("addnode", json!({ "id": "x", "component": "Forward" })).contains("cannot read"));
    let mut other = embedded(json!(5));
    other["processes"]["lamp"]["component"] = json!("Timer");
    let graph = Some(Arc::new(other));
    bench.runtime.set_build(Some(Build { library: library(), graph, origin: "a test".into() }));
    boot(&mut bench);
    // The names that it had still fit.
    assert_eq!(names(&bench), ["button", "lamp"]);
}

#[test]
fn a_source_that_is_added_later_names_a_graph_that_nobody_has_touched() {
    let mut bench = Bench::new(Dialect::Flo01);
    bench.ask("runtime", "getruntime", json!({}));
    boot(&mut bench);
    assert_eq!(names(&bench), ["node1", "node2"]);
    bench.got(A);
    let graph = Some(Arc::new(embedded(json!(5))));
    let build = Build { library: library(), graph, origin: "a test".into() };
    bench.runtime.set_build(Some(build.clone()));
    bench.collect();
    assert_eq!(names(&bench), ["button", "lamp"]);
    assert_eq!(commands(&bench.got(A))[..3], ["clear", "addnode", "addnode"]);
    bench.graph("renamenode", json!({ "from": "lamp", "to": "light" }));
    boot(&mut bench);
    assert_eq!(names(&bench), ["button", "light"], "a name that somebody gave stays");
    bench.graph("addinitial", json!({ "src": { "data": 3 }, "tgt": end("light", "in") }));
    bench.runtime.set_build(Some(build));
    assert_eq!(names(&bench), ["button", "light"]);
}

/// A live graph in place of the embedded one.
fn edited(bench: &mut Bench) {
    bench.graph("clear", json!({ "id": "main" }));
    bench.nodes("Forward", &["a", "b", "c"]);
    bench.graph("addedge", json!({ "src": end("a", "out"), "tgt": end("c", "in") }));
    bench.graph("addinitial", json!({ "src": { "data": 9 }, "tgt": end("a", "in") }));
    bench.ask("network", "start", json!({ "graph": "main" }));
}

#[test]
fn without_restore_the_graph_that_runs_is_shown() {
    let mut bench = with_graph(json!(5));
    edited(&mut bench);
    boot(&mut bench);
    bench.settle();
    assert_eq!(names(&bench), ["button", "lamp"]);
    bench.assert_in_step();
}

#[test]
fn with_restore_the_live_graph_comes_back_and_runs() {
    for keep in [false, true] {
        let mut bench = with_graph(json!(5));
        bench.runtime.set_restore(!keep);
        edited(&mut bench);
        if keep {
            assert_eq!(commands(&bench.ask("network", "persist", json!({}))), ["persist"]);
        }
        for _ in 0..2 {
            boot(&mut bench);
            bench.settle();
            assert_eq!(names(&bench), ["a", "b", "c"]);
            bench.assert_in_step();
            assert!(bench.board.running);
            let got = bench.got(A);
            assert!(
                got.iter()
                    .any(|it| it["payload"]["message"].as_str().is_some_and(|it| it.contains("got its graph again")))
            );
            assert!(got.iter().any(|it| it["payload"]["id"] == "a() OUT -> IN c()"), "its packets were sent again");
        }
    }
}

#[test]
fn a_graph_that_nobody_has_edited_is_not_uploaded_and_one_that_is_cleared_is_not_kept() {
    let mut bench = with_graph(json!(5));
    bench.runtime.set_restore(true);
    bench.graph("renamenode", json!({ "from": "lamp", "to": "light" }));
    let sent = bench.sent.len();
    boot(&mut bench);
    assert_eq!(bench.sent.len(), sent);
    let mut bench = with_graph(json!(5));
    edited(&mut bench);
    bench.ask("network", "persist", json!({}));
    bench.graph("clear", json!({ "id": "main" }));
    bench.nodes("Forward", &["z"]);
    boot(&mut bench);
    bench.settle();
    assert_eq!(names(&bench), ["button", "lamp"]);
}

#[test]
fn a_board_that_starts_again_while_it_gets_its_graph_back_gets_it_once_more() {
    let mut bench = with_graph(json!(5));
    bench.runtime.set_restore(true);
    edited(&mut bench);
    boot(&mut bench);
    bench.answer();
    bench.answer();
    for request in std::mem::take(&mut bench.line) {
        bench.outcome(request, Err(crate::pure::request::Failure::Gone));
    }
    boot(&mut bench);
    bench.settle();
    assert_eq!(names(&bench), ["a", "b", "c"]);
    bench.assert_in_step();
}

#[test]
fn another_component_map_waits_for_the_edit_that_is_under_way() {
    let mut bench = Bench::new(Dialect::Flo01);
    bench.say(A, "graph", "addnode", json!({ "id": "x", "component": "Forward", "graph": "main" }));
    bench.runtime.set_build(Some(Build::of(library(), "again")));
    bench.settle();
    bench.assert_in_step();
    assert_eq!(names(&bench), ["x"]);
}

#[test]
fn a_board_that_does_not_survive_its_graph_does_not_get_it_for_ever() {
    let mut bench = with_graph(json!(5));
    bench.runtime.set_restore(true);
    edited(&mut bench);
    let mut tries = 0;
    loop {
        boot(&mut bench);
        bench.collect();
        if bench.line.is_empty() {
            break;
        }
        tries += 1;
        assert!(tries < 20, "it starts again and again");
        while let Some(request) = bench.line.pop_front() {
            bench.outcome(request, Err(crate::pure::request::Failure::Gone));
        }
    }
    assert!(tries >= 3);
    assert_eq!(names(&bench), ["button", "lamp"], "it runs what it runs at boot");
    let got = bench.got(A);
    assert!(
        got.iter().any(|it| it["payload"]["message"].as_str().is_some_and(|text| text.contains("in a row"))),
        "{got:?}"
    );
    edited(&mut bench);
    boot(&mut bench);
    bench.settle();
    assert_eq!(names(&bench).len(), 3, "another graph gets its own chance");
}

#[test]
fn a_board_that_starts_otherwise_has_other_firmware_and_gets_no_graph_of_the_old_numbers() {
    let mut bench = with_graph(json!(5));
    bench.runtime.set_restore(true);
    edited(&mut bench);
    let mut other = chatter();
    other.insert(3, Response::NodeAdded { component: 11, node: 3, parent: 0 });
    bench.board.embed(&[11, 11, 11], &[(port(1, 0), port(2, 0))]);
    bench.line.clear();
    let sent = bench.sent.len();
    bench.runtime.handle_boot(&other, bench.now);
    bench.collect();
    bench.settle();
    assert_eq!(bench.sent.len(), sent);
    assert_eq!(names(&bench), ["node1", "node2", "node3"]);
    let told = bench.got(A);
    assert!(
        told.iter().any(|it| it["payload"]["message"].as_str().is_some_and(|it| it.contains("has other firmware")))
    );
    bench.assert_in_step();
}
