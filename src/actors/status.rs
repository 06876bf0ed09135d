//! What the boards' loops report to the supervisor: one slot a board, the latest wins, so reporting never waits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
use uuid::Uuid;

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

/// The slots.
#[derive(Clone, Debug, Default)]
pub struct StatusBoard {
    changed: Arc<Mutex<HashMap<Uuid, (Generation, Status)>>>,
    notify: Arc<Notify>,
}

impl StatusBoard {
    /// Reports a status.
    pub fn report(&self, id: Uuid, generation: Generation, status: Status) {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner).insert(id, (generation, status));
        self.notify.notify_one();
    }

    /// While this is held, whoever reports hangs.
    #[cfg(test)]
    pub(super) fn hold(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, (Generation, Status)>> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for reports and takes them.
    pub async fn take(&self) -> HashMap<Uuid, (Generation, Status)> {
        loop {
            let notified = self.notify.notified();
            let taken = std::mem::take(&mut *self.changed.lock().unwrap_or_else(PoisonError::into_inner));
            if !taken.is_empty() {
                return taken;
            }
            notified.await;
        }
    }
}
