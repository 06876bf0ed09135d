//! The graph that is shown is the graph that runs: after a reload, another run of the bridge, a reset, a replug.

use std::path::Path;
use std::time::Duration;

use firmware_proto::{Command as Wire, Dialect};
use serde_json::{Value, json};

use crate::board::Board;
use crate::client::Fbp;
use crate::graph::{edge, initial};
use crate::support::{Bridge, PATIENCE};

/// Packets that show that the timer runs with its interval of 20 ms, not its default of a second.
const PACKETS: usize = 10;

/// Those take at most this long.
const LONGEST: Duration = Duration::from_secs(5);

/// timer → toggle → sink, running, with all that clients can add to it.
fn build(client: &mut Fbp) -> Value {
    client.order("graph:clear", json!({ "id": "mine", "name": "My graph", "main": true }));
    for (id, component) in [("timer", "Timer"), ("toggle", "ToggleBoolean"), ("sink", "Forward")] {
        let payload = json!({ "graph": "mine", "id": id, "component": component, "metadata": { "x": 36 } });
        client.order("graph:addnode", payload);
    }
    client.order("graph:addedge", edge("mine", "timer", "out", "toggle", "in"));
    client.order("graph:addedge", edge("mine", "toggle", "out", "sink", "in"));
    client.order("graph:addinitial", initial("mine", &json!(20), "timer", "interval"));
    client.order("graph:addoutport", json!({ "graph": "mine", "public": "light", "node": "sink", "port": "out" }));
    client.order("graph:addgroup", json!({ "graph": "mine", "name": "g", "nodes": ["timer", "toggle"] }));
    client.order("network:start", json!({ "graph": "mine" }));
    client.graph("mine")
}

/// The board runs it: its packets come, at their pace.
fn assert_runs(client: &mut Fbp, graph: &str) {
    assert_eq!(client.order("network:getstatus", json!({ "graph": graph }))["running"], true);
    client.order("network:start", json!({ "graph": graph }));
    let took = client.time_packets(PACKETS);
    println!("{PACKETS} packets in {took:?}");
    assert!(took < LONGEST, "the timer has lost its interval");
}

/// The board can be edited where it was left.
fn assert_editable(client: &mut Fbp) {
    client.order("graph:addnode", json!({ "graph": "mine", "id": "more", "component": "Forward", "metadata": {} }));
    client.order("graph:addedge", edge("mine", "sink", "out", "more", "in"));
    client.order("graph:removenode", json!({ "graph": "mine", "id": "more" }));
}

fn names(graph: &Value) -> Vec<&str> {
    graph["processes"].as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn a_client_that_reloads_sees_what_runs() {
    let dir = tempfile::tempdir().unwrap();
    let mut board = Board::linux("empty", dir.path());
    let bridge = board.bridge(dir.path());
    let shown = bridge.board_in_state("ready");
    let built = build(&mut Fbp::connect(&shown));
    let mut client = Fbp::connect(&shown);
    let runtime = client.order("runtime:getruntime", json!({}));
    assert_eq!(runtime["graph"], "mine");
    assert_eq!(client.wait_for("runtime:ports")["payload"]["outPorts"][0]["id"], "light");
    assert_eq!(client.graph("mine"), built);
    assert_runs(&mut client, "mine");
    assert!(board.lives());
}

#[test]
fn another_run_of_the_bridge_goes_on_with_a_board_that_did_not_restart() {
    let dir = tempfile::tempdir().unwrap();
    let mut board = Board::linux("empty", dir.path());
    let mut bridge = board.bridge(dir.path());
    let built = build(&mut Fbp::connect(&bridge.board_in_state("ready")));
    for end in ["SIGTERM", "SIGKILL"] {
        let saved = saved(&bridge);
        if end == "SIGKILL" {
            bridge.kill();
        } else {
            drop(bridge);
        }
        bridge = board.bridge(dir.path());
        let mut client = Fbp::connect(&bridge.board_in_state("ready"));
        assert_eq!(client.graph("mine"), built, "after {end}, saved: {saved}");
        assert_runs(&mut client, "mine");
        assert_editable(&mut client);
        assert_runs(&mut client, "mine");
        assert!(board.lives());
        assert_eq!(client.graph("mine"), built);
        println!("{end}: the same graph, and it runs");
    }
}

/// Waits until the bridge has saved what is shown; how much that is.
fn saved(bridge: &Bridge) -> &'static str {
    bridge.wait("changes are saved", |_| {
        std::thread::sleep(Duration::from_millis(600));
        true
    });
    "0.6 s after the last change"
}

