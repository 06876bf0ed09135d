//! The keeper: writes what boards want saved into the store. One slot a board, the latest wins, so that no board waits for a disk.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::io::store::Store;

/// The slots. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Keeper {
    waiting: Arc<Mutex<HashMap<Uuid, String>>>,
    notify: Arc<Notify>,
}

impl Keeper {
    /// Saves this, soon.
    pub fn keep(&self, board: Uuid, saved: String) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(board, saved);
        self.notify.notify_one();
    }

    /// What waits to be written for a board: newer than what the store has.
    pub fn waiting(&self, board: Uuid) -> Option<String> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).get(&board).cloned()
    }

    /// Writes until cancelled, then what is left.
    pub async fn run(self, store: Store, cancel: CancellationToken) {
        while !cancel.is_cancelled() {
            tokio::select! {
                () = self.notify.notified() => {}
                () = cancel.cancelled() => {}
            }
            self.write(&store).await;
        }
    }

    async fn write(&self, store: &Store) {
        let waiting: Vec<(Uuid, String)> = {
            let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.iter().map(|(board, saved)| (*board, saved.clone())).collect()
        };
        for (board, saved) in waiting {
            if let Err(error) = store.save_graph(board, &saved).await {
                tracing::warn!(%board, %error, "the board's graph was not saved");
            }
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            // Unless a newer one has come meanwhile: it has its own notification.
            if waiting.get(&board) == Some(&saved) {
                waiting.remove(&board);
            }
        }
    }
}
