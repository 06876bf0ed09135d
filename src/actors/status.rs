//! What the boards' loops report to the supervisor: one slot a board, the latest wins, so reporting never waits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};
use uuid::Uuid;

use super::traffic::Meter;
use crate::pure::introduction::{Introduction, Recognition};
use crate::pure::view::{BoardState, Firmware};

/// A board's loop as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// The state.
    pub state: BoardState,
    /// Why, and what to do.
    pub reason: String,
    /// While the session is open.
    pub firmware: Option<Firmware>,
    /// Connected clients.
    pub clients: usize,
}

/// A loop's life: reports of an earlier one are dropped.
pub type Generation = u64;

/// A board has said who it is, and waits to hear who it is from now on.
#[derive(Debug)]
pub struct Introduced {
    /// The loop that it talks to.
    pub generation: Generation,
    /// What it says.
    pub introduction: Introduction,
    /// Where the answer goes.
    pub reply: oneshot::Sender<Recognized>,
}

/// The answer to [`Introduced`].
#[derive(Debug)]
pub struct Recognized {
    /// Who the board is.
    pub recognition: Recognition,
    /// Counts what goes over its line from now on.
    pub meter: Arc<Meter>,
}

/// What was reported since the last time, by the id that each loop knew its board by.
#[derive(Debug, Default)]
pub struct Reports {
    /// How the loops stand.
    pub statuses: HashMap<Uuid, (Generation, Status)>,
    /// Boards that have introduced themselves.
    pub introductions: HashMap<Uuid, Introduced>,
}

/// The slots.
#[derive(Clone, Debug, Default)]
pub struct StatusBoard {
    reports: Arc<Mutex<Reports>>,
    notify: Arc<Notify>,
}

impl StatusBoard {
    /// Reports a status.
    pub fn report(&self, id: Uuid, generation: Generation, status: Status) {
        self.reports().statuses.insert(id, (generation, status));
        self.notify.notify_one();
    }

    /// A board has introduced itself.
    pub fn introduce(&self, id: Uuid, introduced: Introduced) {
        self.reports().introductions.insert(id, introduced);
        self.notify.notify_one();
    }

    /// While this is held, whoever reports hangs.
    #[cfg(test)]
    pub(super) fn hold(&self) -> MutexGuard<'_, Reports> {
        self.reports()
    }

    /// Waits for reports and takes them.
    pub async fn take(&self) -> Reports {
        loop {
            let notified = self.notify.notified();
            let taken = std::mem::take(&mut *self.reports());
            if !taken.statuses.is_empty() || !taken.introductions.is_empty() {
                return taken;
            }
            notified.await;
        }
    }

    fn reports(&self) -> MutexGuard<'_, Reports> {
        self.reports.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
