//! Boards that go and come back.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::board::{Board, device};
use crate::client::{Fbp, Raw, get, registry_entry};
use crate::support::Bridge;

/// How soon a board that is gone must have left the API.
const GONE_WITHIN: Duration = Duration::from_millis(300);

/// How long a registry keeps a board that is gone.
const DEBOUNCE: Duration = Duration::from_secs(3);

/// How often the board is killed.
const ROUNDS: usize = 7;

#[test]
fn a_killed_board_is_gone_at_once_and_comes_back_as_itself() {
    let dir = tempfile::tempdir().unwrap();
    let mut board = Board::linux("blink", dir.path());
    let bridge = board.bridge(dir.path());
    let url = bridge.http();
    let first = bridge.board_in_state("ready");
    let mut gone = Vec::new();
    let mut back = Vec::new();
    for _ in 0..ROUNDS {
        let shown = bridge.board_in_state("ready");
        assert_eq!(shown["id"], first["id"]);
        assert_eq!(shown["label"], first["label"]);
        let (fbp, raw) = (Fbp::connect(&shown), Raw::connect(&shown));
        let killed = board.kill();
        let lists = |url: &str| !get(url, "/api/boards", None).1.as_array().unwrap().is_empty();
        gone.push(time_until(killed, || !lists(&url)));
        assert_eq!((fbp.close_code(), raw.close_code()), (4001, 4001));
        let started = Instant::now();
        board = Board::linux("blink", dir.path());
        back.push(time_until(started, || get(&url, "/api/boards", None).1[0]["state"] == "ready"));
    }
    print_times("kill -> gone from the API", &mut gone);
    print_times("start -> ready", &mut back);
    assert!(*gone.last().unwrap() < GONE_WITHIN);
}

#[test]
fn a_killed_board_leaves_the_registry_after_the_debounce_and_returns_as_itself() {
    let dir = tempfile::tempdir().unwrap();
    let mut board = Board::linux("blink", dir.path());
    let bridge = board.bridge(dir.path());
    let url = bridge.http();
    let before = bridge.board_in_state("ready");
    let id = before["id"].as_str().unwrap();
    let status = |bridge: &Bridge| registry_entry(bridge, &url, id).0;
    bridge.wait("it is registered", |bridge| status(bridge) == 200);
    bridge.cli(&["label", id, "Greenhouse"]);

    let killed = board.kill();
    bridge.wait("it leaves the registry", |bridge| status(bridge) == 404);
    let left = killed.elapsed();
    println!("left the registry {left:?} after the kill");
    assert!(left >= DEBOUNCE, "{left:?}");

    let _board = Board::linux("blink", dir.path());
    let after = bridge.board_in_state("ready");
    bridge.wait("it is registered again", |bridge| status(bridge) == 200);
    assert_eq!(after["id"], before["id"]);
    assert_eq!(after["label"], "Greenhouse");
    assert_eq!(registry_entry(&bridge, &url, id).1["label"], "Greenhouse");
}

#[test]
fn one_board_that_goes_does_not_disturb_another() {
    let dir = tempfile::tempdir().unwrap();
    let mut goes = Board::linux_at("blink", dir.path(), "goes");
    let stays = Board::linux_at("flood", dir.path(), "stays");
    let devices = [device(goes.link(), goes.map()), device(stays.link(), stays.map())];
    let bridge = Bridge::start(&dir.path().join("state"), &["--device", &devices[0], "--device", &devices[1]]);
    let ready = |bridge: &Bridge| bridge.boards().iter().filter(|board| board["state"] == "ready").count();
    bridge.wait("both are ready", |bridge| ready(bridge) == 2);
    let of = |link: &std::path::Path| -> Value {
        bridge.boards().into_iter().find(|board| board["device"] == link.to_str().unwrap()).unwrap()
    };
    assert_ne!(of(goes.link())["id"], of(stays.link())["id"]);

    // The one that stays floods its client with packets while the other one goes and comes.
    let mut client = Fbp::connect(&of(stays.link()));
    client.order("network:start", serde_json::json!({ "graph": "main" }));
    goes.kill();
    bridge.wait("one is left", |bridge| bridge.boards().len() == 1);
    let _back = Board::linux_at("blink", dir.path(), "goes");
    bridge.wait("both are ready again", |bridge| ready(bridge) == 2);
    let packets = client.count_data(Duration::from_millis(500));
    println!("{packets} packets in 500 ms from the board that stayed");
    assert!(packets > 0);
}

fn time_until(began: Instant, holds: impl Fn() -> bool) -> Duration {
    while !holds() {
        assert!(began.elapsed() < crate::support::PATIENCE);
        std::thread::sleep(Duration::from_millis(2));
    }
    began.elapsed()
}

fn print_times(what: &str, times: &mut [Duration]) {
    times.sort();
    println!("{what}: min {:?}, median {:?}, max {:?}", times[0], times[times.len() / 2], times[times.len() - 1]);
}
