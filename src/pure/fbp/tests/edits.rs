//! Edits: what is refused, what is sent, what is taken back.

use firmware_proto::{Command, DebugPoint, Dialect, Edge, Packet, PortRef, Response};
use serde_json::{Value, json};

use super::bench::{A, Bench, commands, end, error_text, library};
use crate::pure::request::Failure;

const fn port(node: u8, port: u8) -> PortRef {
    PortRef { node, port }
}

fn edge(src: Value, tgt: Value) -> Value {
    json!({ "src": src, "tgt": tgt })
}

fn initial(node: &str, port: &str, data: Value) -> Value {
    json!({ "src": { "data": data }, "tgt": end(node, port) })
}

#[test]
fn what_is_not_there_is_named() {
    let mut bench = Bench::new(Dialect::Flo01);
    bench.nodes("Forward", &["a", "b"]);
    let mut refused = |command: &str, payload: Value, words: &[&str]| {
        let text = bench.refused(command, payload);
        assert!(words.iter().chain(&["(board Uno)"]).all(|word| text.contains(word)), "{text}");
    };
    refused("addnode", json!({ "id": "a", "component": "Forward" }), &["a node a"]);
    refused("addnode", json!({ "id": "c", "component": "Nope" }), &["no component Nope"]);
    refused("removenode", json!({ "id": "x" }), &["no node x"]);
    refused("renamenode", json!({ "from": "x", "to": "y" }), &["no node x"]);
    refused("renamenode", json!({ "from": "a", "to": "b" }), &["a node b"]);
    refused("changenode", json!({ "id": "x", "metadata": {} }), &["no node x"]);
    refused("addedge", edge(end("a", "out"), end("x", "in")), &["no node x"]);
    refused(
        "addedge",
        edge(end("a", "nope"), end("b", "in")),
        &["node a is a Forward", "no out port nope", "it has out"],
    );
    refused("addedge", edge(end("a", "out"), end("b", "out")), &["node b is a Forward", "no in port out"]);
    refused("addedge", edge(json!({ "node": "a", "port": "out", "index": 1 }), end("b", "in")), &["no index"]);
    refused("removeedge", edge(end("a", "out"), end("b", "in")), &["no edge a out -> in b"]);
    refused("addinitial", initial("a", "nope", json!(1)), &["no in port nope"]);
    refused("addinitial", initial("a", "in", json!(1.5)), &["port in of node a", "1.5 is not an integer"]);
    refused("removeinitial", json!({ "tgt": end("a", "in") }), &["no initial packet at port in of node a"]);
    refused("addnode", json!({ "id": "n".repeat(129), "component": "Forward" }), &["1 to 128 characters"]);
    refused(
        "addnode",
        json!({ "id": "c", "component": "Forward", "metadata": { "x": "y".repeat(20_000) } }),
        &["metadata"],
    );
    bench.assert_in_step();
}

#[test]
fn the_graph_must_be_named_exactly() {
    let mut bench = Bench::new(Dialect::Flo01);
    let node = json!({ "id": "a", "component": "Forward" });
    assert_eq!(error_text(&bench.ask("graph", "addnode", node.clone())), "No graph specified");
    assert_eq!(error_text(&bench.ask("network", "start", json!({}))), "No graph specified");
    for (protocol, command) in [("graph", "addnode"), ("network", "getstatus"), ("network", "stop")] {
        let mut other = node.clone();
        other["graph"] = json!("other");
        assert_eq!(error_text(&bench.ask(protocol, command, other)), "Requested graph not found");
    }
    bench.ask("graph", "clear", json!({ "id": "other", "name": "Other", "main": true, "baseDir": "/x" }));
    assert!(error_text(&bench.graph("addnode", node)).contains("Requested graph not found"));
}

#[test]
fn an_out_port_with_a_target_takes_no_second_one() {
    let mut bench = Bench::new(Dialect::Flo01);
    bench.nodes("Forward", &["a", "b", "c"]);
    bench.graph("addedge", edge(end("a", "out"), end("b", "in")));
    let text = bench.refused("addedge", edge(end("a", "out"), end("c", "in")));
    assert!(text.contains("out port out of node a already goes to port in of node b"), "{text}");
    bench.graph("removeedge", edge(end("a", "out"), end("b", "in")));
    assert_eq!(commands(&bench.graph("addedge", edge(end("a", "out"), end("c", "in")))), ["addedge"]);
    bench.assert_in_step();
}

