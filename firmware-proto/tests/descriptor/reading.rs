//! What a host reads.

use crate::line::Line;
use crate::{HASH, descriptor};
use firmware_proto::descriptor::reader::{self, Step};
use firmware_proto::descriptor::{OwnState, Query, ReadError, Reader};
use firmware_proto::{Body, Command, DebugPoint, Dialect, Event, Frame, Message};
#[test]
fn a_board_is_read_and_a_known_descriptor_is_not() {
    for dialect in Dialect::ALL {
        let bytes = descriptor(dialect);
        let mut line = Line::new(dialect, &bytes);
        let (reader, queries) = line.read(false);
        assert_eq!(reader.content(), Ok(&bytes[..]));
        assert_eq!(reader.own(), Ok(OwnState::Empty));
        assert_eq!(queries, Ok(1 + bytes.len().div_ceil(6) + 1));
        let (reader, queries) = line.read(true);
        assert_eq!(queries, Ok(1 + 2 + 1));
        assert_eq!(reader.fingerprint().unwrap().hash, HASH);
        assert_eq!(reader.content(), Err(ReadError::Unfinished));
    }
}

#[test]
fn several_queries_may_be_under_way() {
    let bytes = descriptor(Dialect::Flo01);
    let mut line = Line::new(Dialect::Flo01, &bytes);
    let (mut reader, mut under_way) = (Reader::new(Dialect::Flo01), std::collections::VecDeque::new());
    let mut most = 0;
    loop {
        match reader.step() {
            Step::Ask(query) if under_way.len() < 7 => under_way.push_back(query),
            Step::Ask(_) => unreachable!("the window is kept below"),
            Step::Identified(_) => reader.fetch(),
            Step::Done => break,
            Step::Wait => {}
        }
        most = most.max(under_way.len());
        if under_way.len() == 7 || reader.clone().step() == Step::Wait {
            let reply = line.ask(under_way.pop_front().unwrap()).unwrap();
            reader.handle(reply).unwrap();
        }
    }
    assert_eq!((most, reader.content()), (7, Ok(&bytes[..])));
}

#[test]
fn a_board_without_a_descriptor_does_not_know_the_command() {
    for dialect in Dialect::ALL {
        let mut line = Line::new(dialect, &[]);
        line.board.firmware = None;
        let answer = line.send(&Command::Describe(Query::Identify).encode(dialect, 7));
        let frame = Frame::from_bytes(dialect, &answer).unwrap();
        let Body::Event(event) = Message::decode(dialect, &frame).unwrap().body else { panic!("{frame:?}") };
        assert_eq!(event, Event::Debug { level: 1, point: DebugPoint::ParserUnknownCommand });
    }
}

#[test]
fn lies_about_length_and_version_end_at_once() {
    let bytes = descriptor(Dialect::Flo01);
    let lie = |at: usize, byte: u8| {
        let mut line = Line::new(Dialect::Flo01, &bytes);
        line.damage = Box::new(move |answer| {
            if answer[0] == 196 {
                answer[at] = byte;
            }
        });
        let (reader, queries) = line.read(false);
        (reader.content().map(<[u8]>::to_vec), queries.unwrap())
    };
    assert_eq!(lie(1, 2), (Err(ReadError::Newer { version: 2 }), 2), "its own record is read all the same");
    let length = bytes.len() as u16;
    assert_eq!(lie(1, 0), (Err(ReadError::Impossible { length, version: 0 }), 2));
    assert_eq!(lie(3, 255).1, 2, "pages without end are not read");
    assert_eq!(lie(3, 255).0, Err(ReadError::Impossible { length: length | 0xff00, version: 1 }));
    assert_eq!(lie(2, 100).0, Err(ReadError::Damaged), "shorter");
    assert_eq!(lie(2, 255).0, Err(ReadError::Damaged), "longer: zeros follow");
    assert_eq!(lie(4, bytes[4] ^ 1).0, Err(ReadError::Damaged), "another checksum");
}

#[test]
fn a_descriptor_of_other_firmware_is_not_used() {
    let bytes = descriptor(Dialect::Microflo1);
    let mut line = Line::new(Dialect::Flo01, &bytes);
    assert_eq!(line.read(false).0.content(), Err(ReadError::OtherDialect(Dialect::Microflo1)));
    assert!(reader::check(&bytes, Dialect::Microflo1).is_ok());
}
