//! Timers, ticks, and the pace of a slow line.

use std::time::Duration;

use firmware_proto::{Body, Command, Dialect, Event, Message, Packet, PortRef};

use super::{Bench, Config, packets};
use crate::sim::Line;

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn events(heard: &[Message]) -> usize {
    heard.iter().filter(|message| matches!(message.body, Body::Event(Event::PacketSent { .. }))).count()
}

/// A running network with a timer of that interval, in milliseconds.
fn timer(config: Config, interval: i32) -> Bench {
    let mut bench = Bench::open(config);
    let node = bench.node("Timer");
    bench.subscribe(node, 0);
    bench.send(Command::StartNetwork);
    bench.packet(node, 0, Packet::Integer(interval));
    bench
}

#[test]
fn a_timer_keeps_its_interval_over_an_hour_of_jumped_time() {
    for dialect in Dialect::ALL {
        let mut bench = timer(Config::new(dialect), 100);
        let fired = events(&bench.wait(Duration::from_secs(3600)));
        assert!((35_999..=36_001).contains(&fired), "{fired}");
    }
}

#[test]
fn an_idle_board_never_wakes() {
    for dialect in Dialect::ALL {
        let mut bench = Bench::open(Config::new(dialect));
        bench.node("Forward");
        bench.send(Command::StartNetwork);
        assert_eq!(bench.board.next_wake(), None);
    }
}

#[test]
fn a_timer_added_to_a_running_8_byte_network_floods() {
    for (dialect, per_second) in [(Dialect::Flo01, 9_000..12_000), (Dialect::Microflo1, 0..3)] {
        let mut bench = Bench::open(Config::new(dialect));
        bench.send(Command::StartNetwork);
        let node = bench.node("Timer");
        bench.subscribe(node, 0);
        let fired = events(&bench.wait(Duration::from_secs(1)));
        assert!(per_second.contains(&fired), "{dialect:?}: {fired}");
    }
}

#[test]
fn commands_get_through_a_flooding_board() {
    let mut bench = timer(Config::new(Dialect::Microflo1), 1);
    for _ in 0..100 {
        let answers = bench.send(Command::Ping([5; 8]));
        assert!(answers.contains(&Body::Response(firmware_proto::Response::Pong([5; 8]))));
    }
}

#[test]
fn a_slow_line_takes_its_time() {
    let mut bench =
        Bench::new(Config { line: Some(Line::arduino(9600)), embedded: None, ..Config::new(Dialect::Flo01) });
    bench.board.receive(Dialect::Flo01.opening(0).as_bytes(), bench.now);
    assert_eq!(bench.wait(ms(16)), [], "eight bytes there and eight back take 16.7 ms");
    assert_eq!(bench.wait(ms(2)).len(), 1);
}

#[test]
fn an_arduino_loses_what_its_ring_cannot_hold_while_it_waits_to_write() {
    let dialect = Dialect::Flo01;
    let ping = Command::Ping([0; 8]).encode(dialect, 0);
    for (burst, lossless) in [(7, true), (40, false)] {
        let mut bench = timer_on_a_line();
        let bytes: Vec<u8> = std::iter::repeat_n(ping.as_bytes(), burst).flatten().copied().collect();
        bench.board.receive(&bytes, bench.now);
        bench.wait(Duration::from_secs(2));
        assert_eq!(bench.board.dropped_bytes() == 0, lossless, "{burst} frames");
    }
}

/// A board at 9600 baud that has far more to say than fits the line.
fn timer_on_a_line() -> Bench {
    let dialect = Dialect::Flo01;
    let timer = super::component_id(dialect, "Timer").expect("Timer");
    let port = PortRef { node: 1, port: 0 };
    let graph = vec![
        Command::CreateComponent { component: timer, parent: 0 },
        Command::SubscribeToPort { port, enable: true },
        Command::SendPacket { target: port, packet: Packet::Integer(1) },
    ];
    let config = Config { line: Some(Line::arduino(9600)), embedded: Some(graph), ..Config::new(dialect) };
    let mut bench = Bench::new(config);
    bench.wait(Duration::from_secs(1));
    bench.board.receive(dialect.opening(0).as_bytes(), bench.now);
    bench.wait(Duration::from_secs(3));
    assert!(bench.board.in_session());
    bench
}

#[test]
fn a_host_that_does_not_read_stops_the_board() {
    let mut bench = timer(Config::new(Dialect::Microflo1), 0);
    bench.wait(ms(10));
    let later = bench.now + Duration::from_secs(60);
    let said = bench.board.poll(later).expect("events");
    assert!(said.len() <= 4200, "{} bytes piled up", said.len());
}

#[test]
fn setup_gives_the_8_byte_count_its_zero_at_each_start() {
    let mut bench = Bench::open(Config::new(Dialect::Flo01));
    let node = bench.node("Count");
    bench.subscribe(node, 0);
    assert_eq!(packets(&bench.send(Command::StartNetwork)), [Packet::Integer(0)]);
    assert_eq!(bench.packet(node, 0, Packet::Void), [Packet::Integer(1)]);
    bench.send(Command::StopNetwork);
    assert_eq!(packets(&bench.send(Command::StartNetwork)), [Packet::Integer(0)]);
}