#[test]
fn a_node_is_disconnected_before_it_is_removed() {
    let mut bench = Bench::new(Dialect::Flo01);
    bench.nodes("Forward", &["a", "b", "c"]);
    bench.graph("addedge", edge(end("a", "out"), end("b", "in")));
    bench.graph("addedge", edge(end("b", "out"), end("c", "in")));
    bench.sent.clear();
    bench.say(A, "graph", "removenode", json!({ "id": "b", "graph": "main" }));
    let disconnects = [Edge { src: port(1, 0), tgt: port(2, 0) }, Edge { src: port(2, 0), tgt: port(3, 0) }];
    assert_eq!(bench.sent, disconnects.map(Command::DisconnectNodes), "the removal waits for these");
    bench.settle();
    assert_eq!(bench.sent[2], Command::RemoveNode { node: 2 });
    let got = bench.got(A);
    assert_eq!(commands(&got), ["removeedge", "removeedge", "removenode"]);
    let removed = json!({ "src": end("a", "out"), "tgt": end("b", "in"), "graph": "main" });
    assert_eq!((&got[0]["payload"], got[0].get("responseTo")), (&removed, None));
    bench.assert_in_step();
}

#[test]
fn a_removal_that_fails_leaves_what_is_left() {
    let mut bench = Bench::new(Dialect::Flo01);
    bench.nodes("Forward", &["a", "b", "c"]);
    bench.graph("addedge", edge(end("a", "out"), end("b", "in")));
    bench.graph("addedge", edge(end("b", "out"), end("c", "in")));
    bench.say(A, "graph", "removenode", json!({ "id": "b", "graph": "main" }));
    bench.answer();
    bench.fail(Failure::NoAnswer);
    assert_eq!(bench.line.len(), 0, "no removal of a node that is still connected");
    assert_eq!(commands(&bench.got(A)), ["removeedge", "error"]);
    bench.assert_in_step();
    bench.say(A, "graph", "removenode", json!({ "id": "b", "graph": "main" }));
    bench.answer();
    bench.fail(Failure::Refused(DebugPoint::RemoveNodeInvalidInstance));
    let got = bench.got(A);
    assert_eq!(commands(&got), ["removeedge", "error"]);
    assert!(got[1]["payload"]["message"].as_str().unwrap().contains("RemoveNodeInvalidInstance"));
    bench.assert_in_step();
}

#[test]
fn a_node_whose_packets_may_be_queued_goes_with_a_new_graph() {
    for dialect in Dialect::ALL {
        let mut bench = Bench::new(dialect);
        bench.nodes("Forward", &["a", "b", "c"]);
        bench.graph("addedge", edge(end("a", "out"), end("b", "in")));
        bench.graph("addedge", edge(end("c", "out"), end("a", "in")));
        bench.graph("addinitial", initial("c", "in", json!(7)));
        bench.ask("network", "start", json!({ "graph": "main" }));
        bench.sent.clear();
        let got = bench.graph("removenode", json!({ "id": "b" }));
        assert_eq!(commands(&got), ["removeedge", "removenode", "output", "data", "data"]);
        let component = library().by_name("Forward").unwrap().id;
        let create = Command::CreateComponent { component, parent: 0 };
        let expected = [
            Command::StopNetwork,
            Command::ClearNodes,
            create,
            create,
            Command::ConnectNodes(Edge { src: port(2, 0), tgt: port(1, 0) }),
            Command::SubscribeToPort { port: port(2, 0), enable: true },
            Command::SendPacket { target: port(2, 0), packet: Packet::Integer(7) },
            Command::StartNetwork,
        ];
        assert_eq!(bench.sent, expected);
        bench.assert_in_step();
    }
}

#[test]
fn a_node_that_packets_wait_for_goes_with_a_new_graph() {
    let mut bench = Bench::new(Dialect::Flo01);
    bench.nodes("Forward", &["a", "b"]);
    bench.graph("addinitial", initial("a", "in", json!(1)));
    bench.graph("addinitial", initial("b", "in", json!(2)));
    bench.sent.clear();
    assert_eq!(commands(&bench.graph("removenode", json!({ "id": "a" }))), ["removenode", "output"]);
    assert_eq!(bench.sent[0], Command::ClearNodes);
    assert_eq!(bench.sent[2], Command::SendPacket { target: port(1, 0), packet: Packet::Integer(2) });
    assert_eq!(bench.sent.len(), 3);
    bench.assert_in_step();
}

