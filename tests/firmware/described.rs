//! Self-describing boards with real firmware, asked over their terminal.

use std::path::Path;
use std::process::Command as Program;
use std::time::Instant;

use firmware_proto::descriptor::content::Fixed;
use firmware_proto::descriptor::{Descriptor, Own, OwnState, Query, Reader};
use firmware_proto::{Body, Command, DebugPoint, Event, Response};
use microflo_bridge::pure::descriptor::{Expanded, expand};
use microflo_bridge::pure::model::build::Build;
use microflo_bridge::pure::model::library::{Direction, Library};

use crate::board::{Board, rig};
use crate::support::PROGRAM;
use crate::wire::Wire;

/// What the descriptor of MicroFlo's standard library for a target may take of a board's flash, without a graph.
const STANDARD_SET_BYTES: usize = 1500;

/// Component, its number, which side, port number, port name.
fn ports(library: &Library) -> Vec<(&str, u8, Direction, u8, &str)> {
    let all = library.components().iter().flat_map(|component| {
        let ports = Direction::BOTH.map(|direction| (direction, component.ports(direction)));
        ports.into_iter().flat_map(move |(direction, ports)| {
            ports
                .iter()
                .map(move |port| (component.name.as_str(), component.id, direction, port.id, port.name.as_str()))
        })
    });
    all.collect()
}

/// What was read is what was built.
fn check(reader: &Reader, directory: &str, label: &str, limits: (u8, u8)) {
    let Expanded { build, node_limit, message_limit, label: said, .. } = expand(reader.content().unwrap()).unwrap();
    let text = |file: &str| std::fs::read_to_string(rig(directory).join(file)).unwrap();
    let built = Build::read(&text("componentlib-map.json"), Some(&text("main.json")), "").unwrap();
    assert_eq!(ports(&build.library), ports(&built.library));
    let (graph, source) = (build.graph.unwrap(), built.graph.unwrap());
    let names = |graph: &serde_json::Value| graph["processes"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&graph), names(&source));
    assert_eq!(graph["connections"].as_array().unwrap().len(), source["connections"].as_array().unwrap().len());
    assert_eq!((said.as_str(), (node_limit, message_limit)), (label, limits));
}

/// Reads a board twice, and says how long that took.
fn read_and_time(what: &str, wire: &mut Wire<std::fs::File>) -> Reader {
    let began = Instant::now();
    let reader = wire.read(false);
    let first = began.elapsed();
    let began = Instant::now();
    let known = wire.read(true);
    assert_eq!(known.fingerprint(), reader.fingerprint());
    println!(
        "{what}: {} bytes read in {first:?}; id and label with a known hash in {:?}",
        reader.content().unwrap().len(),
        began.elapsed()
    );
    reader
}

#[test]
fn arduino_firmware_tells_what_it_is_and_keeps_its_id_without_power() {
    for (board, limits) in [("uno", (20, 30)), ("mega", (50, 50))] {
        let dir = tempfile::tempdir().unwrap();
        let own = Own { id: Some([0x42; 16]), label: "Blumenkasten Süd" };
        {
            let mut firmware = Board::described_avr(board, dir.path());
            let mut wire = Wire::open(firmware.link());
            let reader = read_and_time(&format!("{board} at 9600 baud"), &mut wire);
            check(&reader, &format!("avr/{board}-described"), "Lamp", limits);
            assert_eq!(reader.own(), Ok(OwnState::Empty));
            wire.write(&own);
            assert_eq!(wire.read(true).own(), Ok(OwnState::Stored(own)));
            firmware.press_reset();
            let mut wire = Wire::open(firmware.link());
            assert_eq!(wire.read(true).own(), Ok(OwnState::Stored(own)), "after a reset");
            firmware.kill();
        }
        let firmware = Board::described_avr(board, dir.path());
        let mut wire = Wire::open(firmware.link());
        assert_eq!(wire.read(true).own(), Ok(OwnState::Stored(own)), "after a power cycle");
        println!(
            "{board}: flash and RAM {}",
            cost(&rig(&format!("avr/{board}-led")), &rig(&format!("avr/{board}-described")))
        );
    }
}

