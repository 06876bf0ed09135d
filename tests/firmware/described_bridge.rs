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
        for what in ["first time", "known hash"] {
            let (bridge, ready, took) = time_to_ready(&state, &board);
            assert_eq!((&ready["id"], &ready["rung"]), (&id, &json!("on-board")));
            assert_eq!((&ready["label"], &ready["components"]), (&json!("Hall light"), &json!("the board itself")));
            let graph = bridge.json(&["graph", "show", "Hall light", "--json"]);
            assert_eq!(graph["processes"]["led"]["component"], "DigitalWrite");
            assert_eq!(graph["connections"].as_array().unwrap().len(), 4, "{graph}");
            println!("{name}, {what}, with id and label on the board: reset to ready in {took:.3?}");
        }
        println!("{name}: reset to ready in {without:.3?} without descriptor, {first:.3?} with it");
    }
}

/// Whether a message is the answer to a question of the bridge's own.
fn is_probe(message: &Message) -> bool {
    matches!(
        message.body,
        Body::Response(Response::Describe(_) | Response::Pong(_))
            | Body::Event(Event::Debug { point: DebugPoint::ParserUnknownCommand, .. })
    )
}

#[test]
fn stock_boards_are_asked_one_question_and_raw_clients_hear_nothing_of_it() {
    let identify = Command::Describe(Query::Identify).encode(Dialect::Flo01, 0);
    let ping = Command::Ping([0; 8]).encode(Dialect::Flo01, 0);
    let probe = [identify.as_bytes(), ping.as_bytes()].concat();
    let opening = Dialect::Flo01.opening(0);
    for name in ["linux", "uno"] {
        let dir = tempfile::tempdir().unwrap();
        let board = match name {
            "linux" => Board::linux("forward", dir.path()),
            _ => Board::avr("uno", "led", dir.path()),
        };
        let bridge = bridge(&dir.path().join("state"), &board);
        let ready = bridge.board_in_state("ready");
        let log = bridge.log();
        // All that is sent: the magic until it is answered, the handshake's ping; then the question, a ping behind it.
        let sent = bytes(&log, " to the board");
        let at = sent.windows(probe.len()).position(|window| window == probe).expect("it is asked once");
        let handshake: Vec<&[u8]> = sent[..at].chunks(8).collect();
        let (last, magics) = handshake.split_last().unwrap();
        assert!(*last == ping.as_bytes() && magics.iter().all(|frame| *frame == opening.as_bytes()), "{sent:02x?}");
        assert_eq!(sent.len(), at + probe.len(), "nothing else is sent: {sent:02x?}");
        let heard = messages(&bytes(&log, "from the board"));
        let (answers, rest): (Vec<Message>, Vec<Message>) = heard.into_iter().partition(is_probe);
        let bodies: Vec<Body> = answers.iter().map(|message| message.body).collect();
        let unknown = Event::Debug { level: 1, point: DebugPoint::ParserUnknownCommand };
        let pong = Body::Response(Response::Pong([0; 8]));
        assert_eq!(bodies, [pong, Body::Event(unknown), pong]);
        println!(
            "{name}: {} bytes sent, the probe's {} among them; told beside its answers: {rest:?}",
            sent.len(),
            probe.len()
        );
        assert!(rest.iter().any(|message| message.body == Body::Response(Response::CommunicationOpen)));

        // A raw client is there while the board starts anew, as an Arduino can, and is asked again.
        if name == "linux" {
            continue;
        }
        let mut raw = Raw::connect(&ready);
        let asked = bytes(&bridge.log(), " to the board").len();
        board.press_reset();
        let until = Instant::now() + LISTEN;
        let heard: Vec<Message> = std::iter::from_fn(|| raw.next(until)).collect();
        let again = bytes(&bridge.log(), " to the board")[asked..].windows(probe.len()).any(|window| window == probe);
        assert!(again, "it is asked after each start");
        assert!(!heard.iter().any(is_probe), "{heard:?}");
        println!("{name}: meanwhile a raw client hears {} messages, none of them an answer to the bridge", heard.len());
    }
}