#[test]
fn an_embedded_graph_is_not_built_anew_without_its_packets() {
    let mut bench = Bench::new(Dialect::Flo01);
    bench.nodes("Forward", &["a"]);
    let chatter = [
        Response::NodesCleared,
        Response::NodeAdded { component: 11, node: 1, parent: 0 },
        Response::SendPacketDone { target: port(1, 0), kind: 7 },
        Response::NetworkStarted,
    ];
    bench.runtime.handle_boot(&chatter, bench.now);
    bench.collect();
    bench.got(A);
    let text = bench.refused("removenode", json!({ "id": "node1" }));
    assert!(text.contains("node1 cannot be removed") && text.contains("send graph:clear"), "{text}");
}

#[test]
fn whatever_fails_is_taken_back() {
    for failure in [Failure::NoAnswer, Failure::Refused(DebugPoint::NotImplemented), Failure::QueueFull] {
        let mut bench = Bench::new(Dialect::Flo01);
        bench.nodes("Forward", &["a", "b"]);
        for (command, payload) in [
            ("addnode", json!({ "id": "c", "component": "Forward" })),
            ("addedge", edge(end("a", "out"), end("b", "in"))),
            ("addinitial", initial("a", "in", json!(1))),
        ] {
            let mut payload = payload;
            payload["graph"] = json!("main");
            let before = bench.runtime.graph_json();
            bench.say(A, "graph", command, payload);
            bench.fail(failure);
            let text = error_text(&bench.got(A));
            assert!(text.starts_with(command) && text.contains(&failure.to_string()), "{text}");
            assert_eq!(bench.runtime.graph_json(), before);
            bench.assert_in_step();
        }
        bench.graph("addedge", edge(end("a", "out"), end("b", "in")));
        let before = bench.runtime.graph_json();
        bench.say(A, "graph", "removeedge", json!({ "src": end("a", "out"), "tgt": end("b", "in"), "graph": "main" }));
        bench.fail(failure);
        assert_eq!(bench.runtime.graph_json(), before);
        bench.assert_in_step();
    }
}

#[test]
fn a_clear_that_fails_leaves_an_unknown_graph() {
    let mut bench = Bench::new(Dialect::Flo01);
    bench.nodes("Forward", &["a"]);
    bench.say(A, "graph", "clear", json!({ "id": "main" }));
    bench.fail(Failure::NoAnswer);
    assert_eq!(commands(&bench.got(A)), ["error", "error"]);
    assert!(!bench.runtime.device().is_known());
    assert_eq!(commands(&bench.ask("graph", "clear", json!({ "id": "main" }))), ["clear"]);
    bench.assert_in_step();
}

#[test]
fn the_50th_node_is_refused_and_removals_make_room() {
    for dialect in Dialect::ALL {
        let mut bench = Bench::new(dialect);
        for number in 1..=49 {
            bench.nodes("Forward", &[&format!("n{number}")]);
        }
        let text = bench.refused("addnode", json!({ "id": "more", "component": "Forward" }));
        assert!(text.contains("node more: the board takes at most 49 nodes"), "{text}");
        bench.graph("addinitial", initial("n1", "in", json!(3)));
        bench.graph("removenode", json!({ "id": "n7" }));
        let got = bench.graph("addnode", json!({ "id": "more", "component": "Forward" }));
        assert_eq!(commands(&got), ["addnode", "output"]);
        assert!(got[1]["payload"]["message"].as_str().unwrap().contains("built anew with node more"));
        bench.assert_in_step();
        assert_eq!(bench.board.nodes.len(), 49);
        bench.refused("addnode", json!({ "id": "again", "component": "Forward" }));
    }
}

#[test]
fn the_stopped_boards_queue_is_never_overrun() {
    let mut bench = Bench::new(Dialect::Flo01);
    bench.nodes("Forward", &["a"]);
    for number in 0..48 {
        assert_eq!(commands(&bench.graph("addinitial", initial("a", "in", json!(number)))), ["addinitial"]);
    }
    let text = bench.refused("addinitial", initial("a", "in", json!(48)));
    assert!(text.contains("port in of node a") && text.contains("at most 48 packets"), "{text}");
    bench.ask("network", "start", json!({ "graph": "main" }));
    assert_eq!(commands(&bench.graph("addinitial", initial("a", "in", json!(48)))), ["addinitial", "data"]);
    bench.ask("network", "stop", json!({ "graph": "main" }));
    bench.sent.clear();
    bench.ask("network", "start", json!({ "graph": "main" }));
    let at = bench.sent.iter().position(|command| *command == Command::StartNetwork).unwrap();
    assert_eq!((at, bench.sent.len()), (24, 50), "what the stopped board may have no room for follows the start");
}

