//! What a session tells and wants.

use firmware_proto::{DebugPoint, Event, Response};

use crate::pure::introduction::Introduction;
use crate::pure::request::{Outcome, Ticket};
use crate::pure::view::Firmware;

/// What the session wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Write these bytes, in order.
    Transmit(Vec<u8>),
    /// Change the line's baud rate before anything else is written.
    SetBaud(u32),
    /// Something that the board's owner has to know.
    Notice(Notice),
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// The first byte of a handshake was sent; before that the board had time to boot.
    Handshaking,
    /// The board answers and describes itself; what its firmware says is read now, which takes seconds on a slow line.
    Reading,
    /// The board answers, and has said this of itself. It is up once [`Session::go_on`](super::Session::go_on) says so.
    Introduction(Box<Introduction>),
    /// The board is ready for requests.
    Up {
        /// How it is spoken to.
        firmware: Firmware,
        /// What is known of its past.
        start: Start,
    },
    /// Bytes were lost: all requests have failed, the board's graph is no longer known, and the session is being opened again.
    OutOfStep(LossCause),
    /// The board has restarted: all requests have failed, and the session is being opened again.
    Restarted,
    /// Nothing came.
    Silent,
    /// Only other things came: these, at most [`NOISE_SHOWN_BYTES`](super::config::NOISE_SHOWN_BYTES).
    NotMicroflo(Vec<u8>),
    /// A request ended.
    Done(Ticket, Outcome),
    /// The board says something unasked.
    Event(Event),
}

/// What is known of a board's past when it answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Start {
    /// It has just started, and these are the responses of its embedded graph.
    Booted(Vec<Response>),
    /// Its session is still the one that it was left with: it has not started since.
    Continued,
    /// Nothing: it may have any graph.
    Unknown,
}

/// Why the session is out of step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LossCause {
    /// A frame that no firmware sends, or part of one.
    #[error("bytes from the board were lost")]
    BadFrame,
    /// The oldest command got no answer.
    #[error("the board did not answer in time")]
    NoAnswer,
    /// The board reported that it understood nothing.
    #[error("the board lost bytes: {0}")]
    BoardComplained(DebugPoint),
    /// An answer to nothing that was asked.
    #[error("the board answered what nobody asked")]
    StrayAnswer,
}
