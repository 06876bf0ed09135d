//! Properties of the decoder and of the board's parser on damaged streams.

use firmware_proto::board_side::{Answer, Board, Parser};
use firmware_proto::{Body, Command, DebugPoint, Decoded, Decoder, Dialect, Event, Frame, Message, PortRef, Response};
use proptest::prelude::*;

fn dialects() -> impl Strategy<Value = Dialect> {
    prop_oneof![Just(Dialect::Flo01), Just(Dialect::Microflo1)]
}

fn node_added(dialect: Dialect, request_id: u8, node: u8) -> Frame {
    let response = Response::NodeAdded { component: 11, node, parent: 0 };
    let request_id = if dialect == Dialect::Flo01 { 0 } else { request_id };
    Message { request_id, body: firmware_proto::Body::Response(response) }.encode(dialect)
}

fn decode_all(decoder: &mut Decoder, mut bytes: &[u8]) -> (Vec<Message>, usize) {
    let (mut messages, mut losses) = (Vec::new(), 0);
    while let Some(decoded) = decoder.next(&mut bytes) {
        match decoded {
            Decoded::Message(message) => messages.push(message),
            Decoded::Misaligned => losses += 1,
        }
    }
    (messages, losses)
}

/// Answers every command with what it was, so that a test sees what was executed.
struct Recorder(Vec<Command>);

impl Board for Recorder {
    fn execute(&mut self, command: Command) -> Answer {
        self.0.push(command);
        Answer::Done(Response::NetworkStarted)
    }
}

proptest! {
    #[test]
    fn any_bytes_are_taken_and_the_decoder_finds_frames_afterwards(
        dialect in dialects(),
        noise in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut decoder = Decoder::searching(dialect);
        decode_all(&mut decoder, &noise);
        let frames: Vec<u8> = (1..=6).flat_map(|node| node_added(dialect, 200, node).as_bytes().to_vec()).collect();
        let (messages, _) = decode_all(&mut decoder, &frames);
        // Noise can swallow the start of what follows, never more than it takes to see two frames in a row.
        prop_assert!(messages.len() >= 3, "{messages:?}");
        let last = Message::decode(dialect, &node_added(dialect, 200, 6)).unwrap();
        prop_assert_eq!(messages.last(), Some(&last));
    }

    #[test]
    fn a_hole_of_any_size_is_noticed(dialect in dialects(), at in 0usize..40, lost in 1usize..10) {
        let mut stream: Vec<u8> = (1..=8).flat_map(|node| node_added(dialect, 200, node).as_bytes().to_vec()).collect();
        let lost = lost.min(dialect.frame_len() - 1);
        stream.drain(at..at + lost);
        let mut decoder = Decoder::aligned(dialect);
        let (_, losses) = decode_all(&mut decoder, &stream);
        prop_assert!(losses > 0);
    }

    #[test]
    fn the_resync_sequence_opens_a_session_whatever_came_before(
        dialect in dialects(),
        noise in proptest::collection::vec(any::<u8>(), 0..60),
    ) {
        let mut parser = Parser::new(dialect);
        let mut board = Recorder(Vec::new());
        for byte in noise {
            parser.feed(byte, &mut board);
        }
        let mut opened = false;
        // The first magic can be eaten by a half-read one: the sequence is sent twice at most.
        for _ in 0..2 {
            let mut bytes = vec![14; dialect.resync_bytes()];
            bytes.extend_from_slice(dialect.opening(200).as_bytes());
            for byte in bytes {
                if let Some(frame) = parser.feed(byte, &mut board) {
                    let message = Message::decode(dialect, &frame).unwrap();
                    opened = message.body == firmware_proto::Body::Response(Response::CommunicationOpen);
                }
            }
            if opened { break }
        }
        prop_assert!(opened && parser.in_session());
    }

    #[test]
    fn every_command_frame_round_trips(dialect in dialects(), bytes in proptest::array::uniform10(any::<u8>())) {
        let frame = Frame::from_bytes(dialect, &bytes[..dialect.frame_len()]).unwrap();
        let (request_id, command) = Command::decode(dialect, &frame);
        prop_assert_eq!(command.encode(dialect, request_id), frame);
    }

    #[test]
    fn every_message_that_decodes_round_trips(dialect in dialects(), bytes in proptest::array::uniform10(any::<u8>()), id in 100u8..=118) {
        let mut bytes = bytes;
        bytes[dialect.header_len()] = id;
        let frame = Frame::from_bytes(dialect, &bytes[..dialect.frame_len()]).unwrap();
        if let Some(message) = Message::decode(dialect, &frame) {
            prop_assert_eq!(message.encode(dialect), frame);
        }
    }
}

#[test]
fn the_board_executes_a_misaligned_stream_as_nonsense_until_resync() {
    let mut parser = Parser::new(Dialect::Flo01);
    let mut board = Recorder(Vec::new());
    let subscribe = Command::SubscribeToPort { port: PortRef { node: 1, port: 0 }, enable: true };
    let mut bytes = Dialect::Flo01.opening(0).as_bytes().to_vec();
    bytes.extend_from_slice(&subscribe.encode(Dialect::Flo01, 0).as_bytes()[1..]);
    bytes.extend_from_slice(subscribe.encode(Dialect::Flo01, 0).as_bytes());
    for byte in bytes {
        parser.feed(byte, &mut board);
    }
    assert!(board.0.is_empty(), "the shifted frame is no known command: {:?}", board.0);
    assert!(parser.in_session());
}

#[test]
fn unknown_commands_get_a_debug_message_and_no_response_in_either_dialect() {
    for dialect in Dialect::ALL {
        let mut parser = Parser::new(dialect);
        let mut board = Recorder(Vec::new());
        let mut answers = Vec::new();
        let unknown = [9, 99, 200].map(|id| Command::Unknown { id, payload: [0; 8] }.encode(dialect, 5));
        for byte in dialect.opening(1).as_bytes().iter().chain(unknown.iter().flat_map(|frame| frame.as_bytes())) {
            answers.extend(parser.feed(*byte, &mut board).and_then(|frame| Message::decode(dialect, &frame)));
        }
        let point = |answer: &Message| match answer.body {
            Body::Event(Event::Debug { point, .. }) => Some(point),
            _ => None,
        };
        let said: Vec<_> = answers[1..].iter().filter_map(point).collect();
        let unknown = DebugPoint::ParserUnknownCommand;
        assert_eq!(said, [unknown, unknown, DebugPoint::ParserInvalidCommand]);
        assert!(board.0.is_empty());
    }
}
