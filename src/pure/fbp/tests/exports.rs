//! Exported ports: packets in and out, and what becomes of them when the graph changes.

use firmware_proto::{Command, Dialect, Packet, PortRef};
use serde_json::{Value, json};

use super::bench::{A, Bench, commands, end, error_text};

/// a → b, in port `in` of a and out port `out` of b exported, and running.
fn pipe(dialect: Dialect) -> Bench {
    let mut bench = Bench::new(dialect);
    bench.nodes("Forward", &["a", "b"]);
    bench.graph("addedge", json!({ "src": end("a", "out"), "tgt": end("b", "in") }));
    bench.graph("addinport", json!({ "public": "in", "node": "a", "port": "in" }));
    bench.graph("addoutport", json!({ "public": "result", "node": "b", "port": "out", "metadata": { "x": 1 } }));
    bench.ask("network", "start", json!({ "graph": "main" }));
    bench
}

fn packet(bench: &mut Bench, payload: Value) -> Vec<Value> {
    bench.ask("runtime", "packet", json!({ "graph": "main", "port": "in", "event": "data", "payload": payload }))
}

#[test]
fn packets_go_in_and_come_out_by_the_exported_names() {
    for dialect in Dialect::ALL {
        let mut bench = pipe(dialect);
        for value in [json!(7), json!(-300), json!(true), json!(null), json!([1, 2, [3]])] {
            let got = packet(&mut bench, value.clone());
            let sent = json!({ "graph": "main", "port": "in", "event": "data", "payload": value });
            let came = json!({ "port": "result", "event": "data", "graph": "main", "payload": value });
            assert!(got.iter().any(|it| it["command"] == "packetsent" && it["payload"] == sent), "{got:?}");
            assert!(got.iter().any(|it| it["command"] == "packet" && it["payload"] == came), "{got:?}");
            assert!(got.iter().any(|it| it["command"] == "data" && it["payload"]["data"] == value), "{got:?}");
        }
        bench.assert_in_step();
    }
}

#[test]
fn the_list_of_ports_follows_the_graph() {
    let mut bench = Bench::new(Dialect::Flo01);
    bench.nodes("Forward", &["a"]);
    let ports = |got: &[Value]| got.iter().find(|it| it["command"] == "ports").map(|it| it["payload"].clone());
    let added = bench.graph("addinport", json!({ "public": "p", "node": "a", "port": "in" }));
    assert_eq!(added[0]["payload"], json!({ "public": "p", "node": "a", "port": "in", "graph": "main" }));
    let listed = ports(&added).unwrap();
    assert_eq!((&listed["inPorts"][0]["id"], &listed["outPorts"]), (&json!("p"), &json!([])));
    let renamed = bench.graph("renameinport", json!({ "from": "p", "to": "q" }));
    assert_eq!(ports(&renamed).unwrap()["inPorts"][0]["id"], "q");
    let described = bench.ask("runtime", "getruntime", json!({}));
    assert_eq!(commands(&described), ["runtime", "ports"]);
    bench.graph("addoutport", json!({ "public": "o", "node": "a", "port": "out" }));
    let removed = bench.graph("removenode", json!({ "id": "a" }));
    let listed = ports(&removed).unwrap();
    assert_eq!((&listed["inPorts"], &listed["outPorts"]), (&json!([]), &json!([])));
    assert_eq!(commands(&bench.ask("runtime", "getruntime", json!({}))), ["runtime"]);
}