#[test]
fn a_start_sends_initial_packets_that_were_consumed_before() {
    let mut bench = Bench::new(Dialect::Microflo1);
    bench.nodes("Timer", &["t"]);
    bench.graph("addinitial", initial("t", "interval", json!("300")));
    let send = Command::SendPacket { target: port(1, 0), packet: Packet::Integer(300) };
    bench.sent.clear();
    bench.ask("network", "start", json!({ "graph": "main" }));
    assert_eq!(bench.sent, [Command::StartNetwork], "the board still has it");
    bench.ask("network", "stop", json!({ "graph": "main" }));
    bench.sent.clear();
    assert_eq!(commands(&bench.ask("network", "start", json!({ "graph": "main" }))), ["started", "data"]);
    assert_eq!(bench.sent, [send, Command::StartNetwork], "setup resets what the first one had set");
    bench.sent.clear();
    assert_eq!(commands(&bench.ask("network", "start", json!({ "graph": "main" }))), ["started"]);
    assert!(bench.sent.is_empty(), "it runs already");
}

#[test]
fn a_node_added_to_a_running_network_is_set_up() {
    let mut bench = Bench::new(Dialect::Flo01);
    bench.nodes("Timer", &["t"]);
    bench.graph("addinitial", initial("t", "interval", json!(300)));
    bench.ask("network", "start", json!({ "graph": "main" }));
    bench.sent.clear();
    let got = bench.graph("addnode", json!({ "id": "u", "component": "Timer" }));
    assert_eq!(commands(&got), ["addnode", "output", "data"]);
    assert!(got[1]["payload"]["message"].as_str().unwrap().contains("restarted to set up node u"));
    let send = Command::SendPacket { target: port(1, 0), packet: Packet::Integer(300) };
    let create = Command::CreateComponent { component: 27, parent: 0 };
    assert_eq!(bench.sent, [Command::StopNetwork, create, send, Command::StartNetwork]);
    bench.assert_in_step();
    let mut other = Bench::new(Dialect::Microflo1);
    other.ask("network", "start", json!({ "graph": "main" }));
    other.sent.clear();
    other.nodes("Timer", &["u"]);
    assert_eq!(other.sent, [create], "the 10-byte firmware sets it up itself");
}

#[test]
fn a_failed_restart_still_tells_of_the_node() {
    let mut bench = Bench::new(Dialect::Flo01);
    bench.ask("network", "start", json!({ "graph": "main" }));
    bench.say(A, "graph", "addnode", json!({ "id": "u", "component": "Timer", "graph": "main" }));
    bench.answer();
    bench.answer();
    bench.fail(Failure::NoAnswer);
    assert_eq!(commands(&bench.got(A)), ["addnode", "error"]);
    bench.assert_in_step();
}

#[test]
fn narrowing_to_edges_unsubscribes_the_others() {
    let mut bench = Bench::new(Dialect::Flo01);
    bench.nodes("Forward", &["a", "b", "c"]);
    bench.graph("addedge", edge(end("a", "out"), end("b", "in")));
    bench.graph("addedge", edge(end("b", "out"), end("c", "in")));
    bench.ask("network", "start", json!({ "graph": "main" }));
    assert_eq!(bench.board.watched, [port(1, 0), port(2, 0)]);
    let edges = json!([edge(end("b", "out"), end("c", "in"))]);
    let got = bench.ask("network", "edges", json!({ "graph": "main", "edges": edges }));
    assert_eq!(got[0]["payload"], json!({ "graph": "main", "edges": edges }));
    assert_eq!(bench.board.watched, [port(2, 0)]);
    let got = bench.graph("addinitial", initial("a", "in", json!(5)));
    assert_eq!(commands(&got), ["addinitial", "data"]);
    assert_eq!(got[1]["payload"]["id"], "b() OUT -> IN c()");
    let text = error_text(&bench.ask(
        "network",
        "edges",
        json!({ "graph": "main", "edges": [edge(end("a", "out"), end("c", "in"))] }),
    ));
    assert!(text.contains("no edge a out -> in c"), "{text}");
    bench.ask("network", "edges", json!({ "graph": "main", "edges": [] }));
    assert!(bench.board.watched.is_empty());
}
