//! The Arduino firmware on an emulated Mega: 9600 baud, a receiver that loses what comes too fast.

use std::time::{Duration, Instant};

use firmware_proto::{Command, PortRef, Response};
use serde_json::json;

use crate::board::Board;
use crate::client::{Fbp, Raw};
use crate::graph::{answers, initial, row_commands, send_row};
use crate::support::PATIENCE;

/// Eight bytes at 9600 baud, ten bits each.
const COMMAND_ON_THE_WIRE: Duration = Duration::from_micros(8_333);

/// The share of the line that commands must fill, by the board's own clock: who waits for each answer fills half of it. How much it
/// is on a quiet machine, the benchmarks say.
const LINE_SHARE: f64 = 0.6;

/// Prints how well the line was used, and returns the share by the board's own clock.
fn line_share(what: &str, commands: usize, took: Duration, ran: Duration) -> f64 {
    let count = u32::try_from(commands).unwrap();
    let on_the_wire = (COMMAND_ON_THE_WIRE * count).as_secs_f64();
    let share = on_the_wire / ran.as_secs_f64();
    println!(
        "{what}: {commands} commands in {took:.3?}, {:.1} a second; on the board's clock in {ran:.3?}, {:.1} a second, {:.1} % of the line",
        f64::from(count) / took.as_secs_f64(),
        f64::from(count) / ran.as_secs_f64(),
        share * 100.0
    );
    share
}

#[test]
fn five_hundred_commands_at_full_speed_are_all_answered() {
    let dir = tempfile::tempdir().unwrap();
    let board = Board::mega("forward", dir.path());
    let opened = Instant::now();
    let bridge = board.bridge(dir.path());
    let shown = bridge.board_in_state("ready");
    println!("ready {:?} after the bridge was started: {}", opened.elapsed(), shown["reason"]);
    assert_eq!(shown["firmware"], json!({ "dialect": "uC/Flo01", "baud": 9600 }));

    let mut raw = Raw::connect(&shown);
    let port = PortRef { node: 1, port: 0 };
    let commands: Vec<Command> = (0..500)
        .map(|n| match n % 2 {
            0 => Command::Ping([0; 8]),
            _ => Command::SubscribeToPort { port, enable: n % 4 == 1 },
        })
        .collect();
    let before = board.counters();
    let began = Instant::now();
    raw.send(&commands);
    for (n, command) in commands.iter().enumerate() {
        let response = raw.response();
        match *command {
            Command::SubscribeToPort { port, enable } => {
                assert_eq!(response, Some(Response::PortSubscriptionChanged { port, enabled: enable }), "command {n}");
            }
            _ => assert!(matches!(response, Some(Response::Pong(_))), "command {n}: {response:?}"),
        }
    }
    let (took, after) = (began.elapsed(), board.counters());
    let share = line_share("raw", commands.len(), took, after.ran_since(&before));
    assert!(raw.next(Instant::now() + Duration::from_millis(500)).is_none(), "each is answered once");
    let after = board.counters();
    println!("{after:?}");
    assert_eq!(after.received - before.received, 500 * 8);
    assert_eq!(after.lost() - before.lost(), 0);
    assert!(share > LINE_SHARE, "{share}");
    assert_eq!(bridge.board_in_state("ready")["reason"], shown["reason"]);
}

#[test]
fn a_graph_uploaded_at_once_fills_the_line_and_runs() {
    const NODES: usize = 40;
    let dir = tempfile::tempdir().unwrap();
    let board = Board::mega("forward", dir.path());
    let bridge = board.bridge(dir.path());
    let mut client = Fbp::connect(&bridge.board_in_state("ready"));
    let before = board.counters();
    let began = Instant::now();
    let ids = send_row(&mut client, "row", NODES);
    let (replies, last) = answers(&mut client, &ids, PATIENCE);
    let after = board.counters();
    let share = line_share("upload", row_commands(NODES), last - began, after.ran_since(&before));
    assert!(replies.iter().all(|reply| reply["command"] != "error"), "{replies:?}");
    assert_eq!(after.received - before.received, 8 * row_commands(NODES) as u64);
    assert_eq!(after.lost() - before.lost(), 0);
    assert!(share > LINE_SHARE, "{share}");

    // It is really there: a packet at one end comes out of every node but the last, whose port leads nowhere.
    client.order("graph:addinitial", initial("row", &json!(true), "n0", "in"));
    let began = Instant::now();
    client.order("network:start", json!({ "graph": "row" }));
    println!("start, with {} subscriptions: {:?}", NODES - 1, began.elapsed());
    for node in 0..NODES - 1 {
        let packet = loop {
            let packet = client.wait_for("network:data");
            if packet["payload"].get("src").is_some() {
                break packet;
            }
        };
        assert_eq!(packet["payload"]["src"]["node"], format!("n{node}"));
    }
    assert_eq!(board.counters().lost() - before.lost(), 0);
}

#[test]
fn a_board_that_floods_events_obeys() {
    let dir = tempfile::tempdir().unwrap();
    let board = Board::mega("flood", dir.path());
    let bridge = board.bridge(dir.path());
    let shown = bridge.board_in_state("ready");
    let mut client = Fbp::connect(&shown);
    let mut raw = Raw::connect(&shown);
    let before = board.counters();
    client.order("network:start", json!({ "graph": "main" }));
    let flooded = board.counters();
    let events = client.count_data(Duration::from_secs(1));
    let ran = board.counters().ran_since(&flooded);
    println!("{events} packets in {ran:.3?} of the board's clock: the line carries 120 a second");
    assert!(events as f64 > 100.0 * ran.as_secs_f64());

    const PINGS: usize = 40;
    let pinged = board.counters();
    let began = Instant::now();
    raw.send(&[Command::Ping([0; 8]); PINGS]);
    (0..PINGS).for_each(|n| assert!(matches!(raw.response(), Some(Response::Pong(_))), "ping {n}"));
    line_share("while it floods", PINGS, began.elapsed(), board.counters().ran_since(&pinged));

    // A bridge that joins in the middle of the flood finds its way, too.
    drop(bridge);
    let bridge = board.bridge(dir.path());
    let shown = bridge.board_in_state("ready");
    let mut client = Fbp::connect(&shown);
    let (began, uploaded) = (Instant::now(), board.counters());
    let ids = send_row(&mut client, "row", 10);
    let (replies, last) = answers(&mut client, &ids, PATIENCE);
    line_share("upload over the flood", row_commands(10), last - began, board.counters().ran_since(&uploaded));
    assert!(replies.iter().all(|reply| reply["command"] != "error"), "{replies:?}");
    assert_eq!(client.graph("row")["processes"].as_object().unwrap().len(), 10);
    let after = board.counters();
    println!("{after:?}");
    assert_eq!(after.overruns - before.overruns, 0);
}