#[test]
fn what_is_not_exported_is_refused_in_words() {
    let mut bench = pipe(Dialect::Flo01);
    let unknown = json!({ "graph": "main", "port": "x", "event": "data", "payload": 1 });
    assert!(error_text(&bench.ask("runtime", "packet", unknown)).contains("exports no in port x; it exports in"));
    assert!(error_text(&packet(&mut bench, json!(1.5))).contains("port in of node a: 1.5 is not an integer"));
    assert!(error_text(&packet(&mut bench, json!({ "a": 1 }))).contains("no objects"));
    let twice = json!({ "public": "in", "node": "b", "port": "in" });
    assert!(bench.refused("addinport", twice).contains("exports an in port in already"));
    let nowhere = json!({ "public": "y", "node": "b", "port": "nope" });
    assert!(bench.refused("addoutport", nowhere).contains("no out port nope"));
    assert!(
        bench.refused("removeoutport", json!({ "public": "z" })).contains("exports no out port z; it exports result")
    );
    assert!(bench.refused("renameinport", json!({ "from": "z", "to": "in" })).contains("no in port z"));
    let odd = json!({ "graph": "main", "port": "in", "event": "burst" });
    assert!(error_text(&bench.ask("runtime", "packet", odd)).contains("`event` is `burst`"));
}

#[test]
fn groups_of_packets_are_brackets_and_connecting_costs_nothing() {
    let mut bench = pipe(Dialect::Flo01);
    bench.sent.clear();
    let mut events = Vec::new();
    for (event, payload) in
        [("connect", json!(null)), ("begingroup", json!("g")), ("data", json!(5)), ("endgroup", json!("g"))]
    {
        let message = json!({ "graph": "main", "port": "in", "event": event, "payload": payload });
        events.extend(bench.ask("runtime", "packet", message));
    }
    let target = PortRef { node: 1, port: 0 };
    let packets = [Packet::BracketStart, Packet::Integer(5), Packet::BracketEnd];
    assert_eq!(bench.sent, packets.map(|packet| Command::SendPacket { target, packet }));
    let out: Vec<&Value> =
        events.iter().filter(|it| it["command"] == "packet").map(|it| &it["payload"]["payload"]).collect();
    assert_eq!(out, [&json!([5])]);
}

#[test]
fn an_exported_port_stays_watched_without_its_edge_and_by_those_who_chose_other_edges() {
    let mut bench = Bench::new(Dialect::Flo01);
    bench.nodes("Forward", &["a", "b"]);
    let edge = json!({ "src": end("a", "out"), "tgt": end("b", "in") });
    bench.graph("addedge", edge.clone());
    bench.graph("addinport", json!({ "public": "in", "node": "a", "port": "in" }));
    bench.graph("addoutport", json!({ "public": "out", "node": "a", "port": "out" }));
    bench.ask("network", "edges", json!({ "graph": "main", "edges": [] }));
    bench.graph("removeedge", edge);
    bench.ask("network", "start", json!({ "graph": "main" }));
    let got = packet(&mut bench, json!(3));
    assert_eq!(commands(&got).iter().filter(|it| **it == "packet").count(), 1, "{got:?}");
    bench.graph("removeoutport", json!({ "public": "out" }));
    assert!(bench.board.watched.is_empty());
    assert_eq!(commands(&packet(&mut bench, json!(3))), ["packetsent"]);
}

#[test]
fn integers_that_the_reports_cut_are_marked_downstream_only() {
    let mut bench = pipe(Dialect::Flo01);
    bench.nodes_while_stopped("Forward", &["other"]);
    bench.graph("addinport", json!({ "public": "narrow", "node": "other", "port": "in" }));
    bench.graph("addoutport", json!({ "public": "exact", "node": "other", "port": "out" }));
    bench.ask("network", "start", json!({ "graph": "main" }));
    let marked = json!({ "type": "integer", "low16": 4464, "reported": false });
    let got = packet(&mut bench, json!(70_000));
    let out = got.iter().find(|it| it["command"] == "packet").unwrap();
    // This board reports it whole; what matters is that nobody relies on it.
    assert_eq!(out["payload"]["payload"], marked);
    let narrow = json!({ "graph": "main", "port": "narrow", "event": "data", "payload": 4464 });
    let got = bench.ask("runtime", "packet", narrow);
    assert_eq!(got.iter().find(|it| it["command"] == "packet").unwrap()["payload"]["payload"], 4464);
    bench.got(A);
    let mut wide = pipe(Dialect::Microflo1);
    let got = packet(&mut wide, json!(70_000));
    assert_eq!(got.iter().find(|it| it["command"] == "packet").unwrap()["payload"]["payload"], 70_000);
}
