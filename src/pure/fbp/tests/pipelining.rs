//! Everything sent at once keeps the line full.

use firmware_proto::{Command, Dialect};
use serde_json::json;

use super::bench::{A, Bench, commands, end, error_text};
use crate::pure::fbp::engine::{UNANSWERED_REQUESTS, WAITING_OPS};
use crate::pure::request::Failure;

fn is_create(command: &Command) -> bool {
    matches!(command, Command::CreateComponent { .. })
}

fn upload(bench: &mut Bench, nodes: usize) {
    bench.say(A, "graph", "clear", json!({ "id": "main" }));
    for number in 0..nodes {
        bench.say(
            A,
            "graph",
            "addnode",
            json!({ "id": format!("n{number}"), "component": "Forward", "graph": "main" }),
        );
    }
    for number in 1..nodes {
        let (src, tgt) = (end(&format!("n{}", number - 1), "out"), end(&format!("n{number}"), "in"));
        bench.say(A, "graph", "addedge", json!({ "src": src, "tgt": tgt, "graph": "main" }));
    }
    bench.say(A, "graph", "addinitial", json!({ "src": { "data": 1 }, "tgt": end("n0", "in"), "graph": "main" }));
    bench.say(A, "network", "start", json!({ "graph": "main" }));
}

#[test]
fn forty_nodes_are_sent_before_the_first_answer() {
    for dialect in Dialect::ALL {
        let mut bench = Bench::new(dialect);
        upload(&mut bench, 40);
        assert_eq!(bench.sent.iter().filter(|command| is_create(command)).count(), 40);
        let mut emptied = 0;
        while !bench.line.is_empty() {
            bench.answer();
            emptied += usize::from(bench.line.len() < 3 && !bench.board.running && bench.board.edges.len() < 38);
        }
        assert_eq!(emptied, 0, "fewer than three commands in flight while there is more to send");
        let got = bench.got(A);
        assert_eq!(
            commands(&got)[..82],
            [&["clear"][..], &["addnode"; 40], &["addedge"; 39], &["addinitial", "started"]].concat()
        );
        assert_eq!(got.len(), 82 + 1 + 39, "the packet is seen on every edge");
        bench.assert_in_step();
    }
}

#[test]
fn nodes_pass_edges_that_wait() {
    let mut bench = Bench::new(Dialect::Flo01);
    bench.say(A, "graph", "addnode", json!({ "id": "n0", "component": "Forward", "graph": "main" }));
    for number in 1..40 {
        let (last, this) = (format!("n{}", number - 1), format!("n{number}"));
        bench.say(A, "graph", "addnode", json!({ "id": this, "component": "Forward", "graph": "main" }));
        bench.say(A, "graph", "addedge", json!({ "src": end(&last, "out"), "tgt": end(&this, "in"), "graph": "main" }));
    }
    assert_eq!(bench.sent.len(), 40);
    bench.settle();
    let got = bench.got(A);
    assert_eq!(
        commands(&got)[..5],
        ["addnode", "addnode", "addedge", "addnode", "addedge"],
        "replies keep their order"
    );
    assert_eq!(got.len(), 79);
    bench.assert_in_step();
}

#[test]
fn an_edge_whose_node_failed_fails_too() {
    let mut bench = Bench::new(Dialect::Flo01);
    for name in ["a", "b"] {
        bench.say(A, "graph", "addnode", json!({ "id": name, "component": "Forward", "graph": "main" }));
    }
    bench.say(A, "graph", "addedge", json!({ "src": end("a", "out"), "tgt": end("b", "in"), "graph": "main" }));
    bench.answer();
    bench.fail(Failure::NoAnswer);
    let got = bench.got(A);
    assert_eq!(commands(&got), ["addnode", "error", "error"]);
    assert!(error_text(&got[2..]).contains("no node b"));
    bench.assert_in_step();
}

#[test]
fn a_clear_overtakes_nobody() {
    let mut bench = Bench::new(Dialect::Flo01);
    bench.say(A, "graph", "addnode", json!({ "id": "a", "component": "Forward", "graph": "main" }));
    bench.say(A, "graph", "clear", json!({ "id": "next" }));
    bench.say(A, "graph", "addnode", json!({ "id": "a", "component": "Timer", "graph": "next" }));
    bench.settle();
    assert_eq!(commands(&bench.got(A)), ["addnode", "clear", "addnode"]);
    bench.assert_in_step();
    assert_eq!(bench.board.nodes, [(1, 27)].into());
}

#[test]
fn a_flood_of_messages_is_bounded_and_all_are_answered() {
    let mut bench = Bench::new(Dialect::Microflo1);
    bench.nodes("Forward", &["a"]);
    bench.ask("network", "start", json!({ "graph": "main" }));
    let messages = WAITING_OPS + UNANSWERED_REQUESTS + 100;
    for _ in 0..messages {
        bench.say(A, "network", "stop", json!({ "graph": "main" }));
    }
    assert_eq!(bench.line.len(), UNANSWERED_REQUESTS);
    bench.settle();
    let got = bench.got(A);
    assert_eq!(got.len(), messages);
    assert_eq!(commands(&got).iter().filter(|command| **command == "error").count(), 100);
    assert!(error_text(&got[messages - 1..]).contains("too many messages wait for board Uno"));
}
