//! The board's half of the protocol, as real firmware behaves: it looks for the magic, then counts bytes, and never checks where a frame starts.
//!
//! Implement [`Board`] and feed every received byte to [`Parser::feed`]; write the frame that it returns, if any.
//! Events (packets, debug messages) are sent with [`Message::encode`] whenever there is one.

use crate::command::Command;
use crate::debug::{DebugLevel, DebugPoint};
use crate::descriptor::{Query, Reply};
use crate::dialect::{Dialect, Frame};
use crate::framing::{Framed, Framing};
use crate::message::{Body, Event, Message, Response};

/// What a board does with a command.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Answer {
    /// Done: send this response.
    Done(Response),
    /// Refused: the 10-byte dialect answers `Error`, the 8-byte dialect only says so in a debug message.
    Refused(DebugPoint),
    /// Refused with a debug message in both dialects, as `SetIoValue` and unknown commands are.
    RefusedSilently(DebugPoint),
}

/// What the firmware does: the engine behind the parser.
pub trait Board {
    /// Carries out a command. `End`, `Ping`, `Describe` and unknown ids never get here.
    fn execute(&mut self, command: Command) -> Answer;

    /// Answers a query about the board itself: [`Firmware::answer`](crate::descriptor::Firmware::answer) does it. A board without a
    /// descriptor does not know the command.
    fn describe(&mut self, _query: Query) -> Option<Reply> {
        None
    }

    /// The parser came past here: worth an [`Event::Debug`] if `ConfigureDebug` asked for that level, sent before the answer.
    /// Errors never get here; [`Parser::feed`] returns them as frames.
    fn trace(&mut self, _level: DebugLevel, _point: DebugPoint) {}
}

/// The firmware's parser: one byte at a time, no resynchronisation of its own.
#[derive(Clone, Debug)]
pub struct Parser {
    framing: Framing,
}

impl Parser {
    /// A parser just after reset.
    pub const fn new(dialect: Dialect) -> Self {
        Parser { framing: Framing::new(dialect) }
    }

    /// The dialect that it speaks.
    pub const fn dialect(&self) -> Dialect {
        self.framing.dialect()
    }

    /// Whether a session is open.
    pub fn in_session(&self) -> bool {
        self.framing.in_session()
    }

    /// Takes one byte; returns the frame to send, if it completed something that is answered.
    pub fn feed(&mut self, byte: u8, board: &mut impl Board) -> Option<Frame> {
        if let Some(point) = self.framing.reading() {
            board.trace(DebugLevel::VeryDetailed, point);
        }
        Some(match self.framing.feed(byte)? {
            Framed::Magic { request_id } => {
                board.trace(DebugLevel::Detailed, DebugPoint::MagicMatched);
                self.respond(request_id, Response::CommunicationOpen)
            }
            Framed::Mismatch => self.debug(DebugPoint::MagicMismatch),
            Framed::Resumed => self.debug(DebugPoint::ParserInvalidState),
            Framed::Command { request_id, command } => self.answer(request_id, command, board),
        })
    }

    fn answer(&self, request_id: u8, command: Command, board: &mut impl Board) -> Frame {
        let dialect = self.dialect();
        let answer = match command {
            Command::End => {
                board.trace(DebugLevel::Detailed, DebugPoint::EndOfTransmission);
                Answer::Done(Response::TransmissionEnded)
            }
            // The 8-byte firmware answers with whatever its buffer held; zeros are as good.
            Command::Ping(payload) => {
                Answer::Done(Response::Pong(if dialect == Dialect::Flo01 { [0; 8] } else { payload }))
            }
            Command::GetNetworkStatus if dialect == Dialect::Flo01 => {
                Answer::RefusedSilently(DebugPoint::ParserUnknownCommand)
            }
            Command::Describe(query) => {
                board.describe(query).map_or(Answer::RefusedSilently(DebugPoint::ParserUnknownCommand), |reply| {
                    Answer::Done(Response::Describe(reply))
                })
            }
            // Unknown commands get no response in either dialect.
            Command::Unknown { id, .. } if id > last_message_id(dialect) => {
                Answer::RefusedSilently(DebugPoint::ParserInvalidCommand)
            }
            Command::Unknown { .. } => Answer::RefusedSilently(DebugPoint::ParserUnknownCommand),
            command => board.execute(command),
        };
        match (answer, dialect) {
            (Answer::Done(response), _) => self.respond(request_id, response),
            (Answer::Refused(point), Dialect::Microflo1) => self.respond(request_id, Response::Error(point)),
            (Answer::Refused(point), Dialect::Flo01) | (Answer::RefusedSilently(point), _) => self.debug(point),
        }
    }

    fn respond(&self, request_id: u8, response: Response) -> Frame {
        Message { request_id, body: Body::Response(response) }.encode(self.dialect())
    }

    fn debug(&self, point: DebugPoint) -> Frame {
        let event = Event::Debug { level: DebugLevel::Error as u8, point };
        Message { request_id: 0, body: Body::Event(event) }.encode(self.dialect())
    }
}

/// The highest id that the dialect gave a meaning, in either direction: beyond it a command is invalid, below it at most unknown.
const fn last_message_id(dialect: Dialect) -> u8 {
    match dialect {
        Dialect::Flo01 => 117,
        Dialect::Microflo1 => 118,
    }
}
