//! A user at work: edits while it runs, stops and starts. This firmware sets nodes up at every start, which forgets what their
//! initial packets had set.

use std::time::Duration;

use serde_json::json;

use crate::board::Board;
use crate::client::Fbp;
use crate::graph::{edge, initial};

/// Interval of the timer under test.
const INTERVAL: Duration = Duration::from_millis(50);

/// Packets that are waited for.
const PACKETS: usize = 8;

/// That many take at most this long; at a Timer's own interval, a second, they take 8 s.
const LONGEST: Duration = Duration::from_secs(4);

fn build_timer(client: &mut Fbp) {
    client.order("graph:clear", json!({ "id": "g", "name": "g", "main": true }));
    for (id, component) in [("timer", "Timer"), ("toggle", "ToggleBoolean")] {
        client.order("graph:addnode", json!({ "graph": "g", "id": id, "component": component, "metadata": {} }));
    }
    client.order("graph:addedge", edge("g", "timer", "out", "toggle", "in"));
    client.order("graph:addinitial", initial("g", &json!(INTERVAL.as_millis() as u64), "timer", "interval"));
}

fn start(client: &mut Fbp) -> Duration {
    client.order("network:start", json!({ "graph": "g" }));
    client.time_packets(PACKETS)
}

#[test]
fn initial_packets_apply_after_every_start() {
    let dir = tempfile::tempdir().unwrap();
    let board = Board::linux("empty", dir.path());
    let bridge = board.bridge(dir.path());
    let mut client = Fbp::connect(&bridge.board_in_state("ready"));
    build_timer(&mut client);
    for round in 0..4 {
        let took = start(&mut client);
        println!("start {round}: {PACKETS} packets in {took:?}");
        assert!(took < LONGEST, "the timer has lost its interval");
        client.order("network:stop", json!({ "graph": "g" }));
        client.count_data(Duration::from_millis(50));
        assert_eq!(client.count_data(Duration::from_millis(200)), 0, "a stopped network sends nothing");
    }
}

#[test]
fn a_removed_initial_packet_is_not_sent_again() {
    let dir = tempfile::tempdir().unwrap();
    let board = Board::linux("empty", dir.path());
    let bridge = board.bridge(dir.path());
    let mut client = Fbp::connect(&bridge.board_in_state("ready"));
    build_timer(&mut client);
    start(&mut client);
    client.order("network:stop", json!({ "graph": "g" }));
    client.order("graph:removeinitial", json!({ "graph": "g", "tgt": { "node": "timer", "port": "interval" } }));
    client.order("network:start", json!({ "graph": "g" }));
    client.count_data(Duration::from_millis(100));
    let packets = client.count_data(Duration::from_millis(900));
    println!("{packets} packets in 900 ms without the initial packet");
    assert!(packets <= 2, "the timer still has its interval");
}

#[test]
fn edits_of_a_running_network_keep_its_initial_packets() {
    let dir = tempfile::tempdir().unwrap();
    let mut board = Board::linux("empty", dir.path());
    let bridge = board.bridge(dir.path());
    let shown = bridge.board_in_state("ready");
    let (mut client, mut observer) = (Fbp::connect(&shown), Fbp::connect(&shown));
    observer.order("network:getstatus", json!({ "graph": "main" }));
    build_timer(&mut client);
    start(&mut client);

    client.order("graph:addnode", json!({ "graph": "g", "id": "sink", "component": "Forward", "metadata": {} }));
    client.order("graph:addedge", edge("g", "toggle", "out", "sink", "in"));
    let took = client.time_packets(PACKETS);
    println!("after addnode and addedge: {PACKETS} packets in {took:?}");
    assert!(took < LONGEST, "the timer has lost its interval");

    client.order("graph:addinitial", initial("g", &json!(10), "timer", "interval"));
    let took = client.time_packets(PACKETS);
    println!("at 10 ms: {PACKETS} packets in {took:?}");
    let taken = client.ask("graph:addedge", edge("g", "timer", "out", "sink", "in"));
    println!("second target: {}", taken["payload"]["message"]);
    assert_eq!(taken["command"], "error", "an out port has one target");

    client.order("graph:renamenode", json!({ "graph": "g", "from": "toggle", "to": "flip" }));
    client.order("graph:removenode", json!({ "graph": "g", "id": "sink" }));
    client.told.clear();
    let told = client.wait_for("network:output");
    println!("after removal: {}", told["payload"]["message"]);
    let took = client.time_packets(PACKETS);
    println!("after removal: {PACKETS} packets in {took:?}");
    assert!(took < LONGEST, "the timer has lost its interval");
    client.told.clear();
    let packet = client.wait_for("network:data");
    println!("after rename and removal: {packet}");
    assert_eq!(packet["payload"]["tgt"]["node"], "flip");
    for told in ["graph:clear", "graph:addnode", "graph:addedge", "graph:renamenode", "graph:removenode"] {
        observer.wait_for(told);
    }
    assert!(board.lives());
}

#[test]
fn nodes_are_removed_while_their_packets_are_on_their_way() {
    let dir = tempfile::tempdir().unwrap();
    let mut board = Board::linux("empty", dir.path());
    let bridge = board.bridge(dir.path());
    let mut client = Fbp::connect(&bridge.board_in_state("ready"));
    for round in 0..20 {
        build_timer(&mut client);
        client.order("graph:addinitial", initial("g", &json!(1), "timer", "interval"));
        start(&mut client);
        for node in if round % 2 == 0 { ["timer", "toggle"] } else { ["toggle", "timer"] } {
            client.order("graph:removenode", json!({ "graph": "g", "id": node }));
            assert!(board.lives(), "round {round}: the removal of {node} killed it");
        }
        assert_eq!(client.ask("network:getstatus", json!({ "graph": "g" }))["payload"]["running"], true);
    }
}

#[test]
fn a_running_network_can_be_cleared_and_built_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut board = Board::linux("flood", dir.path());
    let bridge = board.bridge(dir.path());
    let mut client = Fbp::connect(&bridge.board_in_state("ready"));
    client.order("network:start", json!({ "graph": "main" }));
    println!("embedded flood: 200 packets in {:?}", client.time_packets(200));
    for round in 0..5 {
        build_timer(&mut client);
        println!("round {round}: {PACKETS} packets in {:?}", start(&mut client));
    }
    assert!(board.lives());
    let graph = client.graph("g");
    assert_eq!(graph["processes"].as_object().unwrap().len(), 2);
}

#[test]
fn a_restarted_embedded_graph_tells_that_its_initial_packets_are_gone() {
    let dir = tempfile::tempdir().unwrap();
    let board = Board::linux("blink", dir.path());
    let bridge = board.bridge(dir.path());
    let mut client = Fbp::connect(&bridge.board_in_state("ready"));
    let node = json!({ "graph": "main", "id": "x", "component": "Forward", "metadata": {} });
    let refused = client.ask("graph:addnode", node.clone());
    println!("while it runs as it booted: {}", refused["payload"]["message"]);
    assert_eq!(refused["command"], "error");

    client.order("network:stop", json!({ "graph": "main" }));
    client.order("network:start", json!({ "graph": "main" }));
    let told = client.wait_for("network:output");
    println!("told: {}", told["payload"]["message"]);
    assert!(told["payload"]["message"].as_str().unwrap().contains("initial packets"));
    // There is nothing left to lose.
    client.order("graph:addnode", node);
}
