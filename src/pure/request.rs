//! Requests to a board: what the graph model and raw clients ask of the session, and what comes back.

use firmware_proto::{Command, DebugPoint, Response};

/// Names a request until it is answered. Given by whoever asks; unique per board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// A command on its way to the board.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Request {
    /// Comes back with the answer.
    pub ticket: Ticket,
    /// What to do.
    pub command: Command,
}

/// How a request ended: exactly once each.
pub type Outcome = Result<Response, Failure>;

/// Why a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The board said no.
    #[error("the board refused: {0}")]
    Refused(DebugPoint),
    /// A later command was answered, this one was not: the board skipped it.
    #[error("the board did not answer")]
    NoAnswer,
    /// Bytes were lost around this request: whether the board carried it out is unknown.
    #[error("the connection to the board lost bytes; whether this was done is unknown")]
    Lost,
    /// The board reset or was unplugged before it answered.
    #[error("the board restarted or went away before it answered")]
    Gone,
    /// The queue towards the board is full.
    #[error("too many commands wait for the board; send fewer at a time")]
    QueueFull,
}
