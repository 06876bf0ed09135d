//! The keeper: writes what boards want saved into the store. One slot a board, the latest wins, so that no board waits for a disk.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::heartbeat::Pulse;
use crate::io::store::Store;

/// How soon what could not be written is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(10);

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
    pub async fn run(self, store: Store, mut pulse: Pulse, cancel: CancellationToken) {
        while !cancel.is_cancelled() {
            tokio::select! {
                () = self.notify.notified() => {}
                () = sleep(RETRY_AFTER), if self.has_waiting() => {}
                // What is waiting is tried again then, too.
                () = pulse.beat() => {}
                () = cancel.cancelled() => {}
            }
            self.write(&store).await;
        }
    }

    fn has_waiting(&self) -> bool {
        !self.waiting.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    async fn write(&self, store: &Store) {
        let waiting: Vec<(Uuid, String)> = {
            let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.iter().map(|(board, saved)| (*board, saved.clone())).collect()
        };
        for (board, saved) in waiting {
            if let Err(error) = store.save_graph(board, &saved).await {
                tracing::warn!(%board, %error, "the board's graph was not saved; trying again");
                continue;
            }
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            // Unless a newer one has come meanwhile: it has its own notification.
            if waiting.get(&board) == Some(&saved) {
                waiting.remove(&board);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_cannot_be_written_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).await.unwrap();
        let database = sqlx::SqlitePool::connect(&format!("sqlite:{}", dir.path().join("state.db").display())).await;
        sqlx::query("ALTER TABLE graphs RENAME TO away").execute(database.as_ref().unwrap()).await.unwrap();
        let (keeper, board) = (Keeper::default(), Uuid::from_u128(7));
        keeper.keep(board, "graph".to_owned());
        keeper.write(&store).await;
        assert_eq!(keeper.waiting(board).as_deref(), Some("graph"), "it is newer than what the store has");
        sqlx::query("ALTER TABLE away RENAME TO graphs").execute(database.as_ref().unwrap()).await.unwrap();
        keeper.write(&store).await;
        assert_eq!(keeper.waiting(board), None);
        assert_eq!(store.graph(board).await.unwrap().as_deref(), Some("graph"));
    }
}
