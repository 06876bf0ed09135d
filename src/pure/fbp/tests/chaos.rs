//! Whatever clients send in whatever order, and whatever fails: no command kills the board, every message is answered once,
//! the mirror says what is on the board, and who only listens knows the graph.

use firmware_proto::{Command, DebugPoint, Dialect, Edge, Packet, PortRef};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::bench::{A, B, Bench, READ_SECRET, SECRET, end};
use super::picture::Picture;
use crate::pure::fbp::{ClientId, UploadId, UploadStep};
use crate::pure::request::Failure;

/// Only listens.
const LISTENER: ClientId = ClientId(3);

#[derive(Clone, Debug)]
enum Act {
    /// Who says it, and what.
    Say(bool, (&'static str, &'static str, Value)),
    /// So many nodes in a row, and whether they are started.
    Upload(usize, bool),
    Raw(Command),
    Answer,
    Fail(Failure),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        40 => (any::<bool>(), prop_oneof![3 => message(), 1 => annex()]).prop_map(|(who, what)| Act::Say(who, what)),
        1 => (0..6usize, any::<bool>()).prop_map(|(nodes, start)| Act::Upload(nodes, start)),
        14 => raw(),
        54 => Just(Act::Answer),
        6 => failure().prop_map(Act::Fail),
    ]
}

fn failure() -> impl Strategy<Value = Failure> {
    prop_oneof![Just(Failure::NoAnswer), Just(Failure::QueueFull), Just(Failure::Refused(DebugPoint::NotImplemented))]
}

type Message = (&'static str, &'static str, Value);

fn name() -> impl Strategy<Value = String> {
    (0..5u8).prop_map(|number| format!("n{number}"))
}

fn edge() -> impl Strategy<Value = Value> {
    let out = prop_oneof![4 => Just("out"), 1 => Just("out1")];
    (name(), out, name(), prop_oneof![Just("in"), Just("reset")])
        .prop_map(|(a, out, b, to)| json!({ "src": end(&a, out), "tgt": end(&b, to) }))
}

fn message() -> impl Strategy<Value = Message> {
    let graph = |command: &'static str, payload: Value| ("graph", command, payload);
    let component = prop_oneof![Just("Forward"), Just("Timer"), Just("Split")];
    prop_oneof![
        6 => (name(), component).prop_map(move |(id, component)| graph("addnode", json!({ "id": id, "component": component }))),
        2 => name().prop_map(move |id| graph("removenode", json!({ "id": id }))),
        1 => (name(), name()).prop_map(move |(from, to)| graph("renamenode", json!({ "from": from, "to": to }))),
        1 => name().prop_map(move |id| graph("changenode", json!({ "id": id, "metadata": { "x": 1 } }))),
        6 => edge().prop_map(move |edge| graph("addedge", edge)),
        2 => edge().prop_map(move |edge| graph("removeedge", edge)),
        1 => edge().prop_map(move |mut edge| { edge["metadata"] = json!({ "x": 1 }); graph("changeedge", edge) }),
        2 => (name(), any::<i16>()).prop_map(move |(id, data)| graph("addinitial", json!({ "src": { "data": data }, "tgt": end(&id, "in") }))),
        1 => name().prop_map(move |id| graph("removeinitial", json!({ "tgt": end(&id, "in") }))),
        1 => Just(graph("clear", json!({ "id": "main" }))),
        1 => Just(("network", "start", json!({}))),
        1 => Just(("network", "stop", json!({}))),
        1 => Just(("network", "getstatus", json!({}))),
        1 => proptest::collection::vec(edge(), 0..3).prop_map(|edges| ("network", "edges", json!({ "edges": edges }))),
    ]
}

