//! Each fault does what it says, and nothing else.

use std::time::Duration;

use firmware_proto::{Body, Command, Dialect, Response};

use super::{Bench, Config, MOMENT};
use crate::sim::{Bootloader, Direction, Fault, Noise, Scripted, When};

const PING: Command = Command::Ping([1; 8]);

fn config() -> Config {
    Config { embedded: None, ..Config::new(Dialect::Microflo1) }
}

fn scripted(when: When, fault: Fault) -> Config {
    Config { script: vec![Scripted { when, fault }], ..config() }
}

fn is_pong(bodies: &[Body]) -> bool {
    bodies == [Body::Response(Response::Pong([1; 8]))]
}

#[test]
fn bytes_lost_towards_the_board_misalign_it_for_good() {
    let lost = Fault::Lose { direction: Direction::ToBoard, bytes: 3 };
    let mut bench = Bench::open(scripted(When::Offset(Direction::ToBoard, 12), lost));
    assert_eq!(bench.send(PING), []);
    for _ in 0..5 {
        assert!(!is_pong(&bench.send(PING)));
    }
    bench.board.receive(&vec![14; Dialect::Microflo1.resync_bytes()], bench.now);
    bench.board.receive(Dialect::Microflo1.opening(200).as_bytes(), bench.now);
    bench.wait(MOMENT);
    assert!(is_pong(&bench.send(PING)));
}

#[test]
fn bytes_lost_towards_the_host_are_just_missing() {
    let lost = Fault::Lose { direction: Direction::FromBoard, bytes: 4 };
    let mut bench = Bench::open(scripted(When::Offset(Direction::FromBoard, 13), lost));
    bench.board.receive(PING.encode(Dialect::Microflo1, 9).as_bytes(), bench.now);
    assert_eq!(bench.board.poll(bench.now), Some(vec![9, 109, 1, 1, 1, 1]));
    bench.board.receive(PING.encode(Dialect::Microflo1, 9).as_bytes(), bench.now);
    assert_eq!(bench.board.poll(bench.now).map(|bytes| bytes.len()), Some(10));
}

#[test]
fn garbage_appears_where_asked() {
    let garbage = Fault::Insert { direction: Direction::FromBoard, bytes: b"hello".to_vec() };
    let mut bench = Bench::new(scripted(When::Offset(Direction::FromBoard, 0), garbage));
    bench.board.receive(Dialect::Microflo1.opening(1).as_bytes(), bench.now);
    let said = bench.board.poll(bench.now).expect("garbage and answer");
    assert_eq!(&said[..7], b"hello\x01\x13");
}

#[test]
fn garbage_towards_the_board_is_read_as_bytes() {
    let mut bench = Bench::open(config());
    let garbage = Fault::Insert { direction: Direction::ToBoard, bytes: vec![0; 10] };
    bench.board.inject(garbage, bench.now);
    assert_eq!(bench.wait(MOMENT).len(), 1, "an unknown command");
    assert!(is_pong(&bench.send(PING)));
}

#[test]
fn a_stalled_board_answers_late_and_loses_nothing() {
    let mut bench = Bench::open(config());
    bench.board.inject(Fault::Stall(Duration::from_millis(500)), bench.now);
    assert_eq!(bench.send(PING), []);
    assert_eq!(bench.wait(Duration::from_millis(490)), []);
    assert_eq!(bench.wait(Duration::from_millis(10)).len(), 1);
}

#[test]
fn reset_forgets_session_and_graph_and_boots_anew() {
    let mut bench = Bench::open(config());
    bench.node("Forward");
    bench.board.reset(bench.now);
    assert_eq!(bench.send(PING), [], "no session");
    bench.bodies(Dialect::Microflo1.opening(3).as_bytes());
    assert_eq!(bench.node("Forward"), 1);
}

#[test]
fn a_reset_in_the_middle_of_a_frame_cuts_it() {
    let mut bench = Bench::new(scripted(When::Offset(Direction::FromBoard, 4), Fault::Reset));
    bench.board.receive(Dialect::Microflo1.opening(1).as_bytes(), bench.now);
    assert_eq!(bench.board.poll(bench.now), None, "what was not yet sent is gone too");
    assert_eq!(bench.bodies(Dialect::Microflo1.opening(1).as_bytes()).len(), 1);
}

#[test]
fn a_script_acts_at_its_time() {
    let mut bench = Bench::open(scripted(When::After(Duration::from_secs(5)), Fault::Unplug));
    bench.wait(Duration::from_secs(4));
    assert!(is_pong(&bench.send(PING)));
    bench.wait(Duration::from_secs(1));
    assert!(bench.board.is_unplugged());
    assert_eq!((bench.send(PING), bench.board.next_wake()), (Vec::new(), None));
}

#[test]
fn a_bootloader_is_deaf_for_its_time() {
    let bootloader = Bootloader { deaf: Duration::from_secs(1), rearmed: false };
    let mut bench = Bench::new(Config { bootloader, ..config() });
    let magic = Dialect::Microflo1.opening(1);
    bench.wait(Duration::from_millis(900));
    assert_eq!(bench.bodies(magic.as_bytes()), []);
    bench.wait(Duration::from_millis(200));
    assert_eq!(bench.bodies(magic.as_bytes()).len(), 1);
}

#[test]
fn bytes_prolong_a_rearmed_bootloader() {
    let bootloader = Bootloader { deaf: Duration::from_secs(1), rearmed: true };
    let mut bench = Bench::new(Config { bootloader, ..config() });
    let magic = Dialect::Microflo1.opening(1);
    for _ in 0..5 {
        bench.wait(Duration::from_millis(900));
        assert_eq!(bench.bodies(magic.as_bytes()), []);
    }
    bench.wait(Duration::from_millis(1100));
    assert_eq!(bench.bodies(magic.as_bytes()).len(), 1);
}

#[test]
fn noise_loses_its_share_and_the_same_bytes_each_time() {
    let noise = Noise { direction: Direction::FromBoard, lost_per_million: 100_000, seed: 42 };
    let run = || {
        let mut bench = Bench::new(Config { noise: vec![noise], ..config() });
        bench.board.receive(Dialect::Microflo1.opening(1).as_bytes(), bench.now);
        let mut said = bench.board.poll(bench.now).unwrap_or_default();
        for _ in 0..1000 {
            bench.board.receive(PING.encode(Dialect::Microflo1, 9).as_bytes(), bench.now);
            bench.now += MOMENT;
            said.extend(bench.board.poll(bench.now).unwrap_or_default());
        }
        said
    };
    let said = run();
    assert!((8_800..9_200).contains(&said.len()), "{} of 10010 bytes", said.len());
    assert_eq!(said, run());
}
