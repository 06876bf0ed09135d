//! Self-describing boards on bridges that know nothing of them, beside boards with stock firmware.

use std::path::Path;
use std::process::Command as Program;
use std::time::{Duration, Instant};

use firmware_proto::descriptor::Query;
use firmware_proto::{Body, Command, DebugPoint, Decoded, Decoder, Dialect, Event, Message, Response};
use serde_json::{Value, json};

use crate::board::Board;
use crate::client::Raw;
use crate::support::{Bridge, PROGRAM};

/// How long a raw client listens after a reset: the board has booted and has answered everything by then.
const LISTEN: Duration = Duration::from_secs(5);

/// A bridge that is told of the port and of nothing else; every byte to and from the board is in its log.
fn bridge(state: &Path, board: &Board) -> Bridge {
    let mut prepared = Program::new(PROGRAM);
    prepared.arg("--device").arg(board.link());
    prepared.env("MICROFLO_BRIDGE_LOG", "warn,microflo_bridge=info,microflo_bridge::actors::board=trace");
    Bridge::start_command(state, prepared)
}

/// Starts a bridge, and says how long it took from opening the port, which resets the board, until the board was ready.
fn time_to_ready(state: &Path, board: &Board) -> (Bridge, Value, Duration) {
    let earlier = std::fs::read_to_string(state.with_extension("log")).unwrap_or_default().len();
    let bridge = bridge(state, board);
    let ready = bridge.board_in_state("ready");
    let log = bridge.log();
    let moment = |words: &str| {
        let line = log[earlier..].lines().find(|line| line.contains(words));
        clock(line.unwrap_or_else(|| panic!("no {words:?} in {log}")))
    };
    let took = (moment(": ready board=") - moment(": found board=")).rem_euclid(86_400.0);
    (bridge, ready, Duration::from_secs_f64(took))
}

/// The time of day of a line of a log, in seconds.
fn clock(line: &str) -> f64 {
    let (_, time) = line.split_once('T').unwrap();
    let (time, _) = time.split_once('Z').unwrap();
    time.split(':').fold(0.0, |seconds, number| seconds * 60.0 + number.parse::<f64>().unwrap())
}

/// All bytes that went one way, by a bridge's log.
fn bytes(log: &str, way: &str) -> Vec<u8> {
    let lines = log.lines().filter_map(|line| line.split_once(way)?.1.split_once('[')?.1.split_once(']'));
    let numbers = lines.flat_map(|(bytes, _)| bytes.split(", ").filter(|byte| !byte.is_empty()));
    numbers.map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

fn messages(mut bytes: &[u8]) -> Vec<Message> {
    let mut decoder = Decoder::aligned(Dialect::Flo01);
    std::iter::from_fn(|| decoder.next(&mut bytes))
        .map(|decoded| match decoded {
            Decoded::Message(message) => message,
            Decoded::Misaligned => panic!("half a frame"),
        })
        .collect()
}

fn node_names(bridge: &Bridge, id: &Value) -> Vec<String> {
    let graph = bridge.json(&["graph", "show", id.as_str().unwrap(), "--json"]);
    graph["processes"].as_object().unwrap().keys().cloned().collect()
}

#[test]
fn an_arduino_is_ready_with_all_its_names_and_nobody_has_told_the_bridge() {
    for name in ["uno", "mega"] {
        let dir = tempfile::tempdir().unwrap();
        let without = {
            let stock = Board::arduino(name, "led", dir.path());
            let (bridge, ready, took) = time_to_ready(&dir.path().join("stock"), &stock);
            assert_eq!(ready["components"], Value::Null);
            assert_eq!(node_names(&bridge, &ready["id"]), ["node1", "node2", "node3"]);
            took
        };
        let board = Board::arduino(name, "described", dir.path());
        let (id, first) = {
            let (bridge, ready, took) = time_to_ready(&dir.path().join("first"), &board);
            assert_eq!((&ready["label"], &ready["components"]), (&json!("Lamp"), &json!("the board itself")));
            assert_eq!(node_names(&bridge, &ready["id"]), ["timer", "toggle", "led"]);
            bridge.cli(&["id", "Lamp", "--on-board", "new"]);
            bridge.cli(&["label", "Lamp", "Hall light", "--on-board"]);
            (bridge.board_in_state("ready")["id"].clone(), took)
        };
        // Another computer.
        let state = dir.path().join("second");
        for (what, known) in [("first time", false), ("known hash", true)] {
            let (bridge, ready, took) = time_to_ready(&state, &board);
            assert_eq!((&ready["id"], &ready["rung"]), (&id, &json!("on-board")));
            assert_eq!((&ready["label"], &ready["components"]), (&json!("Hall light"), &json!("the board itself")));
            let graph = bridge.json(&["graph", "show", "Hall light", "--json"]);
            assert_eq!(graph["processes"]["led"]["component"], "DigitalWrite");
            assert_eq!(graph["connections"].as_array().unwrap().len(), 4, "{graph}");
            println!("{name}, {what}, with id and label on the board: reset to ready in {took:.3?}");
            assert_eq!(bridge.log().contains("its descriptor is read"), known || !known);
        }
        println!("{name}: reset to ready in {without:.3?} without descriptor, {first:.3?} with it");
    }
}
