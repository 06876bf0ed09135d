//! The board is asked what it says of itself: after each handshake, before it is up, and again when that has been changed.
//!
//! The first question goes with a ping behind it. Stock firmware does not know the question; whether it says so or not, the ping's
//! answer shows that no other will come. All questions are requests like others, in the one request table.

use std::sync::Arc;
use std::time::Instant;

use firmware_proto::descriptor::reader::Step;
use firmware_proto::descriptor::{OwnState, Reader};
use firmware_proto::{Command, Dialect, Response};
use uuid::Uuid;

use super::config::{DESCRIBING_PATIENCE, RECOGNITION_PATIENCE};
use crate::pure::identity::label::label_on_board;
use crate::pure::introduction::{BoardMemory, Descriptor, Descriptors, Introduction};
use crate::pure::request::{Failure, Outcome, Request, Ticket};

/// The tickets of the session's own requests; nobody else's come so far.
const QUESTION: Ticket = Ticket(u64::MAX);
const PING: Ticket = Ticket(u64::MAX - 1);

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
    reader: Box<Reader>,
    /// Its descriptor, where that was read before.
    known: Option<Arc<Descriptor>>,
    pinged: bool,
    stage: Stage,
    /// When that has taken too long.
    ends: Instant,
}

#[derive(Debug)]
enum Stage {
    Asking,
    /// Nothing more is to be asked; this went wrong.
    Over(Option<String>),
    Missing,
    /// It was said; who the board is has not been answered yet.
    Told,
}

/// Whether a ticket is of a request of the session itself.
pub(super) fn is_own(ticket: Ticket) -> bool {
    ticket >= PING
}

impl Describing {
    pub(super) fn new(dialect: Dialect, now: Instant) -> Self {
        let (reader, ends) = (Box::new(Reader::new(dialect)), now + DESCRIBING_PATIENCE);
        Describing { dialect, reader, known: None, pinged: false, stage: Stage::Asking, ends }
    }

    /// Does not ask: something got lost each time.
    pub(super) fn given_up(dialect: Dialect, now: Instant) -> Self {
        let trouble = "bytes were lost each time that it was read".to_owned();
        Describing { stage: Stage::Over(Some(trouble)), ..Describing::new(dialect, now) }
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
            self.stage = Stage::Over(Some(format!("it was not read in {} s", DESCRIBING_PATIENCE.as_secs())));
        }
        told
    }

    /// The answer to one of its own requests.
    pub(super) fn answer(&mut self, ticket: Ticket, outcome: Outcome) {
        if !matches!(self.stage, Stage::Asking) {
            return;
        }
        self.stage = match (ticket, outcome, self.is_answered()) {
            (QUESTION, Ok(Response::Describe(reply)), _) => match self.reader.handle(reply) {
                Ok(()) => Stage::Asking,
                Err(error) => Stage::Over(Some(error.to_string())),
            },
            // The ping's answer shows whether it does not know the first question or has lost count of bytes.
            (QUESTION, Err(Failure::Refused(_) | Failure::NoAnswer), false) => Stage::Asking,
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
    /// `has_answered`: it has answered the first question before.
    pub(super) fn next(&mut self, known: &Descriptors, has_answered: bool, now: Instant) -> Next {
        if matches!(self.stage, Stage::Asking)
            && let Some(next) = self.ask(known)
        {
            return next;
        }
        match &mut self.stage {
            Stage::Asking => Next::Wait,
            Stage::Over(trouble) => {
                let trouble = trouble.take();
                (self.stage, self.ends) = (Stage::Told, now + RECOGNITION_PATIENCE);
                Next::Said(Box::new(self.introduction(trouble, has_answered)))
            }
            Stage::Missing => Next::Lost,
            Stage::Told => Next::Wait,
        }
    }

    fn ask(&mut self, known: &Descriptors) -> Option<Next> {
        match self.reader.step() {
            Step::Ask(query) => Some(Next::Ask(Request { ticket: QUESTION, command: Command::Describe(query) })),
            Step::Wait if !std::mem::replace(&mut self.pinged, true) => {
                Some(Next::Ask(Request { ticket: PING, command: Command::Ping([0; 8]) }))
            }
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

    /// What was found out, though `trouble` may have been in the way.
    fn introduction(&self, trouble: Option<String>, has_answered: bool) -> Introduction {
        let mut said = Introduction::default();
        if !self.is_answered() && !has_answered {
            return said;
        }
        said.memory = BoardMemory::There;
        match self.reader.own() {
            Ok(OwnState::Stored(own)) => {
                said.id = own.id.map(Uuid::from_bytes);
                said.label = label_on_board(own.label);
            }
            Ok(OwnState::Empty) => {}
            Ok(OwnState::NoStore) => said.memory = BoardMemory::None,
            Err(error) if trouble.is_none() => said.troubles.push(error.to_string()),
            // It was not read.
            Err(_) => said.memory = BoardMemory::None,
        }
        match self.descriptor(trouble) {
            Ok(descriptor) => said.descriptor = Some(descriptor),
            Err(why) => said.troubles.push(format!("it has a descriptor that cannot be used: {why}")),
        }
        said
    }

    fn descriptor(&self, trouble: Option<String>) -> Result<Arc<Descriptor>, String> {
        match (&self.known, trouble) {
            (Some(known), _) => Ok(Arc::clone(known)),
            (None, Some(trouble)) => Err(trouble),
            (None, None) => {
                let bytes = self.reader.content().map_err(|error| error.to_string())?;
                let fingerprint = self.reader.fingerprint().ok_or("its beginning was not read")?;
                let read = Descriptor::read(bytes, fingerprint, self.dialect).map_err(|error| error.to_string())?;
                Ok(Arc::new(read))
            }
        }
    }
}
