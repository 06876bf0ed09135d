//! Changing the id and the label that a board stores itself: its whole record is written, in force at once, and read back.

use firmware_proto::descriptor::writer::WriteStep;
use firmware_proto::descriptor::{Own, OwnWriter, Query, WriteOwnError};
use firmware_proto::{Command, Response};
use uuid::Uuid;

use crate::pure::identity::label::label_on_board;
use crate::pure::introduction::{BoardMemory, Introduction};
use crate::pure::request::{Failure, Outcome, Request, Ticket};

/// Tickets of these requests have this bit; those of the FBP runtime and of raw clients do not.
const OWN_TICKETS: u64 = 1 << 62;

/// What a board is to store from now on; `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnChange {
    /// Its id.
    pub id: Option<Uuid>,
    /// Its label.
    pub label: Option<String>,
}

/// Why a board does not store what it should.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OwnChangeError {
    /// Its firmware knows nothing of this.
    #[error(
        "the board's firmware does not describe itself, so it keeps no id and no label; flash firmware that does \
         (docs/self-describing.md), or leave out --on-board: the bridge keeps a label for it"
    )]
    NotSelfDescribing,
    /// The board does not answer.
    #[error("the board is not ready: try again when `microflo-bridge status` says that it is")]
    NotReady,
    /// Somebody else is at it.
    #[error("the board is storing something already; try again")]
    Busy,
    /// It cannot be stored, or the board would not.
    #[error("{0}")]
    Refused(String),
    /// It went wrong on the way.
    #[error("{0}; what the board stores now is shown by `microflo-bridge status`; try again")]
    Lost(#[from] Failure),
    /// Half of a record cannot be changed while the other half is not known.
    #[error(
        "what the board stores cannot be read, so a label alone would cost it its id; give it an id first, a new one or the one \
         that it had: microflo-bridge id BOARD --on-board new|UUID"
    )]
    Unreadable,
    /// It was stored, and cannot be read back.
    #[error("the board took it, but what it stores now could not be read; see `microflo-bridge status`, and try again")]
    NotReadBack,
    /// It was stored, and is not there.
    #[error("the board did not keep it; its memory may be worn out")]
    NotKept,
}

/// What a board is storing.
#[derive(Debug)]
pub(super) struct Writing {
    writer: Box<OwnWriter>,
    id: Option<Uuid>,
    label: String,
    /// The number of its first ticket, and of the next.
    base: u64,
    next: u64,
    /// All is written, and is being read back.
    written: bool,
}

/// How far it is.
#[derive(Debug, PartialEq)]
pub(super) enum Progress {
    /// Ask these too.
    Ask(Vec<Request>),
    /// It is to be read back.
    Written,
}

/// Whether a ticket is of such a request.
pub(super) fn is_own_change(ticket: Ticket) -> bool {
    ticket.0 & (3 << 62) == OWN_TICKETS
}

/// Whether a raw client's command, once done, has changed what the board stores.
pub(super) fn changes_record(command: &Command, outcome: &Outcome) -> bool {
    matches!(command, Command::Describe(Query::CommitOwn { .. })) && outcome.is_ok()
}

impl Writing {
    /// Writes a change to what a board has said that it stores. `None` if that is so already: its memory wears.
    pub(super) fn new(said: &Introduction, change: &OwnChange, base: u64) -> Result<Option<Writing>, OwnChangeError> {
        match said.memory {
            BoardMemory::Silent => return Err(OwnChangeError::NotSelfDescribing),
            BoardMemory::None => return Err(OwnChangeError::Refused(WriteOwnError::NoStore.to_string())),
            BoardMemory::There => {}
        }
        if said.unread && change.id.is_none() {
            return Err(OwnChangeError::Unreadable);
        }
        let id = change.id.or(said.id);
        let label = match &change.label {
            Some(label) => label_on_board(label),
            None => said.label.clone(),
        };
        let label = label.unwrap_or_default();
        if !said.unread && id == said.id && label == said.label.as_deref().unwrap_or_default() {
            return Ok(None);
        }
        let own = Own { id: id.map(Uuid::into_bytes), label: &label };
        let writer = OwnWriter::new(&own).map_err(|error| OwnChangeError::Refused(error.to_string()))?;
        Ok(Some(Writing { writer: Box::new(writer), id, label, base, next: base, written: false }))
    }

    /// What is to be asked now.
    pub(super) fn ask(&mut self) -> Progress {
        let mut requests = Vec::new();
        loop {
            match self.writer.step() {
                WriteStep::Ask(query) => {
                    let ticket = Ticket(OWN_TICKETS | self.next);
                    self.next += 1;
                    requests.push(Request { ticket, command: Command::Describe(query) });
                }
                WriteStep::Wait => return Progress::Ask(requests),
                WriteStep::Done => {
                    self.written = true;
                    return Progress::Written;
                }
            }
        }
    }

    /// The number that the next one's tickets may begin with.
    pub(super) fn next_base(&self) -> u64 {
        self.next
    }

    /// The answer to one of these. Those to an earlier one that went wrong do not count.
    pub(super) fn answer(&mut self, ticket: Ticket, outcome: Outcome) -> Result<Progress, OwnChangeError> {
        if ticket.0 & !OWN_TICKETS < self.base {
            return Ok(Progress::Ask(Vec::new()));
        }
        match outcome? {
            Response::Describe(reply) => {
                let read = self.writer.handle(reply);
                read.map_err(|error| OwnChangeError::Refused(error.to_string()))?;
                Ok(self.ask())
            }
            _ => Err(OwnChangeError::NotKept),
        }
    }

    /// Whether it is being read back.
    pub(super) fn is_written(&self) -> bool {
        self.written
    }

    /// Whether the board says that it has it.
    pub(super) fn check(&self, said: &Introduction) -> Result<(), OwnChangeError> {
        if said.unread {
            return Err(OwnChangeError::NotReadBack);
        }
        let kept = said.id == self.id && said.label.as_deref().unwrap_or_default() == self.label;
        if kept { Ok(()) } else { Err(OwnChangeError::NotKept) }
    }
}
