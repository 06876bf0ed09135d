//! What others are told comes in an order in which it can be.

use firmware_proto::Dialect;
use serde_json::{Value, json};

use super::bench::{A, B, Bench, commands, end};
use crate::pure::fbp::{ClientId, UploadId};
use crate::pure::request::Failure;

const C: ClientId = ClientId(3);

fn three(dialect: Dialect) -> Bench {
    let mut bench = Bench::new(dialect);
    for client in [B, C] {
        bench.runtime.connect(client);
        bench.say(client, "runtime", "getruntime", json!({}));
    }
    bench.got(C);
    bench
}

fn edit(bench: &mut Bench, client: ClientId, command: &str, mut payload: Value) {
    payload["graph"] = json!("main");
    bench.say(client, "graph", command, payload);
}

#[test]
fn nobody_hears_of_a_change_to_a_node_before_the_node() {
    let mut bench = three(Dialect::Flo01);
    bench.nodes("Forward", &["first"]);
    bench.ask("network", "start", json!({ "graph": "main" }));
    bench.got(C);
    // The network is restarted for the node: it has its number a while before all is done.
    edit(&mut bench, A, "addnode", json!({ "id": "a", "component": "Forward" }));
    bench.answer();
    bench.answer();
    edit(&mut bench, B, "changenode", json!({ "id": "a", "metadata": { "x": 1 } }));
    edit(&mut bench, B, "renamenode", json!({ "from": "a", "to": "b" }));
    edit(&mut bench, B, "addgroup", json!({ "name": "g", "nodes": ["b"] }));
    edit(&mut bench, B, "addinport", json!({ "public": "in", "node": "b", "port": "in" }));
    bench.settle();
    let told = bench.got(C);
    let told: Vec<&str> = commands(&told).into_iter().filter(|it| *it != "output" && *it != "ports").collect();
    assert_eq!(told, ["addnode", "changenode", "renamenode", "addgroup", "addinport"]);
}

#[test]
fn a_rename_is_told_after_edges_with_the_old_name() {
    let mut bench = three(Dialect::Microflo1);
    bench.nodes("Forward", &["a", "b"]);
    bench.got(C);
    edit(&mut bench, A, "addedge", json!({ "src": end("a", "out"), "tgt": end("b", "in") }));
    edit(&mut bench, B, "renamenode", json!({ "from": "a", "to": "c" }));
    bench.settle();
    assert_eq!(commands(&bench.got(C)), ["addedge", "renamenode"]);
}

#[test]
fn what_follows_a_clear_is_told_after_it() {
    let mut bench = three(Dialect::Flo01);
    edit(&mut bench, A, "clear", json!({ "id": "main" }));
    edit(&mut bench, B, "addgroup", json!({ "name": "g", "nodes": [] }));
    bench.settle();
    assert_eq!(commands(&bench.got(C)), ["clear", "addgroup"]);
}

#[test]
fn an_initial_packet_is_not_told_again_after_its_removal() {
    let mut bench = three(Dialect::Microflo1);
    bench.nodes("Forward", &["a"]);
    bench.got(C);
    edit(&mut bench, A, "addinitial", json!({ "src": { "data": 1 }, "tgt": end("a", "in") }));
    edit(&mut bench, B, "removeinitial", json!({ "tgt": end("a", "in") }));
    bench.settle();
    assert_eq!(commands(&bench.got(C)), ["addinitial", "removeinitial"]);
}

#[test]
fn a_removal_that_fails_leaves_exported_ports_and_groups() {
    let mut bench = three(Dialect::Microflo1);
    bench.nodes("Forward", &["a", "b"]);
    bench.graph("addinport", json!({ "public": "in", "node": "a", "port": "in" }));
    bench.graph("addgroup", json!({ "name": "g", "nodes": ["a", "b"] }));
    let before = bench.runtime.graph_json();
    bench.got(C);
    edit(&mut bench, A, "removenode", json!({ "id": "a" }));
    // It waits: nobody knows yet whether the name is free.
    edit(&mut bench, B, "addnode", json!({ "id": "a", "component": "Split" }));
    bench.fail(Failure::NoAnswer);
    bench.settle();
    let names = |graph: &Value| (graph["inports"].clone(), graph["groups"][0]["nodes"].as_array().unwrap().len());
    assert_eq!(names(&bench.runtime.graph_json()), names(&before));
    let told = bench.got(C);
    assert!(commands(&told).into_iter().all(|it| it == "ports"), "{told:?}");
    assert!(commands(&bench.got(B)).contains(&"error"), "there is a node of that name still");
}

#[test]
fn a_graph_that_is_told_whole_is_the_whole_of_it() {
    let mut bench = three(Dialect::Microflo1);
    let graph = json!({ "processes": { "a": { "component": "Forward" } }, "connections": [] });
    bench.runtime.upload(UploadId(1), &graph, true, bench.now);
    bench.collect();
    edit(&mut bench, A, "addnode", json!({ "id": "b", "component": "Forward" }));
    bench.settle();
    let told = bench.got(C);
    let told: Vec<&str> = commands(&told).into_iter().filter(|it| ["clear", "addnode"].contains(it)).collect();
    assert_eq!(told, ["clear", "addnode", "addnode"]);
}

#[test]
fn metadata_does_not_grow_beyond_what_a_message_may_bring() {
    let mut bench = three(Dialect::Microflo1);
    bench.nodes("Forward", &["a"]);
    let change = |key: &str| json!({ "id": "a", "metadata": { key: "x".repeat(12_000) } });
    assert_eq!(commands(&bench.graph("changenode", change("first"))), ["changenode"]);
    assert_eq!(commands(&bench.graph("changenode", change("second"))), ["error"]);
    assert_eq!(commands(&bench.graph("changenode", change("first"))), ["changenode"]);
}
