//! From start to stop: what long-lived connections watch and who waits for them.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::actors::heartbeat::{Heartbeats, Pulse};

/// Tells everything that serves connections to stop, and waits until it has. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Lifecycle {
    stop: CancellationToken,
    tasks: TaskTracker,
    heartbeats: Heartbeats,
}

impl Lifecycle {
    /// Running.
    pub fn new() -> Self {
        Lifecycle::default()
    }

    /// Running, with its loops among those that must turn.
    pub fn watched(heartbeats: Heartbeats) -> Self {
        Lifecycle { heartbeats, ..Lifecycle::default() }
    }

    /// For a loop that must turn.
    pub fn pulse(&self, name: impl Into<String>) -> Pulse {
        self.heartbeats.pulse(name)
    }

    /// Asks everything to stop.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Waits for [`Lifecycle::stop`].
    pub async fn stopping(&self) {
        self.stop.cancelled().await;
    }

    /// Runs a task that [`Lifecycle::finish`] waits for.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Counts a future that somebody else polls among those that [`Lifecycle::finish`] waits for.
    pub fn track<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        self.tasks.track_future(future)
    }

    /// Stops, and waits until everything has ended or `limit` is over. Whether everything has.
    pub async fn finish(&self, limit: Duration) -> bool {
        self.stop();
        self.tasks.close();
        tokio::time::timeout(limit, self.tasks.wait()).await.is_ok()
    }
}
