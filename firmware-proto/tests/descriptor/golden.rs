//! The bytes of each version, which never change.

use crate::{HASH, ID, descriptor, parts};
use firmware_proto::descriptor::{
    ContentError, Descriptor, Edge, Export, HASH_BYTES, Initial, MAX_BYTES, Node, Own, OwnError, OwnState, Parts,
    Query, own,
};
use firmware_proto::{Body, Command, Dialect, Frame, Message, Response};
const DESCRIPTOR_V1: &str = include_str!("../golden/descriptor-v1.txt");
const EXCHANGE_V1: &str = include_str!("../golden/exchange-v1.txt");
const OWN_V1: &str = include_str!("../golden/own-v1.txt");

/// The hex bytes of a golden file; what follows `#` on a line is for people.
fn bytes(golden: &str) -> Vec<u8> {
    let text = golden.lines().map(|line| line.split('#').next().unwrap());
    text.flat_map(str::split_whitespace).map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

#[test]
fn version_1_is_written_as_ever() {
    assert_eq!(descriptor(Dialect::Flo01), bytes(DESCRIPTOR_V1), "{:02x?}", descriptor(Dialect::Flo01));
    let mut other = bytes(DESCRIPTOR_V1);
    other[1 + HASH_BYTES] = 1;
    assert_eq!(descriptor(Dialect::Microflo1), other, "only the dialect differs");
}

#[test]
fn version_1_is_read_as_ever() {
    let bytes = bytes(DESCRIPTOR_V1);
    let read = Descriptor::read(&bytes).unwrap();
    let expected = parts(Dialect::Flo01);
    let fixed = read.fixed();
    assert_eq!((fixed.version, fixed.hash, fixed.dialect, fixed.label), (1, HASH, Dialect::Flo01, "Ampel"));
    assert_eq!((fixed.node_limit, fixed.message_limit), (20, 30));
    assert_eq!(read.components().collect::<Vec<_>>(), expected.components);
    let led = read.components().last().unwrap();
    assert_eq!(read.ports(led.in_ports).collect::<Vec<_>>(), [(0, "in"), (2, "pin")], "id 1 is no port");
    assert_eq!(read.ports(led.out_ports).collect::<Vec<_>>(), [(0, "out")]);
    let nodes: Vec<_> = read.nodes().map(|(id, node)| (id, node.component, node.name)).collect();
    assert_eq!(nodes, [(1, 27, "timer"), (2, 28, "toggle"), (3, 10, "led")]);
    assert_eq!(fixed.title, "blink");
    assert_eq!(read.edges().collect::<Vec<_>>(), expected.edges);
    assert_eq!(read.initials().collect::<Vec<_>>(), expected.initials);
    assert_eq!(read.in_ports().collect::<Vec<_>>(), expected.in_ports);
    assert_eq!(read.out_ports().collect::<Vec<_>>(), expected.out_ports);
}

#[test]
fn what_makes_no_sense_is_not_written_and_says_why() {
    let wrong = |change: &dyn Fn(&mut Parts<'static>)| {
        let mut parts = parts(Dialect::Flo01);
        change(&mut parts);
        parts.write(&mut [0; MAX_BYTES], |_| HASH).unwrap_err().to_string()
    };
    assert_eq!(
        wrong(&|p| p.nodes = &[Node { component: 1, name: "x" }]),
        "the descriptor's nodes refer to what is not in it"
    );
    assert_eq!(
        wrong(&|p| p.edges = &[Edge { src_node: 1, src_port: 1, tgt_node: 2, tgt_port: 0 }]),
        "the descriptor's edges refer to what is not in it"
    );
    assert_eq!(
        wrong(&|p| p.initials = &[Initial { node: 3, port: 1, data: "" }]),
        "the descriptor's initial packets refer to what is not in it"
    );
    assert_eq!(
        wrong(&|p| p.in_ports = &[Export { name: "x", node: 3, port: 1 }]),
        "the descriptor's exported in ports refer to what is not in it"
    );
    assert_eq!(wrong(&|p| p.words = &["in", "in", "x", "y", "z"]), "the descriptor has the same port names twice");
    assert_eq!(wrong(&|p| p.words = &["in"]), "the descriptor's components refer to what is not in it");
    assert!(wrong(&|p| p.nodes = &[Node { component: 27, name: "" }]).contains("a name of 0 bytes among its nodes"));
    let short = parts(Dialect::Flo01).write(&mut [0; 40], |_| HASH).unwrap_err();
    assert!(short.to_string().starts_with("the descriptor has more than 40 bytes"), "{short}");
}

#[test]
fn a_later_version_and_bytes_behind_the_end_are_refused() {
    let mut bytes = descriptor(Dialect::Flo01);
    bytes.push(0);
    assert_eq!(Descriptor::read(&bytes).unwrap_err(), ContentError::Trailing { length: 1 });
    bytes[0] = 2;
    assert_eq!(Descriptor::read(&bytes).unwrap_err(), ContentError::Version { version: 2 });
}

#[test]
fn the_own_record_is_kept_as_ever() {
    let own = Own { id: Some(ID), label: "Fenster links" };
    let mut record = [0xee; own::MAX_BYTES];
    let length = own.write(&mut record).unwrap();
    assert_eq!(record[..length], bytes(OWN_V1), "{:02x?}", &record[..length]);
    assert_eq!(OwnState::read(&record), Ok(OwnState::Stored(own)), "what follows does not count");
    assert_eq!(OwnState::read(&[255; 54]), Ok(OwnState::Empty));
    assert_eq!(OwnState::read(&[0; 54]), Ok(OwnState::NoStore));
    assert_eq!(OwnState::read(&[0, 0, 4]), Err(OwnError::Damaged), "a flipped bit is not a missing memory");
    assert_eq!(OwnState::read(&record[..20]), Err(OwnError::Truncated { found: 20, wanted: length }));
    record[0] = 2;
    assert_eq!(OwnState::read(&record), Err(OwnError::Newer { format: 2 }));
    let long = "ä".repeat(17);
    assert_eq!(
        Own { id: None, label: &long }.write(&mut record).unwrap_err().to_string(),
        "the label has 34 bytes; 32 fit on a board"
    );
}

#[test]
fn queries_and_replies_are_on_the_wire_as_ever() {
    let mut seen = 0;
    for line in EXCHANGE_V1.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (hex, what) = line.split_once('#').unwrap();
        let payload = bytes(hex);
        for dialect in Dialect::ALL {
            let mut wire = if dialect == Dialect::Microflo1 { vec![77] } else { vec![] };
            wire.extend(&payload);
            wire.resize(dialect.frame_len(), 0);
            let frame = Frame::from_bytes(dialect, &wire).unwrap();
            let said = if payload[0] == 68 {
                let (request_id, command) = Command::decode(dialect, &frame);
                assert_eq!(command.encode(dialect, request_id), frame);
                let Command::Describe(query) = command else { panic!("{command:?}") };
                format!("{query:?}")
            } else {
                let message = Message::decode(dialect, &frame).unwrap();
                assert_eq!(message.encode(dialect), frame);
                let Body::Response(Response::Describe(reply)) = message.body else { panic!("{message:?}") };
                format!("{reply:?}")
            };
            assert_eq!(said, what.trim());
            seen += 1;
        }
    }
    assert_eq!(seen, 24);
}

#[test]
fn padding_in_replies_is_zero_and_outcomes_are_known() {
    for wrong in
        [[199, 4, 0, 4, 0, 0, 0, 0], [199, 4, 0, 0, 1, 0, 0, 0], [199, 6, 0, 0, 0, 0, 0, 0], [200, 0, 0, 0, 0, 0, 0, 0]]
    {
        let frame = Frame::from_bytes(Dialect::Flo01, &wrong).unwrap();
        assert_eq!(Message::decode(Dialect::Flo01, &frame), None, "{wrong:?}");
    }
    let padded = Frame::from_bytes(Dialect::Flo01, &[68, 1, 9, 0, 0, 0, 0, 0]).unwrap();
    assert!(matches!(Command::decode(Dialect::Flo01, &padded).1, Command::Unknown { id: 68, .. }));
    assert_eq!(Command::decode_leniently(Dialect::Flo01, &padded).1, Command::Describe(Query::Identify));
}