#[test]
fn a_board_that_somebody_else_has_changed_meanwhile_is_not_taken_for_what_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let mut board = Board::linux("empty", dir.path());
    let bridge = board.bridge(dir.path());
    build(&mut Fbp::connect(&bridge.board_in_state("ready")));
    drop(bridge);
    let frames = [
        Dialect::Flo01.opening(0),
        Wire::ClearNodes.encode(Dialect::Flo01, 0),
        Wire::CreateComponent { component: 11, parent: 0 }.encode(Dialect::Flo01, 0),
    ];
    let bytes: Vec<u8> = frames.iter().flat_map(|frame| frame.as_bytes().to_vec()).collect();
    board.talk(&bytes);
    let bridge = board.bridge(dir.path());
    let mut client = Fbp::connect(&bridge.board_in_state("ready"));
    let refused = client.ask("graph:addnode", json!({ "graph": "main", "id": "x", "component": "Forward" }));
    println!("{}", refused["payload"]["message"]);
    assert!(refused["payload"]["message"].as_str().unwrap().contains("is not known"));
    assert_eq!(names(&client.graph("main")), [""; 0]);
    build(&mut client);
    assert_runs(&mut client, "mine");
    assert!(board.lives());
}

#[test]
fn a_replugged_board_shows_its_embedded_graph_or_gets_the_live_one_back() {
    for restore in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let mut board = Board::linux("blink", dir.path());
        let bridge = started(&board, dir.path(), restore);
        let built = build(&mut Fbp::connect(&bridge.board_in_state("ready")));
        saved(&bridge);
        board.kill();
        bridge.wait("it is gone", |bridge| bridge.boards().is_empty());
        board = Board::linux("blink", dir.path());
        let mut client = Fbp::connect(&bridge.board_in_state("ready"));
        if restore {
            // The client may be faster than the upload.
            wait_for_graph(&mut client, "mine");
            assert_eq!(client.graph("mine"), built);
            assert_runs(&mut client, "mine");
            assert_editable(&mut client);
        } else {
            assert_eq!(client.order("runtime:getruntime", json!({}))["graph"], "blink", "the name of its source");
            let graph = client.graph("blink");
            assert_eq!(names(&graph), ["timer", "toggle", "sink"], "the names of its source");
            let data = graph["connections"].as_array().unwrap().iter().find_map(|it| it.get("data")).unwrap();
            assert_eq!(data, "100");
            assert_runs(&mut client, "blink");
        }
        assert!(board.lives());
        println!("restore = {restore}: ok");
    }
}

#[test]
fn a_reset_board_shows_its_embedded_graph_or_gets_the_live_one_back() {
    for restore in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let board = Board::mega("forward", dir.path());
        let bridge = started(&board, dir.path(), restore);
        let mut client = Fbp::connect(&bridge.board_in_state("ready"));
        let built = build(&mut client);
        client.told.clear();
        let pressed = board.press_reset();
        client.wait_for("graph:clear");
        println!("{:?} after the reset the client is told", pressed.elapsed());
        if restore {
            wait_for_graph(&mut client, "mine");
            println!("{:?} after the reset the live graph is there again", pressed.elapsed());
            assert_eq!(client.graph("mine"), built);
            assert_runs(&mut client, "mine");
        } else {
            assert_eq!(names(&client.graph("forward")).len(), 2);
        }
    }
}

#[test]
fn a_board_that_opening_resets_shows_what_it_runs_then() {
    for restore in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let board = Board::mega("forward", dir.path());
        let bridge = started(&board, dir.path(), restore);
        let built = build(&mut Fbp::connect(&bridge.board_in_state("ready")));
        saved(&bridge);
        bridge.kill();
        let bridge = started(&board, dir.path(), restore);
        let mut client = Fbp::connect(&bridge.board_in_state("ready"));
        if restore {
            wait_for_graph(&mut client, "mine");
            assert_eq!(client.graph("mine"), built);
            assert_runs(&mut client, "mine");
        } else {
            assert_eq!(names(&client.graph("forward")).len(), 2, "its embedded graph");
        }
    }
}

/// A bridge with this board, whose directory brings its names along.
fn started(board: &Board, dir: &Path, restore: bool) -> Bridge {
    let firmware = board.map().parent().unwrap().display();
    let device = format!("{},components={firmware},restore={restore}", board.link().display());
    Bridge::start(&dir.join("state"), &["--device", &device])
}

/// Waits until the board's graph has that name.
fn wait_for_graph(client: &mut Fbp, name: &str) {
    let began = std::time::Instant::now();
    while client.order("runtime:getruntime", json!({}))["graph"] != name
        || client.order("network:getstatus", json!({ "graph": name }))["running"] != true
    {
        assert!(began.elapsed() < PATIENCE, "the graph {name} does not come back");
        std::thread::sleep(Duration::from_millis(20));
    }
}
