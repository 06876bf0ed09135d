//! The board's half of the protocol, as real firmware behaves: it looks for the magic, then counts bytes, and never checks where a frame starts.
//!
//! Implement [`Board`] and feed every received byte to [`Parser::feed`]; write the frame that it returns, if any.
//! Events (packets, debug messages) are sent with [`Message::encode`] whenever there is one.

use crate::command::Command;
use crate::debug::{DebugLevel, DebugPoint};
use crate::dialect::{Dialect, Frame};
use crate::limits::MAX_FRAME_BYTES;
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
    /// Carries out a command. `End`, `Ping` and unknown ids never get here.
    fn execute(&mut self, command: Command) -> Answer;

    /// The parser came past here: worth an [`Event::Debug`] if `ConfigureDebug` asked for that level, sent before the answer.
    /// Errors never get here; [`Parser::feed`] returns them as frames.
    fn trace(&mut self, _level: DebugLevel, _point: DebugPoint) {}
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Every byte is dropped until the magic's first.
    LookForMagic,
    /// Within the magic.
    Magic,
    /// A magic did not match: one more byte is dropped before the next search.
    Invalid,
    /// In session: every [`Dialect::frame_len`] bytes are a command.
    Command,
}

/// The firmware's parser: one byte at a time, no resynchronisation of its own.
#[derive(Clone, Debug)]
pub struct Parser {
    dialect: Dialect,
    state: State,
    buffer: [u8; MAX_FRAME_BYTES],
    len: usize,
}

impl Parser {
    /// A parser just after reset.
    pub const fn new(dialect: Dialect) -> Self {
        Parser { dialect, state: State::LookForMagic, buffer: [0; MAX_FRAME_BYTES], len: 0 }
    }

    /// The dialect that it speaks.
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Whether a session is open.
    pub fn in_session(&self) -> bool {
        self.state == State::Command
    }

    /// Takes one byte; returns the frame to send, if it completed something that is answered.
    pub fn feed(&mut self, byte: u8, board: &mut impl Board) -> Option<Frame> {
        match self.state {
            State::LookForMagic => {
                board.trace(DebugLevel::VeryDetailed, DebugPoint::ParseLookForHeader);
                if byte == self.dialect.magic()[0] {
                    self.buffer[0] = byte;
                    self.len = 1;
                    self.state = State::Magic;
                }
                None
            }
            State::Invalid => {
                self.state = State::LookForMagic;
                Some(self.debug(DebugPoint::ParserInvalidState))
            }
            State::Magic | State::Command => {
                let header = self.state == State::Magic;
                let point = if header { DebugPoint::ParseHeader } else { DebugPoint::ParseCommand };
                board.trace(DebugLevel::VeryDetailed, point);
                self.buffer[self.len] = byte;
                self.len += 1;
                if self.len < self.dialect.frame_len() {
                    return None;
                }
                self.len = 0;
                self.complete(board)
            }
        }
    }

    fn complete(&mut self, board: &mut impl Board) -> Option<Frame> {
        let magic = self.dialect.magic();
        if self.buffer.starts_with(magic) {
            board.trace(DebugLevel::Detailed, DebugPoint::MagicMatched);
            self.state = State::Command;
            // The request id stands behind the magic, not in front.
            let request_id = if self.dialect == Dialect::Microflo1 { self.buffer[magic.len()] } else { 0 };
            return Some(self.respond(request_id, Response::CommunicationOpen));
        }
        if self.state == State::Magic {
            self.state = State::Invalid;
            return Some(self.debug(DebugPoint::MagicMismatch));
        }
        let frame = Frame::from_bytes(self.dialect, &self.buffer[..self.dialect.frame_len()])?;
        let (request_id, command) = Command::decode_leniently(self.dialect, &frame);
        let answer = match command {
            Command::End => {
                board.trace(DebugLevel::Detailed, DebugPoint::EndOfTransmission);
                self.state = State::LookForMagic;
                Answer::Done(Response::TransmissionEnded)
            }
            // The 8-byte firmware answers with whatever its buffer held; zeros are as good.
            Command::Ping(payload) => {
                Answer::Done(Response::Pong(if self.dialect == Dialect::Flo01 { [0; 8] } else { payload }))
            }
            Command::GetNetworkStatus if self.dialect == Dialect::Flo01 => {
                Answer::RefusedSilently(DebugPoint::ParserUnknownCommand)
            }
            // Unknown commands get no response in either dialect.
            Command::Unknown { id, .. } if id > last_message_id(self.dialect) => {
                Answer::RefusedSilently(DebugPoint::ParserInvalidCommand)
            }
            Command::Unknown { .. } => Answer::RefusedSilently(DebugPoint::ParserUnknownCommand),
            command => board.execute(command),
        };
        Some(match (answer, self.dialect) {
            (Answer::Done(response), _) => self.respond(request_id, response),
            (Answer::Refused(point), Dialect::Microflo1) => self.respond(request_id, Response::Error(point)),
            (Answer::Refused(point), Dialect::Flo01) | (Answer::RefusedSilently(point), _) => self.debug(point),
        })
    }

    fn respond(&self, request_id: u8, response: Response) -> Frame {
        Message { request_id, body: Body::Response(response) }.encode(self.dialect)
    }

    fn debug(&self, point: DebugPoint) -> Frame {
        let event = Event::Debug { level: DebugLevel::Error as u8, point };
        Message { request_id: 0, body: Body::Event(event) }.encode(self.dialect)
    }
}

/// The highest id that the dialect gave a meaning, in either direction: beyond it a command is invalid, below it at most unknown.
const fn last_message_id(dialect: Dialect) -> u8 {
    match dialect {
        Dialect::Flo01 => 117,
        Dialect::Microflo1 => 118,
    }
}
