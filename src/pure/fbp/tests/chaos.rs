//! Whatever clients send in whatever order, and whatever fails: no command kills the board, every message is answered once,
//! and the mirror says what is on the board.

use firmware_proto::{Command, DebugPoint, Dialect, Edge, Packet, PortRef};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::bench::{A, B, Bench, end};
use crate::pure::request::Failure;

#[derive(Clone, Debug)]
enum Act {
    Say(&'static str, &'static str, Value),
    Raw(Command),
    Answer,
    Fail(Failure),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![6 => message(), 2 => raw(), 8 => Just(Act::Answer), 1 => failure().prop_map(Act::Fail)]
}

fn failure() -> impl Strategy<Value = Failure> {
    prop_oneof![Just(Failure::NoAnswer), Just(Failure::QueueFull), Just(Failure::Refused(DebugPoint::NotImplemented))]
}

fn message() -> impl Strategy<Value = Act> {
    let graph = |command: &'static str, payload: Value| Act::Say("graph", command, payload);
    let name = || (0..5u8).prop_map(|number| format!("n{number}"));
    let component = prop_oneof![Just("Forward"), Just("Timer"), Just("Split")];
    let out = prop_oneof![4 => Just("out"), 1 => Just("out1")];
    let pair = (name(), out, name(), prop_oneof![Just("in"), Just("reset")])
        .prop_map(|(a, out, b, to)| json!({ "src": end(&a, out), "tgt": end(&b, to) }));
    let pair = pair.boxed();
    prop_oneof![
        6 => (name(), component).prop_map(move |(id, component)| graph("addnode", json!({ "id": id, "component": component }))),
        2 => name().prop_map(move |id| graph("removenode", json!({ "id": id }))),
        1 => (name(), name()).prop_map(move |(from, to)| graph("renamenode", json!({ "from": from, "to": to }))),
        1 => name().prop_map(move |id| graph("changenode", json!({ "id": id, "metadata": { "x": 1 } }))),
        6 => pair.clone().prop_map(move |pair| graph("addedge", pair)),
        2 => pair.clone().prop_map(move |pair| graph("removeedge", pair)),
        2 => (name(), any::<i16>()).prop_map(move |(id, data)| graph("addinitial", json!({ "src": { "data": data }, "tgt": end(&id, "in") }))),
        1 => name().prop_map(move |id| graph("removeinitial", json!({ "tgt": end(&id, "in") }))),
        1 => Just(graph("clear", json!({ "id": "main" }))),
        1 => Just(Act::Say("network", "start", json!({}))),
        1 => Just(Act::Say("network", "stop", json!({}))),
        1 => Just(Act::Say("network", "getstatus", json!({}))),
        1 => pair.prop_map(|pair| Act::Say("network", "edges", json!({ "edges": [pair] }))),
    ]
}

fn raw() -> impl Strategy<Value = Act> {
    let node = || 0..8u8;
    let edge = (node(), node())
        .prop_map(|(src, tgt)| Edge { src: PortRef { node: src, port: 0 }, tgt: PortRef { node: tgt, port: 0 } });
    let edge = edge.boxed();
    prop_oneof![
        Just(Command::CreateComponent { component: 11, parent: 0 }),
        edge.clone().prop_map(Command::ConnectNodes),
        edge.prop_map(Command::DisconnectNodes),
        node().prop_map(|node| Command::RemoveNode { node }),
        node().prop_map(|node| Command::SendPacket { target: PortRef { node, port: 0 }, packet: Packet::Integer(1) }),
        Just(Command::StartNetwork),
        Just(Command::StopNetwork),
    ]
    .prop_map(Act::Raw)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn the_mirror_stays_true(acts in proptest::collection::vec(act(), 0..120), ten_bytes: bool) {
        let mut bench = Bench::new(if ten_bytes { Dialect::Microflo1 } else { Dialect::Flo01 });
        bench.runtime.connect(B);
        let mut asked = 0;
        for act in acts {
            match act {
                Act::Say(protocol, command, mut payload) => {
                    payload["graph"] = json!("main");
                    asked += 1;
                    let message = json!({ "protocol": protocol, "command": command, "payload": payload, "secret": "s3cret",
                        "requestId": asked.to_string() });
                    bench.text(A, &message.to_string());
                }
                // Commands reach the board in order: a raw one comes after what is on the line.
                Act::Raw(command) => if bench.runtime.check_raw(&command).is_ok() {
                    bench.settle_before(command);
                },
                Act::Answer if !bench.line.is_empty() => bench.answer(),
                // What follows a clear trusts it: bytes have to be lost for it to fail, and then all is lost.
                Act::Fail(failure) if bench.line.front().is_some_and(|it| it.command != Command::ClearNodes) => {
                    bench.fail(failure);
                }
                Act::Answer | Act::Fail(_) => {}
            }
        }
        bench.settle();
        let got = bench.got(A);
        let answers: Vec<u32> = got.iter().filter_map(|it| it["responseTo"].as_str()?.parse().ok()).collect();
        prop_assert_eq!(answers, (1..=asked).collect::<Vec<u32>>(), "each message is answered once, in order");
        if bench.runtime.device().is_known() {
            bench.assert_in_step();
        } else {
            prop_assert!(got.iter().any(|it| it["payload"]["message"].as_str().is_some_and(|it| it.contains("not known any more"))));
        }
    }
}
