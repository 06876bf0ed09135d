//! What commands do, beyond what the golden transcripts show.

use firmware_proto::{Body, Command, DebugPoint, Dialect, Event, Packet, PortRef, Response};

use super::{Bench, Config, edge, packets};
use crate::sim::{Board, blink};

use std::time::{Duration, Instant};

fn both() -> [Bench; 2] {
    Dialect::ALL.map(|dialect| Bench::open(Config::new(dialect)))
}

/// The debug point of an `Error` response or, in the 8-byte dialect, of a debug message.
fn refusal(bodies: &[Body]) -> DebugPoint {
    match bodies {
        [Body::Response(Response::Error(point)) | Body::Event(Event::Debug { point, .. })] => *point,
        other => panic!("{other:?}"),
    }
}

#[test]
fn refusals_are_errors_in_the_10_byte_dialect_and_debug_messages_in_the_8_byte_one() {
    for mut bench in both() {
        let node = bench.node("Forward");
        let create = |component, parent| Command::CreateComponent { component, parent };
        let subscribe = |node, port| Command::SubscribeToPort { port: PortRef { node, port }, enable: true };
        let cases = [
            (create(200, 0), DebugPoint::AddNodeInvalidInstance),
            (create(11, 9), DebugPoint::AddNodeInvalidParent),
            (Command::ConnectNodes(edge((node, 0), (9, 0))), DebugPoint::NetworkConnectInvalidNodes),
            (Command::DisconnectNodes(edge((9, 0), (node, 0))), DebugPoint::NetworkConnectInvalidNodes),
            (Command::RemoveNode { node: 2 }, DebugPoint::RemoveNodeInvalidInstance),
            (subscribe(9, 0), DebugPoint::SubscribePortInvalidNode),
            (subscribe(node, 1), DebugPoint::SubscribePortInvalidPort),
        ];
        for (command, point) in cases {
            let answer = bench.send(command);
            assert_eq!(refusal(&answer), point, "{command:?}");
            let is_response = matches!(answer[0], Body::Response(_));
            assert_eq!(is_response, bench.dialect() == Dialect::Microflo1, "{command:?}");
        }
        assert_eq!(bench.board.crashed(), None);
    }
}

#[test]
fn commands_that_no_firmware_knows_get_no_response() {
    for mut bench in both() {
        for (id, point) in [(9, DebugPoint::ParserUnknownCommand), (26, DebugPoint::ParserUnknownCommand)] {
            let answer = bench.send(Command::Unknown { id, payload: [0; 8] });
            assert!(
                matches!(answer[..], [Body::Event(Event::Debug { point: said, .. })] if said == point),
                "{answer:?}"
            );
        }
        let answer = bench.send(Command::Unknown { id: 200, payload: [0; 8] });
        assert_eq!(refusal(&answer), DebugPoint::ParserInvalidCommand);
        assert!(matches!(answer[..], [Body::Event(_)]));
    }
}

#[test]
fn the_8_byte_dialect_says_done_to_a_packet_for_no_node() {
    let mut bench = Bench::open(Config::new(Dialect::Flo01));
    let target = PortRef { node: 7, port: 0 };
    let answer = bench.send(Command::SendPacket { target, packet: Packet::Void });
    assert!(matches!(answer[0], Body::Event(Event::Debug { point: DebugPoint::SendMessageInvalidNode, .. })));
    assert_eq!(answer[1], Body::Response(Response::SendPacketDone { target, kind: 3 }));
}

#[test]
fn an_out_port_has_one_target() {
    for mut bench in both() {
        let (source, first, second) = (bench.node("Forward"), bench.node("Forward"), bench.node("Forward"));
        bench.connect((source, 0), (first, 0));
        bench.connect((source, 0), (second, 0));
        bench.subscribe(first, 0);
        bench.subscribe(second, 0);
        bench.send(Command::StartNetwork);
        assert_eq!(bench.packet(source, 0, Packet::Integer(5)), [Packet::Integer(5)]);
    }
}

#[test]
fn disconnecting_ends_the_subscription() {
    for mut bench in both() {
        let (source, target) = (bench.node("Forward"), bench.node("Forward"));
        bench.connect((source, 0), (target, 0));
        bench.subscribe(source, 0);
        bench.send(Command::DisconnectNodes(edge((source, 0), (target, 0))));
        bench.send(Command::StartNetwork);
        assert_eq!(bench.packet(source, 0, Packet::Void), []);
    }
}

