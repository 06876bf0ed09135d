//! Who gets what: secrets, order, broadcasts, boards that come and go.

use firmware_proto::{Dialect, Edge, Event, Packet, PacketTarget, PortRef, Response};
use serde_json::json;

use super::bench::{A, B, Bench, NOW, SECRET, commands, end, error_text, library, reply};
use crate::pure::request::Failure;

const ALL_CAPABILITIES: [&str; 11] = [
    "protocol:runtime",
    "protocol:graph",
    "protocol:component",
    "component:getsource",
    "protocol:network",
    "network:status",
    "network:control",
    "network:data",
    "network:persist",
    "protocol:trace",
    "graph:readonly",
];

#[test]
fn getruntime_is_always_answered() {
    let mut bench = Bench::unplugged(Some(library()));
    bench.runtime.connect(A);
    let mut payload = json!({
        "id": "22222222-2222-4222-8222-222222222222", "label": "Uno", "type": "microflo", "version": "0.8",
        "allCapabilities": ALL_CAPABILITIES, "capabilities": [], "graph": "main",
    });
    let anonymous = r#"{"protocol":"runtime","command":"getruntime","payload":{},"requestId":"1"}"#;
    let got = reply(&mut bench, anonymous);
    assert_eq!(got, json!({ "protocol": "runtime", "command": "runtime", "payload": payload, "responseTo": "1" }));
    payload["capabilities"] = json!(ALL_CAPABILITIES[..10]);
    assert_eq!(bench.ask("runtime", "getruntime", json!({}))[0]["payload"], payload);
    bench.runtime.set_label("Lamp".into());
    assert_eq!(bench.ask("runtime", "getruntime", json!({}))[0]["payload"]["label"], "Lamp");
}

#[test]
fn everything_else_needs_the_secret() {
    let mut bench = Bench::new(Dialect::Flo01);
    for secret in [json!("wrong"), json!(null), json!(""), json!([SECRET]), json!({ "toString": SECRET }), json!(0)] {
        let message = json!({ "protocol": "graph", "command": "clear", "payload": { "id": "x" }, "secret": secret });
        let got = reply(&mut bench, &message.to_string());
        assert_eq!((&got["protocol"], &got["command"]), (&json!("graph"), &json!("error")));
        assert!(got["payload"]["message"].as_str().unwrap().contains("needs the board's secret"));
    }
    let inside = json!({ "protocol": "graph", "command": "clear", "payload": { "id": "x", "secret": SECRET } });
    assert_eq!(reply(&mut bench, &inside.to_string())["payload"], json!({ "id": "x" }));
}

