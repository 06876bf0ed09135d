//! Bytes lost between the bridge and real firmware, at any point of an upload.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::board::{Board, device};
use crate::client::Fbp;
use crate::graph::{answers, row_commands, send_row};
use crate::lossy_line::{LossyLine, Way};
use crate::support::{Bridge, PATIENCE};

/// Within this every request must have an answer, whatever was lost.
const ANSWERED_WITHIN: Duration = Duration::from_secs(3);

/// Nodes of the graph that is uploaded.
const NODES: usize = 20;

/// Losses per count of bytes and direction.
const ROUNDS: usize = 4;

/// A row of random numbers that is the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

/// What happened in one round.
#[derive(Default)]
struct Tally {
    rounds: usize,
    unharmed: usize,
    told: usize,
    slowest: Duration,
}

#[test]
fn whatever_is_lost_every_request_is_answered_and_the_next_upload_works() {
    let dir = tempfile::tempdir().unwrap();
    let mut board = Board::linux("empty", dir.path());
    let line = LossyLine::new(board.link(), dir.path());
    let bridge = Bridge::start(&dir.path().join("state"), &["--device", &device(line.link(), board.map())]);
    let mut client = Fbp::connect(&bridge.board_in_state("ready"));
    let mut random = Random(1);
    for way in Way::ALL {
        let mut tally = Tally::default();
        for lose in 1..8 {
            for _ in 0..ROUNDS {
                let pass = random.below(8 * row_commands(NODES) - lose);
                line.lose(way, pass, lose);
                let what = format!("{way:?}: {lose} bytes lost after {pass}");
                lossy_upload(&mut client, &what, &mut tally);
                line.heal(way);
                assert!(board.lives(), "{what}: the firmware died");
                whole_upload(&bridge, &mut client, &what);
            }
        }
        println!(
            "{way:?}: {} losses of 1 to 7 bytes: {} times the clients were told, {} times nothing failed; slowest answer {:?}",
            tally.rounds, tally.told, tally.unharmed, tally.slowest
        );
    }
}

/// Uploads while bytes are lost.
fn lossy_upload(client: &mut Fbp, what: &str, tally: &mut Tally) {
    client.told.clear();
    let began = Instant::now();
    let ids = send_row(client, "lossy", NODES);
    let (replies, last) = answers(client, &ids, ANSWERED_WITHIN);
    tally.rounds += 1;
    tally.slowest = tally.slowest.max(last - began);
    let failed = replies.iter().any(|reply| reply["command"] == "error");
    if failed {
        // The word may follow the last answer.
        assert!(is_told(client), "{what}: requests failed, and nobody is told that the graph is lost: {replies:?}");
        tally.told += 1;
    } else {
        assert_eq!(size(client, "lossy"), (NODES, NODES - 1), "{what}");
        tally.unharmed += 1;
    }
}

fn is_told(client: &mut Fbp) -> bool {
    let lost = |told: &Value| {
        told["protocol"] == "network" && told["payload"]["message"].as_str().is_some_and(|text| text.contains("lost"))
    };
    let until = Instant::now() + ANSWERED_WITHIN;
    while !client.told.iter().any(lost) {
        match client.next(until) {
            Some(message) => client.told.push(message),
            None => return false,
        }
    }
    true
}

/// Uploads as soon as the board answers again; all of it must succeed.
fn whole_upload(bridge: &Bridge, client: &mut Fbp, what: &str) {
    let began = Instant::now();
    let clear = json!({ "id": "whole", "name": "whole", "main": true });
    while client.ask("graph:clear", clear.clone())["command"] == "error" {
        assert!(began.elapsed() < PATIENCE, "{what}: no recovery; the log:\n{}", bridge.log());
        std::thread::sleep(Duration::from_millis(20));
    }
    let ids = send_row(client, "whole", NODES);
    let (replies, _) = answers(client, &ids, ANSWERED_WITHIN);
    assert!(replies.iter().all(|reply| reply["command"] != "error"), "{what}: {replies:?}");
    assert_eq!(size(client, "whole"), (NODES, NODES - 1), "{what}");
}

/// Nodes and edges.
fn size(client: &mut Fbp, graph: &str) -> (usize, usize) {
    let graph = client.graph(graph);
    (graph["processes"].as_object().unwrap().len(), graph["connections"].as_array().unwrap().len())
}