/// Exported ports, groups, and what is kept.
fn annex() -> impl Strategy<Value = Message> {
    let public = || (0..3u8).prop_map(|number| format!("p{number}"));
    let pair = || (public(), public()).prop_map(|(from, to)| json!({ "from": from, "to": to }));
    let side = |commands: [&'static str; 2]| any::<bool>().prop_map(move |out| commands[usize::from(out)]);
    let data = prop_oneof![Just(json!(1)), Just(json!("text")), Just(json!([true, null])), Just(json!(0.5))];
    let event = prop_oneof![4 => Just("data"), 1 => Just("begingroup"), 1 => Just("endgroup"), 1 => Just("connect")];
    prop_oneof![
        4 => (public(), name(), any::<bool>()).prop_map(|(public, node, out)| {
            let (command, port) = if out { ("addoutport", "out") } else { ("addinport", "in") };
            ("graph", command, json!({ "public": public, "node": node, "port": port }))
        }),
        1 => (side(["removeinport", "removeoutport"]), public()).prop_map(|(it, public)| ("graph", it, json!({ "public": public }))),
        1 => (side(["renameinport", "renameoutport"]), pair()).prop_map(|(it, pair)| ("graph", it, pair)),
        3 => (public(), event, data).prop_map(|(port, event, data)| {
            ("runtime", "packet", json!({ "port": port, "event": event, "payload": data }))
        }),
        2 => (public(), proptest::collection::vec(name(), 0..3)).prop_map(|(name, mut nodes)| {
            nodes.sort();
            nodes.dedup();
            ("graph", "addgroup", json!({ "name": name, "nodes": nodes }))
        }),
        1 => public().prop_map(|name| ("graph", "removegroup", json!({ "name": name }))),
        1 => pair().prop_map(|pair| ("graph", "renamegroup", pair)),
        1 => public().prop_map(|name| ("graph", "changegroup", json!({ "name": name, "metadata": { "x": 1 } }))),
        1 => Just(("network", "persist", json!({}))),
        1 => Just(("component", "getsource", json!({ "name": "main" }))),
    ]
}

/// A graph of Forwards in a row, its first port exported.
fn row(nodes: usize) -> Value {
    let names: Vec<String> = (0..nodes).map(|number| format!("n{number}")).collect();
    let process = |name: &String, port: &str| json!({ "process": name, "port": port });
    let edges = names.windows(2).map(|pair| json!({ "src": process(&pair[0], "out"), "tgt": process(&pair[1], "in") }));
    let initials = names.iter().map(|name| json!({ "data": 1, "tgt": process(name, "in") }));
    let exports = names.iter().take(1).map(|name| ("p0".to_owned(), process(name, "in"))).collect();
    let processes = names.iter().map(|name| (name.clone(), json!({ "component": "Forward" }))).collect();
    json!({ "properties": { "name": "main" }, "processes": Value::Object(processes), "inports": Value::Object(exports),
        "connections": edges.clone().chain(initials.clone()).collect::<Vec<_>>() })
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

fn act_out(bench: &mut Bench, act: Act, asked: &mut [u32; 2], uploads: &mut u64) {
    match act {
        Act::Say(second, (protocol, command, mut payload)) => {
            payload["graph"] = json!("main");
            let number = &mut asked[usize::from(second)];
            *number += 1;
            let message = json!({ "protocol": protocol, "command": command, "payload": payload, "secret": SECRET,
                "requestId": number.to_string() });
            bench.text(if second { B } else { A }, &message.to_string());
        }
        Act::Upload(nodes, start) => {
            *uploads += 1;
            bench.runtime.upload(UploadId(*uploads), &row(nodes), start, bench.now);
            bench.collect();
        }
        // Commands reach the board in order: a raw one comes after what is on the line, and not in the middle of an operation.
        Act::Raw(command) => {
            if !bench.runtime.is_half_way() && bench.runtime.check_raw(&command).is_ok() {
                bench.settle_before(command);
            }
        }
        Act::Answer if !bench.line.is_empty() => bench.answer(),
        // What follows a clear trusts it: bytes have to be lost for it to fail, and then all is lost.
        Act::Fail(failure) if bench.line.front().is_some_and(|it| it.command != Command::ClearNodes) => {
            bench.fail(failure);
        }
        Act::Answer | Act::Fail(_) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn the_mirror_stays_true(acts in proptest::collection::vec(act(), 0..120), ten_bytes: bool) {
        let mut bench = Bench::new(if ten_bytes { Dialect::Microflo1 } else { Dialect::Flo01 });
        bench.runtime.connect(B);
        bench.runtime.connect(LISTENER);
        let hello = json!({ "protocol": "runtime", "command": "getruntime", "secret": READ_SECRET });
        bench.text(LISTENER, &hello.to_string());
        let (mut asked, mut uploads) = ([0, 0], 0);
        acts.into_iter().for_each(|act| act_out(&mut bench, act, &mut asked, &mut uploads));
        bench.settle();
        let is_lost = |it: &Value| it["payload"]["message"].as_str().is_some_and(|it| it.contains("not known any more"));
        let mut lost = false;
        for (client, asked) in [A, B].into_iter().zip(asked) {
            let got = bench.got(client);
            let answers: Vec<u32> = got.iter().filter_map(|it| it["responseTo"].as_str()?.parse().ok()).collect();
            prop_assert_eq!(answers, (1..=asked).collect::<Vec<u32>>(), "each message is answered once, in order");
            lost |= got.iter().any(is_lost);
        }
        let ended = bench.steps.iter().filter(|step| matches!(step, UploadStep::Ended(_))).count();
        prop_assert_eq!(ended as u64, uploads, "each upload ends once");
        let told = bench.got(LISTENER);
        if bench.runtime.device().is_known() {
            bench.assert_in_step();
        } else {
            prop_assert!(lost || told.iter().any(is_lost));
        }
        // Once all was lost, what is told begins with the next clear.
        if !told.iter().any(is_lost) {
            let mut picture = Picture::default();
            told.iter().for_each(|message| picture.hear(message));
            prop_assert_eq!(picture, Picture::of(&bench.runtime.graph_json()));
        }
    }
}
