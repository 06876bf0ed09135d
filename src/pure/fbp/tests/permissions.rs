//! Three clients, three secrets: the owner, one who may look, and one who may nothing.

use firmware_proto::Dialect;
use serde_json::{Value, json};

use super::bench::{A, B, Bench, READ_SECRET, commands, end};
use crate::pure::fbp::ClientId;

const C: ClientId = ClientId(3);

fn say(bench: &mut Bench, client: ClientId, secret: &str, topic: &str, payload: Value) -> Vec<Value> {
    let (protocol, command) = topic.split_once(':').unwrap();
    bench.got(client);
    let message = json!({ "protocol": protocol, "command": command, "payload": payload, "secret": secret });
    bench.text(client, &message.to_string());
    bench.settle();
    bench.got(client)
}

fn three() -> Bench {
    let mut bench = Bench::new(Dialect::Microflo1);
    bench.runtime.connect(B);
    bench.runtime.connect(C);
    let seen = say(&mut bench, B, READ_SECRET, "runtime:getruntime", json!({}));
    let may = ["graph:readonly", "protocol:component", "component:getsource", "network:status", "network:data"];
    assert_eq!(seen[0]["payload"]["capabilities"], json!(may));
    let nothing = say(&mut bench, C, "wrong", "runtime:getruntime", json!({}));
    assert_eq!(nothing[0]["payload"]["capabilities"], json!([]));
    assert_eq!(nothing[0]["payload"]["allCapabilities"], seen[0]["payload"]["allCapabilities"]);
    bench
}

#[test]
fn who_may_look_sees_everything_but_changes_nothing() {
    let mut bench = three();
    let main = || json!({ "graph": "main" });
    for (topic, payload, answer) in [
        ("component:list", json!({}), "componentsready"),
        ("component:getsource", json!({ "name": "main" }), "source"),
        ("network:getstatus", main(), "status"),
        ("network:edges", json!({ "graph": "main", "edges": [] }), "edges"),
    ] {
        let got = say(&mut bench, B, READ_SECRET, topic, payload.clone());
        assert_eq!(commands(&got).last(), Some(&answer));
        let refused = say(&mut bench, C, "wrong", topic, payload);
        assert!(refused[0]["payload"]["message"].as_str().unwrap().contains("needs the board's secret"));
    }
    let sent = bench.sent.len();
    for (topic, payload) in [
        ("graph:clear", json!({ "id": "main" })),
        ("graph:addnode", json!({ "graph": "main", "id": "x", "component": "Forward" })),
        ("graph:changenode", json!({ "graph": "main", "id": "x", "metadata": {} })),
        ("graph:addgroup", json!({ "graph": "main", "name": "g", "nodes": [] })),
        ("network:start", main()),
        ("network:stop", main()),
        ("network:persist", json!({})),
        ("runtime:packet", json!({ "graph": "main", "port": "in", "event": "data", "payload": 1 })),
        ("trace:start", main()),
    ] {
        let refused = say(&mut bench, B, READ_SECRET, topic, payload);
        assert_eq!(refused[0]["command"], "error", "{topic}");
        assert_eq!(refused[0]["protocol"], topic.split(':').next().unwrap());
        assert!(refused[0]["payload"]["message"].as_str().unwrap().contains("only allows to look"), "{topic}");
    }
    assert_eq!(bench.sent.len(), sent, "nothing reached the board");
}

#[test]
fn changes_and_data_reach_readers_and_exported_ports_the_owner_only() {
    let mut bench = three();
    bench.nodes("Forward", &["a", "b"]);
    bench.graph("addedge", json!({ "src": end("a", "out"), "tgt": end("b", "in") }));
    bench.graph("addinport", json!({ "public": "in", "node": "a", "port": "in" }));
    bench.graph("addoutport", json!({ "public": "out", "node": "b", "port": "out" }));
    bench.ask("network", "start", json!({ "graph": "main" }));
    let owner = bench.ask("runtime", "packet", json!({ "graph": "main", "port": "in", "event": "data", "payload": 1 }));
    assert_eq!(commands(&owner), ["packetsent", "data", "packet"]);
    let reader = bench.got(B);
    assert_eq!(commands(&reader), ["addnode", "addnode", "addedge", "addinport", "addoutport", "started", "data"]);
    assert!(bench.got(C).is_empty());
}

#[test]
fn each_client_watches_its_own_edges() {
    let mut bench = three();
    bench.nodes("Forward", &["a", "b", "c"]);
    let edges = [("a", "b"), ("b", "c")].map(|(from, to)| json!({ "src": end(from, "out"), "tgt": end(to, "in") }));
    edges.iter().for_each(|edge| drop(bench.graph("addedge", edge.clone())));
    bench.graph("addinport", json!({ "public": "in", "node": "a", "port": "in" }));
    bench.ask("network", "start", json!({ "graph": "main" }));
    let seen = |bench: &mut Bench| {
        let message = json!({ "graph": "main", "port": "in", "event": "data", "payload": 1 });
        bench.got(B);
        let owner = bench.ask("runtime", "packet", message);
        let count = |got: &[Value]| commands(got).iter().filter(|it| **it == "data").count();
        (count(&owner), count(&bench.got(B)))
    };
    assert_eq!(seen(&mut bench), (2, 2));
    say(&mut bench, B, READ_SECRET, "network:edges", json!({ "graph": "main", "edges": [edges[1]] }));
    assert_eq!(seen(&mut bench), (2, 1));
    bench.ask("network", "edges", json!({ "graph": "main", "edges": [edges[0]] }));
    assert_eq!(seen(&mut bench), (1, 1));
    say(&mut bench, B, READ_SECRET, "network:edges", json!({ "graph": "main", "edges": [] }));
    assert_eq!(seen(&mut bench), (1, 0));
    assert_eq!(bench.board.watched.len(), 1, "what nobody watches is not reported");
    bench.runtime.disconnect(A);
    bench.runtime.connect(A);
    assert_eq!(seen(&mut bench).1, 0);
}

#[test]
fn edges_of_a_graph_that_was_cleared_meanwhile_are_not_watched_instead_of_the_new_ones() {
    let mut bench = Bench::new(Dialect::Flo01);
    let build = |bench: &mut Bench| {
        bench.nodes("Forward", &["a", "b"]);
        bench.graph("addedge", json!({ "src": end("a", "out"), "tgt": end("b", "in") }));
    };
    build(&mut bench);
    let edges = json!([{ "src": end("a", "out"), "tgt": end("b", "in") }]);
    bench.say(A, "network", "edges", json!({ "edges": edges, "graph": "main" }));
    bench.graph("clear", json!({ "id": "main" }));
    build(&mut bench);
    bench.ask("network", "start", json!({ "graph": "main" }));
    let got = bench.graph("addinitial", json!({ "src": { "data": 5 }, "tgt": end("a", "in") }));
    assert!(got.iter().any(|it| it["payload"]["id"] == "a() OUT -> IN b()"), "{got:?}");
}
