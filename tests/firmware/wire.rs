//! A board's terminal without a bridge: frames out, frames in.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use firmware_proto::descriptor::reader::Step;
use firmware_proto::descriptor::writer::WriteStep;
use firmware_proto::descriptor::{Own, OwnWriter, Query, Reader};
use firmware_proto::{Body, Command, Decoded, Decoder, Dialect, Message, Response};

use crate::support::PATIENCE;

/// How long a board may be silent when nothing is expected of it.
const QUIET: Duration = Duration::from_millis(400);

/// The 8-byte dialect on anything that can be read and written.
pub(crate) struct Wire<S> {
    stream: S,
    decoder: Decoder,
    heard: VecDeque<Message>,
}

/// A stream that gives up reading now and then.
pub(crate) trait Stream: Read + Write {}
impl<S: Read + Write> Stream for S {}

impl Wire<File> {
    /// Opens a terminal and, as soon as the board answers, a session.
    pub(crate) fn open(link: &Path) -> Self {
        let stream = File::options().read(true).write(true).open(link.canonicalize().unwrap()).unwrap();
        let mut modes = rustix::termios::tcgetattr(&stream).unwrap();
        modes.make_raw();
        modes.special_codes[rustix::termios::SpecialCodeIndex::VMIN] = 0;
        modes.special_codes[rustix::termios::SpecialCodeIndex::VTIME] = 1;
        rustix::termios::tcsetattr(&stream, rustix::termios::OptionalActions::Now, &modes).unwrap();
        let mut wire = Wire::new(stream, Dialect::Flo01);
        wire.heard_until_quiet(); // its boot
        wire.start();
        wire
    }
}

impl<S: Stream> Wire<S> {
    pub(crate) fn new(stream: S, dialect: Dialect) -> Self {
        Wire { stream, decoder: Decoder::aligned(dialect), heard: VecDeque::new() }
    }

    /// Opens a session.
    pub(crate) fn start(&mut self) {
        let opening = self.decoder.dialect().opening(1);
        self.stream.write_all(opening.as_bytes()).unwrap();
        assert_eq!(self.next().body, Body::Response(Response::CommunicationOpen));
    }

    pub(crate) fn send(&mut self, command: Command) {
        let frame = command.encode(self.decoder.dialect(), 7);
        self.stream.write_all(frame.as_bytes()).unwrap();
    }

    /// The next thing that the board says.
    pub(crate) fn next(&mut self) -> Message {
        let began = Instant::now();
        loop {
            if let Some(message) = self.heard.pop_front() {
                return message;
            }
            assert!(began.elapsed() < PATIENCE, "the board says nothing");
            self.hear();
        }
    }

    /// What it says until it is silent.
    pub(crate) fn heard_until_quiet(&mut self) -> Vec<Body> {
        let mut last = Instant::now();
        let mut all = Vec::new();
        while last.elapsed() < QUIET {
            self.hear();
            while let Some(message) = self.heard.pop_front() {
                all.push(message.body);
                last = Instant::now();
            }
        }
        all
    }

    fn hear(&mut self) {
        let mut bytes = [0; 256];
        let count = self.stream.read(&mut bytes).unwrap();
        let mut bytes = &bytes[..count];
        while let Some(decoded) = self.decoder.next(&mut bytes) {
            let Decoded::Message(message) = decoded else { panic!("bytes were lost") };
            self.heard.push_back(message);
        }
    }

    /// The answer to the oldest question; events may come in between.
    pub(crate) fn answer(&mut self) -> Response {
        loop {
            if let Body::Response(response) = self.next().body {
                return response;
            }
        }
    }

    pub(crate) fn ask(&mut self, query: Query) -> firmware_proto::descriptor::Reply {
        self.send(Command::Describe(query));
        let Response::Describe(reply) = self.answer() else { panic!("not an answer to {query:?}") };
        assert!(query.is_answered_by(&reply), "{reply:?} does not answer {query:?}");
        reply
    }

    /// Reads what the board tells of itself, with as many questions under way as a board takes. The answers to other questions are
    /// left out.
    pub(crate) fn read(&mut self, known: bool) -> Reader {
        let mut reader = Reader::new(self.decoder.dialect());
        let most = self.decoder.dialect().unanswered_bytes() / self.decoder.dialect().frame_len();
        let mut under_way = VecDeque::new();
        loop {
            while under_way.len() < most {
                match reader.step() {
                    Step::Ask(query) => {
                        self.send(Command::Describe(query));
                        under_way.push_back(query);
                    }
                    Step::Identified(_) if known => reader.skip(),
                    Step::Identified(_) => reader.fetch(),
                    Step::Done => return reader,
                    Step::Wait => break,
                }
            }
            if let Response::Describe(reply) = self.answer() {
                assert!(under_way.pop_front().unwrap().is_answered_by(&reply));
                reader.handle(reply).unwrap();
            }
        }
    }

    /// Changes the board's own record.
    pub(crate) fn write(&mut self, own: &Own<'_>) {
        let mut writer = OwnWriter::new(own).unwrap();
        while let WriteStep::Ask(query) = writer.step() {
            let reply = self.ask(query);
            writer.handle(reply).unwrap();
        }
    }
}
