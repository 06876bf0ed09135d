//! How a board cuts the host's bytes into commands: it looks for the magic, then counts bytes, and never checks where a frame starts.

use crate::command::Command;
use crate::debug::DebugPoint;
use crate::dialect::{Dialect, Frame};
use crate::limits::MAX_FRAME_BYTES;

/// What the bytes so far amount to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Framed {
    /// The magic, inside a session or not: a session is open now.
    Magic {
        /// The request id behind the magic; 0 in the 8-byte dialect.
        request_id: u8,
    },
    /// What began like the magic was not: one more byte will be dropped before the search goes on.
    Mismatch,
    /// That byte was dropped.
    Resumed,
    /// A command. After `End` the session is closed.
    Command {
        /// The host's request id; 0 in the 8-byte dialect.
        request_id: u8,
        /// The command, read as firmware does: bytes beyond its arguments are not looked at.
        command: Command,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Every byte is dropped until the magic's first.
    LookForMagic,
    /// Within the magic.
    Magic,
    /// A magic did not match.
    Mismatched,
    /// In session: every [`Dialect::frame_len`] bytes are a command.
    Session,
}

/// Bytes in, commands out.
#[derive(Clone, Debug)]
pub struct Framing {
    dialect: Dialect,
    state: State,
    buffer: [u8; MAX_FRAME_BYTES],
    len: usize,
}

impl Framing {
    /// As after a reset: no session is open.
    pub const fn new(dialect: Dialect) -> Self {
        Framing { dialect, state: State::LookForMagic, buffer: [0; MAX_FRAME_BYTES], len: 0 }
    }

    /// The dialect.
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Whether a session is open.
    pub fn in_session(&self) -> bool {
        self.state == State::Session
    }

    /// Where firmware says that it is when it reads the next byte.
    pub(crate) const fn reading(&self) -> Option<DebugPoint> {
        match self.state {
            State::LookForMagic => Some(DebugPoint::ParseLookForHeader),
            State::Magic => Some(DebugPoint::ParseHeader),
            State::Session => Some(DebugPoint::ParseCommand),
            State::Mismatched => None,
        }
    }

    /// Takes one byte.
    pub fn feed(&mut self, byte: u8) -> Option<Framed> {
        match self.state {
            State::LookForMagic => {
                if byte == self.dialect.magic()[0] {
                    self.buffer[0] = byte;
                    self.len = 1;
                    self.state = State::Magic;
                }
                None
            }
            State::Mismatched => {
                self.state = State::LookForMagic;
                Some(Framed::Resumed)
            }
            State::Magic | State::Session => {
                self.buffer[self.len] = byte;
                self.len += 1;
                if self.len < self.dialect.frame_len() {
                    return None;
                }
                self.len = 0;
                Some(self.complete())
            }
        }
    }

    fn complete(&mut self) -> Framed {
        let magic = self.dialect.magic();
        if self.buffer.starts_with(magic) {
            self.state = State::Session;
            // The request id stands behind the magic, not in front.
            let request_id = if self.dialect == Dialect::Microflo1 { self.buffer[magic.len()] } else { 0 };
            return Framed::Magic { request_id };
        }
        if self.state == State::Magic {
            self.state = State::Mismatched;
            return Framed::Mismatch;
        }
        let frame = Frame::whole(self.dialect, self.buffer);
        let (request_id, command) = Command::decode_leniently(self.dialect, &frame);
        if command == Command::End {
            self.state = State::LookForMagic;
        }
        Framed::Command { request_id, command }
    }
}