#[test]
fn whatever_cannot_be_understood_is_answered_with_an_error() {
    let mut bench = Bench::new(Dialect::Flo01);
    for (text, protocol) in [
        ("{", "runtime"),
        ("[1]", "runtime"),
        (r#"{"protocol":"graph"}"#, "graph"),
        (r#"{"protocol":"trace","command":"begin","secret":"s3cret"}"#, "trace"),
        (r#"{"protocol":"trace","command":"start","secret":"s3cret"}"#, "trace"),
        (r#"{"protocol":"runtime","command":"packet","secret":"s3cret"}"#, "runtime"),
        (r#"{"protocol":"component","command":"source","secret":"s3cret"}"#, "component"),
        (r#"{"protocol":"network","command":"debug","secret":"s3cret"}"#, "network"),
        (r#"{"protocol":"graph","command":"addgroup","secret":"s3cret"}"#, "graph"),
        (r#"{"protocol":"graph","command":"addnode","payload":{"id":5,"graph":"main"},"secret":"s3cret"}"#, "graph"),
        (r#"{"protocol":"network","command":"edges","payload":{"graph":"main"},"secret":"s3cret"}"#, "network"),
    ] {
        let got = reply(&mut bench, text);
        assert_eq!((&got["protocol"], &got["command"]), (&json!(protocol), &json!("error")), "{text}");
    }
    let numbered = r#"{"protocol":"trace","command":"start","secret":"s3cret","requestId":"9"}"#;
    assert_eq!(reply(&mut bench, numbered)["responseTo"], "9");
}

#[test]
fn replies_keep_the_order_of_messages() {
    let mut bench = Bench::new(Dialect::Flo01);
    bench.say(A, "graph", "addnode", json!({ "id": "a", "component": "Forward", "graph": "main" }));
    bench.say(A, "component", "getsource", json!({ "name": "main" }));
    bench.say(A, "network", "start", json!({ "graph": "main" }));
    bench.say(A, "network", "getstatus", json!({ "graph": "main" }));
    bench.text(A, "{");
    assert!(bench.got(A).is_empty(), "nothing may pass the addnode that waits for the board");
    bench.settle();
    let got = bench.got(A);
    assert_eq!(commands(&got), ["addnode", "source", "started", "status", "error"]);
    assert!(got[1]["payload"]["code"].as_str().unwrap().contains("\"a\""));
    assert_eq!(got[3]["payload"]["running"], true);
}

#[test]
fn changes_are_told_to_everyone_who_proved_the_secret() {
    let mut bench = Bench::new(Dialect::Flo01);
    bench.runtime.connect(B);
    bench.text(B, r#"{"protocol":"runtime","command":"getruntime","payload":{}}"#);
    bench.got(B);
    bench.nodes("Forward", &["a"]);
    assert!(bench.got(B).is_empty(), "B has not proved the secret");
    bench.say(B, "runtime", "getruntime", json!({}));
    bench.got(B);
    let message = json!({ "protocol": "graph", "command": "addnode", "requestId": "7", "secret": SECRET,
        "payload": { "id": "b", "component": "Forward", "graph": "main" } });
    bench.text(A, &message.to_string());
    assert!(bench.got(B).is_empty(), "not before the board has confirmed it");
    bench.settle();
    let (a, b) = (bench.got(A), bench.got(B));
    assert_eq!((a.len(), b.len()), (1, 1));
    assert_eq!(a[0]["payload"], b[0]["payload"]);
    assert_eq!((a[0]["responseTo"].as_str(), b[0].get("responseTo")), (Some("7"), None));
    bench.ask("network", "start", json!({ "graph": "main" }));
    assert_eq!(commands(&bench.got(B)), ["started"]);
    bench.graph("changenode", json!({ "id": "b", "metadata": { "x": 1 } }));
    bench.graph("renamenode", json!({ "from": "b", "to": "c" }));
    assert_eq!(commands(&bench.got(B)), ["changenode", "renamenode"]);
    bench.graph("renamenode", json!({ "from": "b", "to": "c" }));
    assert!(bench.got(B).is_empty(), "errors go to the asker only");
}

#[test]
fn without_a_component_map_the_network_can_still_be_started() {
    let mut bench = Bench::unplugged(None);
    bench.runtime.board_up(Dialect::Flo01, NOW);
    bench.runtime.handle_boot(&[], NOW);
    bench.runtime.connect(A);
    let capabilities = bench.ask("runtime", "getruntime", json!({}))[0]["payload"]["allCapabilities"].clone();
    assert_eq!(capabilities, json!(["network:status", "network:control"]));
    assert!(bench.refused("clear", json!({ "id": "main" })).contains("firmware add DIRECTORY"));
    assert!(error_text(&bench.ask("component", "list", json!({}))).contains("component map is missing"));
    assert!(
        error_text(&bench.ask("component", "getsource", json!({ "name": "main" })))
            .contains("component map is missing")
    );
    assert_eq!(commands(&bench.ask("network", "start", json!({ "graph": "main" }))), ["started"]);
    assert_eq!(commands(&bench.ask("network", "getstatus", json!({ "graph": "main" }))), ["status"]);
}

#[test]
fn a_board_that_is_away_is_named_with_the_reason() {
    let mut bench = Bench::new(Dialect::Flo01);
    bench.runtime.board_down("it was unplugged", NOW);
    let text = bench.refused("addnode", json!({ "id": "a", "component": "Forward" }));
    assert_eq!(text, "the board is not connected: it was unplugged (board Uno)");
    assert_eq!(bench.ask("network", "getstatus", json!({ "graph": "main" }))[0]["payload"]["running"], false);
}

#[test]
fn requests_under_way_when_the_board_goes_fail_once_each() {
    let mut bench = Bench::new(Dialect::Flo01);
    for name in ["a", "b", "c"] {
        bench.say(A, "graph", "addnode", json!({ "id": name, "component": "Forward", "graph": "main" }));
    }
    bench.say(A, "graph", "addedge", json!({ "src": end("a", "out"), "tgt": end("b", "in"), "graph": "main" }));
    bench.runtime.board_down("it was unplugged", NOW);
    bench.collect();
    assert!(bench.got(A).is_empty());
    while !bench.line.is_empty() {
        bench.fail(Failure::Gone);
    }
    assert_eq!(commands(&bench.got(A)), ["error"; 4]);
    assert_eq!(bench.runtime.graph_json()["processes"], json!({}));
}

#[test]
fn an_embedded_graph_gets_names_and_can_be_edited() {
    let mut bench = Bench::unplugged(Some(library()));
    bench.runtime.connect(A);
    bench.say(A, "runtime", "getruntime", json!({}));
    bench.got(A);
    let (src, tgt) = (PortRef { node: 1, port: 0 }, PortRef { node: 2, port: 0 });
    bench.board.dialect = Dialect::Microflo1;
    bench.board.nodes = [(1, 27), (2, 11)].into();
    bench.board.edges = [(src, tgt)].into();
    bench.board.running = true;
    bench.runtime.board_up(Dialect::Microflo1, NOW);
    let chatter = [
        Response::CommunicationOpen,
        Response::NodesCleared,
        Response::NodeAdded { component: 27, node: 1, parent: 0 },
        Response::NodeAdded { component: 11, node: 2, parent: 0 },
        Response::NodesConnected(Edge { src, tgt }),
        Response::SendPacketDone { target: src, kind: 7 },
        Response::NetworkStarted,
        Response::TransmissionEnded,
    ];
    bench.runtime.handle_boot(&chatter, NOW);
    bench.collect();
    assert_eq!(commands(&bench.got(A)), ["clear", "addnode", "addnode", "addedge", "started"]);
    bench.assert_in_step();
    let source = bench.ask("component", "getsource", json!({ "name": "main" }));
    let code = source[0]["payload"]["code"].as_str().unwrap().to_owned();
    assert!(code.contains(r#""node1":{"component":"Timer","metadata":{}}"#), "{code}");
    let edges = json!([{ "src": end("node1", "out"), "tgt": end("node2", "in") }]);
    assert_eq!(commands(&bench.ask("network", "edges", json!({ "graph": "main", "edges": edges }))), ["edges"]);
    let event = Event::PacketSent { src, target: PacketTarget::Connected(true), packet: Packet::Void };
    bench.runtime.handle_event(&event, bench.now);
    bench.collect();
    let data = json!({ "id": "node1() OUT -> IN node2()", "graph": "main", "src": end("node1", "out"),
        "tgt": end("node2", "in"), "data": null });
    assert_eq!(bench.got(A)[0]["payload"], data);
    bench.board.dialect = Dialect::Flo01;
    bench.runtime.board_up(Dialect::Flo01, NOW);
    let text = bench.refused("addnode", json!({ "id": "c", "component": "Forward" }));
    assert!(text.contains("would lose the initial packets"), "{text}");
}

#[test]
fn a_reset_board_is_empty_for_its_clients_too() {
    let mut bench = Bench::new(Dialect::Flo01);
    bench.ask("graph", "clear", json!({ "id": "other" }));
    bench.ask("graph", "addnode", json!({ "id": "a", "component": "Forward", "graph": "other" }));
    bench.board = Default::default();
    bench.runtime.handle_boot(&[], NOW);
    bench.collect();
    let got = bench.got(A);
    assert_eq!(commands(&got), ["clear", "stopped"]);
    assert_eq!(got[0]["payload"], json!({ "id": "main", "main": true }));
    bench.assert_in_step();
}

#[test]
fn a_lost_graph_is_said_once_and_mended_by_a_clear() {
    let mut bench = Bench::new(Dialect::Flo01);
    bench.nodes("Forward", &["a"]);
    bench.runtime.graph_lost();
    bench.runtime.graph_lost();
    bench.collect();
    let got = bench.got(A);
    assert_eq!(commands(&got), ["error"]);
    assert!(got[0]["payload"]["message"].as_str().unwrap().contains("not known any more"));
    assert!(bench.refused("addnode", json!({ "id": "b", "component": "Forward" })).contains("send graph:clear"));
    assert_eq!(commands(&bench.ask("graph", "clear", json!({ "id": "main" }))), ["clear"]);
    bench.nodes("Forward", &["b"]);
    bench.assert_in_step();
}

#[test]
fn a_board_found_running_is_left_alone_until_it_is_cleared() {
    let mut bench = Bench::unplugged(Some(library()));
    bench.runtime.board_up(Dialect::Flo01, NOW);
    bench.runtime.connect(A);
    assert!(bench.refused("addnode", json!({ "id": "a", "component": "Forward" })).contains("not known"));
    assert_eq!(commands(&bench.ask("network", "stop", json!({ "graph": "main" }))), ["stopped"]);
    assert_eq!(commands(&bench.ask("network", "start", json!({ "graph": "main" }))), ["started"]);
    assert_eq!(commands(&bench.ask("graph", "clear", json!({ "id": "main" }))), ["clear"]);
    bench.nodes("Forward", &["a"]);
}