#[test]
fn node_ids_are_used_again_only_after_a_clear() {
    for mut bench in both() {
        assert_eq!((bench.node("Forward"), bench.node("Forward")), (1, 2));
        bench.send(Command::RemoveNode { node: 2 });
        assert_eq!(bench.node("Forward"), 3);
        bench.send(Command::ClearNodes);
        assert_eq!(bench.node("Forward"), 1);
    }
}

#[test]
fn clearing_stops_the_8_byte_network_only() {
    for mut bench in both() {
        bench.send(Command::StartNetwork);
        bench.send(Command::ClearNodes);
        let node = bench.node("Forward");
        bench.subscribe(node, 0);
        let delivered = bench.packet(node, 0, Packet::Void).len();
        assert_eq!(delivered, usize::from(bench.dialect() == Dialect::Microflo1));
    }
}

#[test]
fn packets_for_a_stopped_network_wait_and_more_than_48_are_lost() {
    // An unused queue takes 49, but not the 49 that a node then sends for them.
    for (sent, delivered, lost) in [(48, 48, 0), (49, 0, 0), (50, 1, 49)] {
        for mut bench in both() {
            let node = bench.node("core/Repeat");
            bench.subscribe(node, 0);
            for number in 0..sent {
                assert_eq!(bench.packet(node, 0, Packet::Integer(number)), []);
            }
            assert_eq!(bench.board.lost_packets(), lost);
            assert_eq!(packets(&bench.send(Command::StartNetwork)).len(), delivered);
        }
    }
}

#[test]
fn integers_are_cut_and_bytes_hidden_in_reports_but_not_on_edges() {
    let mut bench = Bench::open(Config::new(Dialect::Flo01));
    let (repeat, sum) = (bench.node("core/Repeat"), bench.node("NumberEquals"));
    bench.connect((repeat, 0), (sum, 0));
    bench.subscribe(repeat, 0);
    bench.subscribe(sum, 0);
    bench.send(Command::StartNetwork);
    bench.packet(sum, 1, Packet::Integer(0x1234_5678));
    let reported = bench.packet(repeat, 0, Packet::Integer(0x1234_5678));
    assert_eq!(reported, [Packet::Integer(0x5678), Packet::Boolean(true)]);
    bench.packet(sum, 1, Packet::Integer(0xab));
    assert_eq!(bench.packet(repeat, 0, Packet::Byte(0xab)), [Packet::Byte(0), Packet::Boolean(true)]);
}

#[test]
fn a_board_may_report_bytes() {
    for dialect in Dialect::ALL {
        let mut bench = Bench::open(Config { reports_bytes: true, ..Config::new(dialect) });
        let repeat = bench.node("core/Repeat");
        bench.subscribe(repeat, 0);
        bench.send(Command::StartNetwork);
        assert_eq!(bench.packet(repeat, 0, Packet::Byte(0xab)), [Packet::Byte(0xab)]);
    }
}

#[test]
fn detailed_debugging_works_in_the_10_byte_dialect_only() {
    for mut bench in both() {
        bench.send(Command::ConfigureDebug { level: 4 });
        let said = bench.send(Command::Ping([0; 8])).len();
        assert_eq!(said, if bench.dialect() == Dialect::Microflo1 { 11 } else { 1 });
        bench.send(Command::ConfigureDebug { level: 1 });
        assert_eq!(bench.send(Command::Ping([0; 8])).len(), 1);
    }
}

#[test]
fn the_boot_runs_the_embedded_graph_with_request_ids_from_one() {
    let dialect = Dialect::Microflo1;
    let graph = blink(dialect, Duration::from_millis(500));
    let (length, now) = (graph.len(), Instant::now());
    let mut board = Board::new(Config { embedded: Some(graph), ..Config::new(dialect) }, now);
    let said = board.poll(now).expect("boot frames");
    let ids: Vec<u8> = said.chunks(10).map(|frame| frame[0]).collect();
    assert_eq!(ids, (1..=length as u8 + 6).collect::<Vec<_>>());
    assert!(said.chunks(10).all(|frame| frame[1] != 110), "an error in the demonstration graph");
}

#[test]
fn the_demonstration_graph_blinks() {
    for dialect in Dialect::ALL {
        let graph = blink(dialect, Duration::from_millis(500));
        let mut bench = Bench::new(Config { embedded: Some(graph), ..Config::new(dialect) });
        let mut levels = Vec::new();
        for _ in 0..4 {
            bench.wait(Duration::from_millis(500));
            levels.push(bench.board.pins().level(13));
        }
        assert!(levels == [0, 1, 0, 1] || levels == [1, 0, 1, 0], "{dialect:?}: {levels:?}");
    }
}
