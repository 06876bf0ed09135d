//! The board is asked what it says of itself: after each handshake, before it is up, and again when that has been changed.
//!
//! The first question goes with a ping behind it. Stock firmware does not know the question; whether it says so or not, the ping's
//! answer shows that no other will come. All questions are requests like others, in the one request table.

mod findings;

use std::sync::Arc;
use std::time::Instant;

use firmware_proto::descriptor::Reader;
use firmware_proto::descriptor::reader::Step;
use firmware_proto::{Command, Dialect, Response};

pub(super) use self::findings::Past;
use self::findings::Trouble;
use super::config::{DESCRIBING_PATIENCE, RECOGNITION_PATIENCE};
use crate::pure::introduction::{Descriptor, Descriptors, Introduction};
use crate::pure::request::{Failure, Outcome, Request, Ticket};

/// Tickets of the session's own requests have these bits; nobody else's have both. The round follows, and which of the two it is.
const OWN_TICKETS: u64 = 3 << 62;
const QUESTION: u64 = 0;
const PING: u64 = 1;

/// What to do next.
#[derive(Debug)]
pub(super) enum Next {
    /// Ask this.
    Ask(Request),
    /// Wait for answers.
    Wait,
    /// The names of its components have to be read now, which takes a while.
    Reading,
    /// This is what the board says.
    Said(Box<Introduction>),
    /// Answers are missing: bytes were lost.
    Lost,
}

/// The questions to one board.
#[derive(Debug)]
pub(super) struct Describing {
    dialect: Dialect,
    /// Tells its requests from those of earlier rounds, whose answers may still come.
    round: u64,
    reader: Box<Reader>,
    /// Its descriptor, where that was read before.
    known: Option<Arc<Descriptor>>,
    pinged: bool,
    asked_twice: bool,
    stage: Stage,
    /// When that has taken too long.
    ends: Instant,
}

#[derive(Debug)]
enum Stage {
    Asking,
    /// Nothing more is to be asked; this went wrong.
    Over(Option<Trouble>),
    Missing,
    /// It was said; who the board is has not been answered yet.
    Told,
}

/// How a board was lost before it was up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setback {
    /// Bytes were lost.
    Lost,
    /// It restarted.
    Restarted,
}

/// Whether a ticket is of a request of the session itself.
pub(super) fn is_own(ticket: Ticket) -> bool {
    ticket.0 & OWN_TICKETS == OWN_TICKETS
}

impl Describing {
    pub(super) fn new(dialect: Dialect, round: u64, now: Instant) -> Self {
        let (reader, ends) = (Box::new(Reader::new(dialect)), now + DESCRIBING_PATIENCE);
        let (pinged, asked_twice, stage) = (false, false, Stage::Asking);
        Describing { dialect, round, reader, known: None, pinged, asked_twice, stage, ends }
    }

    /// Does not ask: it went wrong each time.
    pub(super) fn given_up(dialect: Dialect, setback: Setback, now: Instant) -> Self {
        let trouble = match setback {
            Setback::Lost => "bytes were lost each time that it was read",
            Setback::Restarted => "the board restarted each time that it was asked",
        };
        let stage = Stage::Over(Some(Trouble { text: trouble.to_owned(), is_boards: setback == Setback::Restarted }));
        Describing { stage, ..Describing::new(dialect, 0, now) }
    }

    /// When [`Describing::on_time`] is due.
    pub(super) fn wake_at(&self) -> Instant {
        self.ends
    }

    /// True if the board has waited long enough to hear who it is.
    pub(super) fn on_time(&mut self, now: Instant) -> bool {
        if now < self.ends {
            return false;
        }
        let told = matches!(self.stage, Stage::Told);
        if matches!(self.stage, Stage::Asking) {
            let text = format!("it was not read in {} s", DESCRIBING_PATIENCE.as_secs());
            self.stage = Stage::Over(Some(text.into()));
        }
        told
    }

    /// The answer to one of its own requests.
    pub(super) fn answer(&mut self, ticket: Ticket, outcome: Outcome, past: Past<'_>) {
        if !matches!(self.stage, Stage::Asking) || ticket.0 & !OWN_TICKETS & !PING != self.round << 1 {
            return;
        }
        self.stage = match (ticket.0 & PING, outcome, self.is_answered()) {
            (QUESTION, Ok(Response::Describe(reply)), _) => match self.reader.handle(reply) {
                Ok(()) => Stage::Asking,
                Err(error) => Stage::Over(Some(error.to_string().into())),
            },
            // The ping's answer shows whether it does not know the first question or has lost count of bytes.
            (QUESTION, Err(Failure::Refused(_)), false) => {
                self.asked_twice = true;
                Stage::Asking
            }
            (QUESTION, Err(Failure::NoAnswer), false) => Stage::Asking,
            // A whole frame may have got lost: of a board that knows the question that is likelier than other firmware.
            (PING, Ok(_), false) if past.describes_itself() && !self.asked_twice => {
                (*self.reader, self.pinged, self.asked_twice) = (Reader::new(self.dialect), false, true);
                Stage::Asking
            }
            (PING, Ok(_), false) => Stage::Over(None),
            (PING, _, true) => Stage::Asking,
            // Whoever has answered the first question knows the others too.
            _ => Stage::Missing,
        }
    }

    /// Whether it was said what the board is, and the answer is waited for.
    pub(super) fn is_told(&self) -> bool {
        matches!(self.stage, Stage::Told)
    }

    /// Whether it has answered the first question.
    pub(super) fn is_answered(&self) -> bool {
        self.reader.identity().is_some()
    }

    /// What to do next, given what was read before from any board.
    /// `may_ask`: there is room for one more request.
    pub(super) fn next(&mut self, known: &Descriptors, past: Past<'_>, may_ask: bool, now: Instant) -> Next {
        if matches!(self.stage, Stage::Asking)
            && may_ask
            && let Some(next) = self.ask(known)
        {
            return next;
        }
        match &mut self.stage {
            Stage::Asking => Next::Wait,
            Stage::Over(trouble) => {
                let trouble = trouble.take();
                (self.stage, self.ends) = (Stage::Told, now + RECOGNITION_PATIENCE);
                Next::Said(Box::new(self.introduction(trouble, past)))
            }
            Stage::Missing => Next::Lost,
            Stage::Told => Next::Wait,
        }
    }

    fn ask(&mut self, known: &Descriptors) -> Option<Next> {
        match self.reader.step() {
            Step::Ask(query) => Some(self.request(QUESTION, Command::Describe(query))),
            Step::Wait if !std::mem::replace(&mut self.pinged, true) => Some(self.request(PING, Command::Ping([0; 8]))),
            Step::Wait => None,
            Step::Identified(fingerprint) => {
                self.known = known.get(fingerprint).filter(|known| known.dialect == self.dialect).cloned();
                if self.known.is_some() {
                    self.reader.skip();
                    return self.ask(known);
                }
                self.reader.fetch();
                Some(Next::Reading)
            }
            Step::Done => {
                self.stage = Stage::Over(None);
                None
            }
        }
    }

    fn request(&self, which: u64, command: Command) -> Next {
        Next::Ask(Request { ticket: Ticket(OWN_TICKETS | self.round << 1 | which), command })
    }
}
