//! The request table: what waits for the wire, what waits for an answer.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use firmware_proto::{Command, DebugPoint, Dialect, Frame, Response};

use super::config::QUEUE_COMMANDS;
use super::matching;
use crate::pure::request::{Failure, Outcome, Request, Ticket};

/// Request ids of the 10-byte dialect. Boards number their boot chatter from 1, so ours start high; 10..=25 would look
/// like commands to a board that has lost count.
const FIRST_ID: u8 = 128;
const LAST_ID: u8 = 254;

#[derive(Clone, Debug)]
struct InFlight {
    /// `None`: the session's own keep-alive.
    ticket: Option<Ticket>,
    command: Command,
    request_id: u8,
    sent: Instant,
    /// The board said no, and will acknowledge it all the same.
    refusal: Option<DebugPoint>,
}

/// What a message from the board settled.
#[derive(Debug, PartialEq)]
pub(super) enum Settled {
    /// It answered a request; those that it skipped have failed. Outcomes are in the table's list.
    Answer,
    /// It answers nothing that we asked.
    Stray,
}

/// Commands in order, each answered exactly once.
#[derive(Debug)]
pub(super) struct Requests {
    waiting: VecDeque<Request>,
    in_flight: VecDeque<InFlight>,
    next_id: u8,
    last_progress: Instant,
    done: Vec<(Ticket, Outcome)>,
}

impl Requests {
    pub(super) fn new(now: Instant) -> Self {
        Requests {
            waiting: VecDeque::new(),
            in_flight: VecDeque::new(),
            next_id: FIRST_ID,
            last_progress: now,
            done: Vec::new(),
        }
    }

    /// A request id that is not in flight.
    pub(super) fn fresh_id(&mut self) -> u8 {
        loop {
            let id = self.next_id;
            self.next_id = if id == LAST_ID { FIRST_ID } else { id + 1 };
            if !self.in_flight.iter().any(|request| request.request_id == id) {
                return id;
            }
        }
    }

    /// Queues a command; a full queue fails it at once.
    pub(super) fn submit(&mut self, request: Request) {
        if self.has_room() {
            self.waiting.push_back(request);
        } else {
            self.done.push((request.ticket, Err(Failure::QueueFull)));
        }
    }

    /// Whether one more can be queued.
    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() < QUEUE_COMMANDS
    }

    /// Whether one of those waits for the wire.
    pub(super) fn is_waiting(&self, which: impl Fn(Ticket) -> bool) -> bool {
        self.waiting.iter().any(|request| which(request.ticket))
    }

    /// Those that wait for the wire are not sent, and not answered.
    pub(super) fn withdraw(&mut self, which: impl Fn(Ticket) -> bool) {
        self.waiting.retain(|request| !which(request.ticket));
    }

    /// The next frame for the wire, if the window has room: never more than [`Dialect::unanswered_bytes`] unanswered.
    pub(super) fn next_frame(&mut self, dialect: Dialect, now: Instant) -> Option<Frame> {
        if (self.in_flight.len() + 1) * dialect.frame_len() > dialect.unanswered_bytes() {
            return None;
        }
        let request = self.waiting.pop_front()?;
        Some(self.send(dialect, Some(request.ticket), request.command, now))
    }

    /// Sends the session's own ping.
    pub(super) fn ping(&mut self, dialect: Dialect, now: Instant) -> Frame {
        self.send(dialect, None, Command::Ping([0; 8]), now)
    }

    fn send(&mut self, dialect: Dialect, ticket: Option<Ticket>, command: Command, now: Instant) -> Frame {
        let request_id = self.fresh_id();
        self.in_flight.push_back(InFlight { ticket, command, request_id, sent: now, refusal: None });
        command.encode(dialect, request_id)
    }

    /// Whether nothing is asked.
    pub(super) fn is_idle(&self) -> bool {
        self.in_flight.is_empty() && self.waiting.is_empty()
    }

    /// Commands that wait for the wire.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// When the oldest unanswered command has waited too long: counted from its sending or from the last answer, whichever is later.
    pub(super) fn deadline(&self, patience: Duration) -> Option<Instant> {
        self.in_flight.front().map(|oldest| oldest.sent.max(self.last_progress) + patience)
    }

    /// Settles a response. Commands older than the one that it answers were skipped by the board and have failed.
    pub(super) fn settle(&mut self, dialect: Dialect, request_id: u8, response: &Response, now: Instant) -> Settled {
        let found = self.in_flight.iter().position(|request| match dialect {
            Dialect::Microflo1 => request.request_id == request_id,
            Dialect::Flo01 => matching::answers(&request.command, response),
        });
        let Some(position) = found else { return Settled::Stray };
        let outcome = match (response, &self.in_flight[position]) {
            (Response::Error(point), _) => Err(Failure::Refused(*point)),
            (response, request) if !matching::answers(&request.command, response) => return Settled::Stray,
            (_, InFlight { refusal: Some(point), .. }) => Err(Failure::Refused(*point)),
            (response, _) => Ok(*response),
        };
        for skipped in self.in_flight.drain(..position) {
            finish(&mut self.done, skipped.ticket, Err(Failure::NoAnswer));
        }
        if let Some(request) = self.in_flight.pop_front() {
            finish(&mut self.done, request.ticket, outcome);
        }
        self.last_progress = now;
        Settled::Answer
    }

    /// Gives the blame of a debug message to the oldest command that it can mean. False if there is none.
    pub(super) fn refuse(&mut self, point: DebugPoint, now: Instant) -> bool {
        let blamed = |request: &InFlight| request.refusal.is_none() && matching::blames(point, &request.command);
        let Some(position) = self.in_flight.iter().position(blamed) else { return false };
        self.last_progress = now;
        if matching::acknowledges_after(point) {
            self.in_flight[position].refusal = Some(point);
        } else if let Some(request) = self.in_flight.remove(position) {
            finish(&mut self.done, request.ticket, Err(Failure::Refused(point)));
        }
        true
    }

    /// Ends everything that is asked, sent or not.
    pub(super) fn fail_all(&mut self, failure: Failure) {
        for request in self.in_flight.drain(..) {
            finish(&mut self.done, request.ticket, Err(failure));
        }
        for request in self.waiting.drain(..) {
            self.done.push((request.ticket, Err(failure)));
        }
    }

    /// The outcomes since the last call.
    pub(super) fn take_done(&mut self) -> std::vec::Drain<'_, (Ticket, Outcome)> {
        self.done.drain(..)
    }
}

fn finish(done: &mut Vec<(Ticket, Outcome)>, ticket: Option<Ticket>, outcome: Outcome) {
    if let Some(ticket) = ticket {
        done.push((ticket, outcome));
    }
}
