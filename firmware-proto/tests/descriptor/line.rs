//! A board and the way to it.

use firmware_proto::board_side::{Answer, Board, Parser};
use firmware_proto::descriptor::reader::Step;
use firmware_proto::descriptor::serve::STORE_BYTES;
use firmware_proto::descriptor::writer::WriteStep;
use firmware_proto::descriptor::{Firmware, Own, OwnWriter, Query, ReadError, Reader, Reply, WriteOwnError};
use firmware_proto::{Body, Command, DebugPoint, Decoded, Decoder, Dialect, Frame, Message, Response};
/// A board that knows only itself.
pub(crate) struct Described<'a> {
    pub(crate) firmware: Option<Firmware<'a>>,
    pub(crate) store: Option<[u8; STORE_BYTES]>,
}

impl Board for Described<'_> {
    fn execute(&mut self, _: Command) -> Answer {
        Answer::RefusedSilently(DebugPoint::NotSupported)
    }

    fn describe(&mut self, query: Query) -> Option<Reply> {
        Some(self.firmware?.answer(query, self.store.as_mut()))
    }
}

/// What happens to the bytes of an answer.
type Damage = Box<dyn FnMut(&mut Vec<u8>)>;

/// A board and the way to it, byte by byte through the firmware's parser.
pub(crate) struct Line<'a> {
    pub(crate) parser: Parser,
    pub(crate) board: Described<'a>,
    /// Replies' frames pass through here.
    pub(crate) damage: Damage,
}

impl<'a> Line<'a> {
    pub(crate) fn new(dialect: Dialect, descriptor: &'a [u8]) -> Self {
        let board = Described { firmware: Some(Firmware::new(descriptor)), store: Some([255; STORE_BYTES]) };
        let mut line = Line { parser: Parser::new(dialect), board, damage: Box::new(|_| {}) };
        line.send(&dialect.opening(1));
        line
    }

    pub(crate) fn send(&mut self, frame: &Frame) -> Vec<u8> {
        let mut answers = Vec::new();
        for byte in frame.as_bytes() {
            answers.extend(self.parser.feed(*byte, &mut self.board).iter().flat_map(|frame| frame.as_bytes().to_vec()));
        }
        (self.damage)(&mut answers);
        answers
    }

    pub(crate) fn ask(&mut self, query: Query) -> Option<Reply> {
        let dialect = self.parser.dialect();
        let answer = self.send(&Command::Describe(query).encode(dialect, 7));
        let mut decoder = Decoder::aligned(dialect);
        match decoder.next(&mut &answer[..])? {
            Decoded::Message(Message { body: Body::Response(Response::Describe(reply)), .. })
                if query.is_answered_by(&reply) =>
            {
                Some(reply)
            }
            _ => None,
        }
    }

    /// Reads all; the number of queries, or what went wrong. `known`: the descriptor is not read.
    pub(crate) fn read(&mut self, known: bool) -> (Reader, Result<usize, Option<ReadError>>) {
        let mut reader = Reader::new(self.parser.dialect());
        let mut queries = 0;
        loop {
            match reader.step() {
                Step::Ask(query) => {
                    queries += 1;
                    let Some(reply) = self.ask(query) else { return (reader, Err(None)) };
                    if let Err(error) = reader.handle(reply) {
                        return (reader, Err(Some(error)));
                    }
                }
                Step::Identified(_) if known => reader.skip(),
                Step::Identified(_) => reader.fetch(),
                Step::Wait => panic!("nothing is under way"),
                Step::Done => return (reader, Ok(queries)),
            }
        }
    }

    pub(crate) fn write(&mut self, own: &Own<'_>) -> Result<(), WriteOwnError> {
        let mut writer = OwnWriter::new(own).unwrap();
        loop {
            match writer.step() {
                WriteStep::Ask(query) => writer.handle(self.ask(query).expect("a reply"))?,
                WriteStep::Wait => panic!("nothing is under way"),
                WriteStep::Done => return Ok(()),
            }
        }
    }
}