/// How much more flash and RAM one firmware takes than another.
fn cost(plain: &Path, described: &Path) -> String {
    let size = |directory: &Path| {
        let output = Program::new("avr-size").arg(directory.join("fw.elf")).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let numbers: Vec<u32> =
            text.lines().nth(1).unwrap().split_whitespace().filter_map(|n| n.parse().ok()).collect();
        (numbers[0] + numbers[1], numbers[1] + numbers[2])
    };
    let ((flash, ram), (more_flash, more_ram)) = (size(plain), size(described));
    format!(
        "{flash}, {ram} bytes without; {more_flash}, {more_ram} self-describing: {} and {} more",
        more_flash - flash,
        more_ram - ram
    )
}

#[test]
fn linux_firmware_tells_what_it_is_and_keeps_its_id() {
    let dir = tempfile::tempdir().unwrap();
    let own = Own { id: Some([0x17; 16]), label: "" };
    let mut board = Board::described_linux(dir.path());
    let mut wire = Wire::open(board.link());
    let reader = read_and_time("linux", &mut wire);
    check(&reader, "linux/described", "Blinker", (50, 50));
    assert_eq!(reader.own(), Ok(OwnState::Empty));
    wire.write(&own);
    board.kill();
    let board = Board::described_linux(dir.path());
    assert_eq!(Wire::open(board.link()).read(true).own(), Ok(OwnState::Stored(own)));
}

#[test]
fn other_commands_and_events_go_on_while_a_board_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let board = Board::described_linux(dir.path());
    let mut wire = Wire::open(board.link());
    wire.send(Command::SubscribeToPort { port: firmware_proto::PortRef { node: 2, port: 0 }, enable: true });
    let mut answers = 0;
    let mut events = 0;
    // A query and another command in turn, until the network has said something several times.
    for block in 0..u16::MAX {
        wire.send(Command::Describe(Query::ReadContent { block }));
        wire.send(Command::Ping([7; 8]));
        for _ in 0..2 {
            loop {
                match wire.next().body {
                    Body::Event(_) => events += 1,
                    Body::Response(Response::PortSubscriptionChanged { .. }) => {}
                    Body::Response(Response::Describe(reply)) => {
                        assert!(Query::ReadContent { block }.is_answered_by(&reply));
                        answers += 1;
                        break;
                    }
                    Body::Response(Response::Pong(_)) => {
                        answers += 1;
                        break;
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
        if events >= 5 {
            break;
        }
    }
    println!("{answers} answers in order, {events} packets between them");
    assert!(answers > 0 && events >= 5);
    assert!(wire.read(false).content().is_ok());
}

#[test]
fn stock_firmware_says_that_it_does_not_know_the_command_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let unknown = Body::Event(Event::Debug { level: 1, point: DebugPoint::ParserUnknownCommand });
    let boards = [Board::linux_at("forward", dir.path(), "linux"), Board::avr("mega", "forward", dir.path())];
    for board in boards {
        let mut wire = Wire::open(board.link());
        for query in [
            Query::Identify,
            Query::ReadContent { block: u16::from_le_bytes(*b"uC") },
            Query::WriteOwn { chunk: b'u', bytes: *b"uC/Fl" },
            Query::CommitOwn { length: 14, crc: 0x0e0e_0e0e },
        ] {
            wire.send(Command::Describe(query));
            assert_eq!(wire.heard_until_quiet(), [unknown], "{query:?}");
        }
        // The session is as before.
        wire.send(Command::Ping([0; 8]));
        assert_eq!(wire.answer(), Response::Pong([0; 8]));
    }
}

#[test]
fn the_standard_sets_fit_their_budget() {
    for (target, directory) in [("arduino", "avr/uno-led"), ("linux", "linux/blink")] {
        // The map alone, without a graph.
        let map = rig(directory).join("componentlib-map.json");
        let output = Program::new(PROGRAM).args(["firmware", "descriptor"]).arg(&map).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let header = String::from_utf8(output.stdout).unwrap();
        let array = header.split_once("= {").unwrap().1.split_once('}').unwrap().0;
        let bytes: Vec<u8> = array
            .split(',')
            .map(str::trim)
            .filter(|byte| !byte.is_empty())
            .map(|byte| u8::from_str_radix(byte.trim_start_matches("0x"), 16).unwrap())
            .collect();
        let descriptor = Descriptor::read(&bytes).unwrap();
        let Fixed { node_limit, .. } = descriptor.fixed();
        println!("{target}-standard: {} components in {} bytes", descriptor.components().count(), bytes.len());
        assert_eq!(*node_limit, 50);
        assert!(bytes.len() <= STANDARD_SET_BYTES);
    }
}
