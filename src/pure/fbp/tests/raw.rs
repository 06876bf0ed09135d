//! Raw clients: dangerous commands are refused, and FBP clients see the rest.

use firmware_proto::{Command, DebugPoint, Dialect, Edge, PortRef};
use serde_json::json;

use super::bench::{A, Bench, commands, end};
use crate::pure::request::Failure;

const CREATE: Command = Command::CreateComponent { component: 11, parent: 0 };

fn edge(src: u8, tgt: u8) -> Edge {
    Edge { src: PortRef { node: src, port: 0 }, tgt: PortRef { node: tgt, port: 0 } }
}

#[test]
fn what_a_raw_client_builds_appears_with_names() {
    let mut bench = Bench::new(Dialect::Flo01);
    bench.ask("runtime", "getruntime", json!({}));
    for command in [CREATE, CREATE, CREATE, Command::ConnectNodes(edge(1, 2)), Command::ConnectNodes(edge(1, 3))] {
        bench.raw(command).unwrap().unwrap();
    }
    bench.raw(Command::StartNetwork).unwrap().unwrap();
    let got = bench.got(A);
    assert_eq!(
        commands(&got),
        ["addnode", "addnode", "addnode", "addedge", "removeedge", "addedge", "started"],
        "the second edge replaces the first, as in the firmware"
    );
    assert_eq!(got[0]["payload"], json!({ "id": "node1", "component": "Forward", "metadata": {}, "graph": "main" }));
    bench.assert_in_step();
    bench.raw(Command::StopNetwork).unwrap().unwrap();
    bench.raw(Command::DisconnectNodes(edge(1, 3))).unwrap().unwrap();
    let refused = bench.raw(Command::RemoveNode { node: 3 });
    assert_eq!(refused, Err(DebugPoint::ParserInvalidCommand), "packets of node 3 may be queued");
    assert_eq!(commands(&bench.got(A)), ["stopped", "removeedge"]);
    let wire = json!({ "src": end("node1", "out"), "tgt": end("node2", "in") });
    assert_eq!(commands(&bench.graph("addedge", wire)), ["addedge"], "FBP clients go on from there");
    bench.raw(Command::ClearNodes).unwrap().unwrap();
    assert_eq!(commands(&bench.got(A)), ["clear"]);
    bench.raw(CREATE).unwrap().unwrap();
    bench.raw(Command::RemoveNode { node: 1 }).unwrap().unwrap();
    assert_eq!(commands(&bench.got(A)), ["addnode", "removenode"]);
    bench.assert_in_step();
}

#[test]
fn dangerous_raw_commands_are_refused_with_the_firmwares_own_code() {
    let mut bench = Bench::new(Dialect::Flo01);
    assert_eq!(bench.raw(Command::ConnectNodes(edge(1, 2))), Err(DebugPoint::NetworkConnectInvalidNodes));
    assert_eq!(bench.raw(Command::RemoveNode { node: 1 }), Err(DebugPoint::RemoveNodeInvalidInstance));
    let padded = Command::Unknown { id: 12, payload: [1, 2, 0, 0, 9, 0, 0, 0] };
    assert_eq!(bench.raw(padded), Err(DebugPoint::ParserInvalidCommand));
    assert!(bench.raw(Command::Unknown { id: 99, payload: [0; 8] }).unwrap().is_err(), "the board says that itself");
    bench.raw(Command::StartNetwork).unwrap().unwrap();
    assert_eq!(bench.raw(CREATE), Err(DebugPoint::ParserInvalidCommand));
}

#[test]
fn raw_and_fbp_commands_under_way_count_together() {
    let mut bench = Bench::new(Dialect::Flo01);
    for number in 0..48 {
        bench.say(
            A,
            "graph",
            "addnode",
            json!({ "id": format!("n{number}"), "component": "Forward", "graph": "main" }),
        );
    }
    bench.runtime.check_raw(&CREATE).unwrap();
    assert_eq!(bench.runtime.check_raw(&CREATE), Err(DebugPoint::AddNodeInvalidInstance));
    bench.runtime.raw_outcome(&CREATE, &Err(Failure::QueueFull), bench.now);
    bench.runtime.check_raw(&CREATE).unwrap();
}

#[test]
fn a_raw_clear_keeps_nodes_that_come_after_it() {
    let mut bench = Bench::new(Dialect::Flo01);
    bench.nodes("Forward", &["old"]);
    bench.runtime.check_raw(&Command::ClearNodes).unwrap();
    let cleared = bench.board.execute(&Command::ClearNodes);
    bench.say(A, "graph", "addnode", json!({ "id": "new", "component": "Forward", "graph": "main" }));
    bench.runtime.raw_outcome(&Command::ClearNodes, &cleared, bench.now);
    bench.collect();
    bench.settle();
    assert_eq!(commands(&bench.got(A)), ["clear", "addnode"]);
    bench.nodes("Forward", &["next"]);
    let wire = json!({ "src": end("new", "out"), "tgt": end("next", "in") });
    assert_eq!(commands(&bench.graph("addedge", wire)), ["addedge"]);
    bench.assert_in_step();
}
