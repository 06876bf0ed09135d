//! The linux firmware: found, understood, registered, used by both kinds of client.

use std::collections::BTreeSet;
use std::process::Command as Process;
use std::time::{Duration, Instant};

use firmware_proto::{Command, Response};
use serde_json::{Value, json};

use crate::board::{Board, rig};
use crate::client::{Fbp, Raw, registry_entry};
use crate::graph::{answers, send_row};
use crate::support::{PATIENCE, secret};

#[test]
fn a_board_is_understood_and_registered_under_its_id() {
    let dir = tempfile::tempdir().unwrap();
    let board = Board::linux("blink", dir.path());
    let bridge = board.bridge(dir.path());
    let shown = bridge.board_in_state("ready");
    println!("{} {} {} {}", shown["id"], shown["label"], shown["firmware"], shown["reason"]);
    assert_eq!(shown["firmware"]["dialect"], "uC/Flo01");

    let id = shown["id"].as_str().unwrap();
    let url = bridge.http();
    bridge.wait("it is registered", |bridge| registry_entry(bridge, &url, id).0 == 200);
    let (_, entry) = registry_entry(&bridge, &url, id);
    println!("registry: {}", without_secret(&entry));
    assert_eq!(entry["id"], shown["id"]);
    assert_eq!(entry["label"], shown["label"]);
    assert_eq!(entry["address"], shown["url"]);
    assert_eq!(entry["secret"], secret(&shown));
}

fn without_secret(entry: &Value) -> Value {
    let mut entry = entry.clone();
    entry["secret"] = json!("…");
    entry
}

#[test]
fn component_names_and_ports_are_those_of_the_map() {
    let dir = tempfile::tempdir().unwrap();
    let board = Board::linux("blink", dir.path());
    let bridge = board.bridge(dir.path());
    let mut client = Fbp::connect(&bridge.board_in_state("ready"));

    let map: Value = serde_json::from_slice(&std::fs::read(board.map()).unwrap()).unwrap();
    let ports = |ports: &Value| ports.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let expected: BTreeSet<_> = map["components"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, component)| (name.clone(), ports(&component["inPorts"]), ports(&component["outPorts"])))
        .collect();

    client.send("component:list", json!({}));
    let count = client.wait_for("component:componentsready")["payload"].as_u64().unwrap();
    let names = |ports: &Value| {
        ports.as_array().unwrap().iter().map(|port| port["id"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>()
    };
    let listed: BTreeSet<_> = (0..count)
        .map(|_| client.wait_for("component:component")["payload"].clone())
        .map(|it| (it["name"].as_str().unwrap().to_owned(), names(&it["inPorts"]), names(&it["outPorts"])))
        .collect();
    println!("{count} components listed, {} in the map", expected.len());
    assert_eq!(listed, expected);
}

#[test]
fn the_embedded_graph_is_read_from_the_boot_chatter() {
    let dir = tempfile::tempdir().unwrap();
    let board = Board::linux("blink", dir.path());
    let bridge = board.bridge(dir.path());
    let mut client = Fbp::connect(&bridge.board_in_state("ready"));

    let runtime = client.order("runtime:getruntime", json!({}));
    let graph = client.graph(runtime["graph"].as_str().unwrap());
    println!("{graph}");
    let components: Vec<_> = graph["processes"].as_object().unwrap().values().map(|it| &it["component"]).collect();
    assert_eq!(components, ["Timer", "ToggleBoolean", "Forward"]);
    let edges: Vec<_> = graph["connections"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            let component = |end: &Value| graph["processes"][end["process"].as_str().unwrap()]["component"].clone();
            json!([component(&it["src"]), it["src"]["port"], it["tgt"]["port"], component(&it["tgt"])])
        })
        .collect();
    assert_eq!(
        edges,
        [json!(["Timer", "out", "in", "ToggleBoolean"]), json!(["ToggleBoolean", "out", "in", "Forward"])]
    );
    let status = client.order("network:getstatus", json!({ "graph": "main" }));
    assert_eq!(status["running"], true);

    // It runs: whoever asks for its packets gets them.
    client.order("network:start", json!({ "graph": "main" }));
    println!("10 packets in {:?} (two edges, 100 ms)", client.time_packets(10));
}

