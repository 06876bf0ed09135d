//! One board's record at one registry: when to put, ping and delete it.
//!
//! A state machine without a clock. Tell it what is seen of the board ([`Registration::sighted`],
//! [`Registration::vanished`]) and what the registry answered ([`Registration::answered`]); ask it when something is
//! [due](Registration::due) and [start](Registration::start) that. One request at a time is under way.

mod answers;
mod sighting;
#[cfg(test)]
mod tests;
mod words;

use std::time::{Duration, Instant};

pub use sighting::{Presence, Sighting, Wanted, sighting};

use super::backoff::Backoff;

/// How long a record outlives its board.
pub const LINGER: Duration = Duration::from_secs(3);
/// The same for native-USB boards, which vanish while they are flashed.
pub const LINGER_NATIVE_USB: Duration = Duration::from_secs(12);

/// How often, and how patiently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Between pings, before jitter.
    pub ping: Duration,
    /// Between attempts that fail.
    pub backoff: Backoff,
}

impl Default for Timing {
    /// A ping a minute; attempts 1 s to 2 min apart.
    fn default() -> Timing {
        let backoff = Backoff { base: Duration::from_secs(1), max: Duration::from_secs(120) };
        Timing { ping: Duration::from_secs(60), backoff }
    }
}

/// What to ask of the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Register or update.
    Put(Wanted),
    /// Say that the board is there.
    Ping,
    /// Remove the record.
    Delete,
}

/// What the registry said. The texts are for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Done.
    Accepted,
    /// It has no such record.
    NotFound,
    /// 403: the record is there and is not ours.
    Forbidden(String),
    /// It says no, and will until somebody changes something.
    Refused(String),
    /// No answer, or one that may be better next time. Whether it was done is unknown.
    Failed(String),
}

/// When there is something to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// At this time.
    At(Instant),
    /// Not before something else happens.
    Never,
    /// Never again: this registration can be dropped. [`Registration::may_remain`] tells whether a record may be left.
    Finished,
}

/// What is known of the registry's record.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Remote {
    /// There is none of ours.
    Nothing,
    /// There may be one: the last run's, or a request's whose answer is missing.
    Unsure,
    /// This.
    Holds(Wanted),
    /// One that another host put there, with another secret.
    Foreign,
    /// One that this token may not delete.
    Stuck,
}

/// What is known of the board.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Board {
    Ready(Wanted),
    Starting,
    AwaySince { delete_at: Instant },
}

/// The state machine.
#[derive(Debug)]
pub struct Registration {
    timing: Timing,
    can_delete: bool,
    linger: Duration,
    board: Board,
    remote: Remote,
    under_way: Option<Action>,
    /// Something has changed since that was sent.
    reconsidered: bool,
    /// Failures in a row.
    failures: u32,
    /// Backoff: nothing starts earlier.
    not_before: Instant,
    ping_at: Instant,
    /// A foreign record was deleted once, or could not be: not again until a put succeeds.
    replaced: bool,
    error: Option<String>,
}

impl Registration {
    /// Of a board that was never registered there. `can_delete`: there is a token for this registry.
    pub fn new(timing: Timing, can_delete: bool, now: Instant) -> Registration {
        Registration {
            timing,
            can_delete,
            linger: LINGER,
            board: Board::Starting,
            remote: Remote::Nothing,
            under_way: None,
            reconsidered: false,
            failures: 0,
            not_before: now,
            ping_at: now,
            replaced: false,
            error: None,
        }
    }

    /// Of a board that the last run left there. Unless it is seen again within `linger`, the record is deleted.
    pub fn leftover(timing: Timing, can_delete: bool, linger: Duration, now: Instant) -> Registration {
        let board = Board::AwaySince { delete_at: now + linger };
        Registration { remote: Remote::Unsure, board, ..Registration::new(timing, can_delete, now) }
    }

    /// The board as it is seen now.
    pub fn sighted(&mut self, sighting: &Sighting, now: Instant) {
        self.linger = sighting.linger;
        match &sighting.presence {
            Presence::Ready(wanted) => self.back(Board::Ready(wanted.clone())),
            Presence::Starting => self.back(Board::Starting),
            Presence::Away => self.vanished(now),
        }
    }

    /// The board is not to be seen any more.
    pub fn vanished(&mut self, now: Instant) {
        if !matches!(self.board, Board::AwaySince { .. }) {
            self.board = Board::AwaySince { delete_at: now + self.linger };
        }
    }

    fn back(&mut self, board: Board) {
        self.board = board;
        if self.remote == Remote::Stuck {
            self.remote = Remote::Unsure;
        }
    }

    /// Another token, or none, or simply another look: what waits for a retry is tried at once.
    pub fn reconsider(&mut self, can_delete: bool, now: Instant) {
        self.can_delete = can_delete;
        self.replaced = false;
        self.not_before = now;
        // Its answer belongs to what was before.
        self.reconsidered = self.under_way.is_some();
        if self.remote == Remote::Stuck {
            self.remote = Remote::Unsure;
        }
    }

    /// When there is something to do next.
    pub fn due(&self) -> Due {
        if self.under_way.is_some() {
            return Due::Never;
        }
        match (&self.board, &self.remote) {
            (Board::Ready(wanted), Remote::Holds(held)) if wanted == held => Due::At(self.ping_at.max(self.not_before)),
            (Board::Ready(_), _) => Due::At(self.not_before),
            (Board::Starting, Remote::Holds(_)) => Due::At(self.ping_at.max(self.not_before)),
            (Board::Starting, _) => Due::Never,
            (Board::AwaySince { .. }, Remote::Nothing | Remote::Foreign | Remote::Stuck) => Due::Finished,
            (Board::AwaySince { .. }, _) if !self.can_delete => Due::Finished,
            (Board::AwaySince { delete_at }, _) => Due::At(self.not_before.max(*delete_at)),
        }
    }

    /// Starts what is due at `now`, if anything is. The answer has to come to [`Registration::answered`].
    pub fn start(&mut self, now: Instant) -> Option<Action> {
        if !matches!(self.due(), Due::At(at) if at <= now) {
            return None;
        }
        let action = match (&self.board, &self.remote) {
            (Board::Ready(wanted), Remote::Holds(held)) if wanted == held => Action::Ping,
            (Board::Ready(_), Remote::Foreign) if self.can_delete && !self.replaced => Action::Delete,
            (Board::Ready(wanted), _) => Action::Put(wanted.clone()),
            (Board::Starting, _) => Action::Ping,
            (Board::AwaySince { .. }, _) => Action::Delete,
        };
        self.under_way = Some(action.clone());
        Some(action)
    }

    /// The last error, until something succeeds.
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// Whether somebody should look at it: the last attempt failed, or another host is in the way.
    pub fn is_troubled(&self) -> bool {
        self.error.is_some() || self.remote == Remote::Foreign
    }

    /// Whether a record of ours may be at the registry, so that it has to be remembered for the next run.
    pub fn may_remain(&self) -> bool {
        self.under_way.is_some() || !matches!(self.remote, Remote::Nothing | Remote::Foreign)
    }

    /// Whether the registry has the board's record, as far as is known.
    pub fn registered(&self) -> bool {
        matches!(self.remote, Remote::Holds(_))
    }
}