#[test]
fn the_npm_client_builds_starts_and_watches_a_graph() {
    let dir = tempfile::tempdir().unwrap();
    let board = Board::linux("empty", dir.path());
    let bridge = board.bridge(dir.path());
    let shown = bridge.board_in_state("ready");
    let output = Process::new("node")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/firmware/clients/fbp-client.js"))
        .args([shown["url"].as_str().unwrap(), &secret(&shown)])
        .env("NODE_PATH", rig("npm/node_modules"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    assert!(output.status.success(), "{}\nlog:\n{}", String::from_utf8_lossy(&output.stderr), bridge.log());
    assert!(said.contains("data: timer.out -> toggle.in"));
    assert!(said.contains("data: toggle.out -> sink.in true"));
}

#[test]
fn raw_and_fbp_clients_share_a_board() {
    let dir = tempfile::tempdir().unwrap();
    let board = Board::linux("blink", dir.path());
    let bridge = board.bridge(dir.path());
    let shown = bridge.board_in_state("ready");
    let (mut raw, mut other, mut fbp) = (Raw::connect(&shown), Raw::connect(&shown), Fbp::connect(&shown));
    let began = Instant::now();
    raw.send(&[Command::Ping([0; 8])]);
    assert!(matches!(raw.response(), Some(Response::Pong(_))));
    println!("pong after {:?}", began.elapsed());

    // A raw client's node is in everybody's graph; the answer is the asker's alone.
    fbp.order("network:stop", json!({ "graph": "main" }));
    raw.send(&[Command::CreateComponent { component: 3, parent: 0 }]);
    assert_eq!(raw.response(), Some(Response::NodeAdded { component: 3, node: 4, parent: 0 }));
    let added = fbp.wait_for("graph:addnode");
    println!("told: {added}");
    other.send(&[Command::Ping([0; 8])]);
    assert!(matches!(other.response(), Some(Response::Pong(_))), "the other client hears its own answers only");

    // What would kill the board does not reach it.
    let nowhere = firmware_proto::PortRef { node: 5, port: 0 };
    let edge = firmware_proto::Edge { src: nowhere, tgt: nowhere };
    raw.send(&[Command::ConnectNodes(edge), Command::Ping([0; 8])]);
    assert!(matches!(raw.response(), Some(Response::Pong(_))));
}

#[test]
fn a_graph_sent_all_at_once_arrives_whole() {
    let dir = tempfile::tempdir().unwrap();
    let mut board = Board::linux("empty", dir.path());
    let bridge = board.bridge(dir.path());
    let mut client = Fbp::connect(&bridge.board_in_state("ready"));
    let began = Instant::now();
    let ids = send_row(&mut client, "row", 40);
    let (replies, last) = answers(&mut client, &ids, PATIENCE);
    println!("{} messages answered in {:?}", ids.len(), last - began);
    assert!(replies.iter().all(|reply| reply["command"] != "error"), "{replies:?}");
    let graph = client.graph("row");
    assert_eq!(graph["processes"].as_object().unwrap().len(), 40);
    assert_eq!(graph["connections"].as_array().unwrap().len(), 39);
    assert!(board.lives());
}

#[test]
fn junk_is_answered_and_harms_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let mut board = Board::linux("blink", dir.path());
    let bridge = board.bridge(dir.path());
    let shown = bridge.board_in_state("ready");
    let mut client = Fbp::connect(&shown);
    let huge = format!("{{\"protocol\":\"{}\"}}", "x".repeat(100_000));
    let deep = "[".repeat(50_000);
    let junk = [
        "",
        " ",
        "null",
        "[]",
        "{}",
        "42",
        "\"text\"",
        "{",
        "{\"protocol\":1}",
        "{\"protocol\":\"graph\"}",
        "\u{0}",
        "{\"protocol\":\"graph\",\"command\":\"addnode\",\"payload\":[]}",
        "{\"protocol\":\"nope\",\"command\":\"nope\"}",
        &huge,
        &deep,
    ];
    let payloads = [
        json!({}),
        json!({ "graph": "main" }),
        json!({ "graph": 1, "id": {}, "component": [] }),
        json!({ "graph": "main", "id": "x", "component": "Nope" }),
        json!({ "graph": "other", "id": "x", "component": "Timer" }),
        json!({ "graph": "main", "src": { "node": "node1", "port": "out", "index": -1 }, "tgt": 7 }),
        json!({ "graph": "main", "src": { "data": { "deep": [1, 2] } }, "tgt": { "node": "node1", "port": "interval" } }),
        json!({ "graph": "main", "src": { "data": 1e300 }, "tgt": { "node": "node1", "port": "interval" } }),
    ];
    let commands =
        ["clear", "addnode", "removenode", "renamenode", "addedge", "removeedge", "addinitial", "changenode"];
    for _ in 0..20 {
        junk.iter().for_each(|text| client.send_text(text));
        for command in commands {
            for payload in payloads.iter().filter(|_| command != "clear") {
                client.send(&format!("graph:{command}"), payload.clone());
            }
        }
    }
    let sent = 20 * (junk.len() + (commands.len() - 1) * payloads.len());
    let mut errors = 0;
    while errors < sent {
        let until = Instant::now() + PATIENCE;
        let message = client.next(until).unwrap_or_else(|| panic!("{errors} of {sent} messages answered"));
        errors += usize::from(message["command"] == "error" && message["protocol"] != "network");
        assert!(message["command"] == "error" || message["protocol"] == "network", "{message}");
    }
    println!("{sent} messages of junk, {errors} errors");
    assert_eq!(client.order("network:getstatus", json!({ "graph": "main" }))["running"], true);
    client.send_binary(&[0; 8]);
    assert_eq!(client.close_code(), 1003);
    assert!(board.lives());
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(bridge.board_in_state("ready")["clients"], 0);
}
