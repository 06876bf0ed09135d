//! Keeps every ready board in every registry, and removes it when it is gone.
//!
//! One task watches the boards; one task per registry does the talking, so that a registry that hangs delays no other.
//! Boards wait for none of them. What to do when is decided by [`crate::pure::registration`].

mod status;
mod target;
#[cfg(test)]
mod tests;
mod worker;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::directory::Directory;
use crate::io::registry_client::RegistryClient;
use crate::io::store::{Store, StoreError};
use crate::pure::registration::{LINGER, Sighting, Timing, sighting};
use crate::pure::view::BoardView;

use status::StatusBoard;
use target::Target;
use worker::Worker;

pub use status::Statuses;

/// The name of the embedded registry in `status` and in the store; others have their URL.
pub const EMBEDDED: &str = "embedded";

/// A registry somewhere else.
#[derive(Clone, Debug)]
pub struct RemoteRegistry {
    /// How to reach it.
    pub client: RegistryClient,
    /// In whose list the boards appear there.
    pub user: Uuid,
}

/// What the registrar needs.
pub struct RegistrarConfig {
    /// Where boards are seen, and their secrets asked for.
    pub directory: Directory,
    /// The outbox, and the embedded registry.
    pub store: Store,
    /// Whether boards are registered at the embedded registry.
    pub embedded: bool,
    /// The other registries. One URL counts once.
    pub remotes: Vec<RemoteRegistry>,
    /// A board's WebSocket URL.
    pub address: Box<dyn Fn(Uuid) -> String + Send + Sync>,
    /// Pings and retries.
    pub timing: Timing,
    /// How long records of the last run wait for their boards before they are deleted; at least [`LINGER`] lets a board
    /// that is still attached be found first.
    pub leftover_linger: Duration,
}

impl RegistrarConfig {
    /// The embedded registry alone, with the usual times.
    pub fn new(directory: Directory, store: Store, address: impl Fn(Uuid) -> String + Send + Sync + 'static) -> Self {
        RegistrarConfig {
            directory,
            store,
            embedded: true,
            remotes: Vec::new(),
            address: Box::new(address),
            timing: Timing::default(),
            leftover_linger: LINGER,
        }
    }
}

/// All boards as the registries' tasks see them.
type Sightings = Arc<HashMap<Uuid, Sighting>>;

/// The registrar, ready to run.
pub struct Registrar {
    config: RegistrarConfig,
    workers: Vec<Worker>,
    sightings: watch::Sender<Sightings>,
}

impl Registrar {
    /// Prepares a task for each registry. The receiver tells where each board is registered, for
    /// [`BoardView::registries`].
    pub async fn new(mut config: RegistrarConfig) -> Result<(Registrar, watch::Receiver<Statuses>), StoreError> {
        let mut targets = Vec::new();
        if config.embedded {
            targets.push(Target::embedded(config.store.registry().clone()).await?);
        }
        for remote in std::mem::take(&mut config.remotes) {
            if !targets.iter().any(|target| target.name() == remote.client.url()) {
                targets.push(Target::Remote(remote));
            }
        }
        let (board, statuses) = StatusBoard::new(targets.iter().map(|target| target.name().to_owned()).collect());
        let (sightings, seen) = watch::channel(Sightings::default());
        let workers =
            targets.into_iter().map(|target| Worker::new(&config, target, seen.clone(), board.clone())).collect();
        Ok((Registrar { config, workers, sightings }, statuses))
    }

    /// Runs until the directory's other end is gone. Dropping it at any point loses nothing: what remains to be done is
    /// in the store.
    pub async fn run(self) {
        let Registrar { config, workers, sightings } = self;
        let mut tasks: JoinSet<()> = workers.into_iter().map(Worker::run).collect();
        let mut views = config.directory.watch();
        loop {
            let seen = see(&config, &views.borrow_and_update());
            sightings.send_if_modified(|before| {
                let changed = **before != seen;
                if changed {
                    *before = Arc::new(seen);
                }
                changed
            });
            tokio::select! {
                changed = views.changed() => if changed.is_err() { break },
                Some(Err(error)) = tasks.join_next() => tracing::error!(%error, "a registry is not served any more"),
            }
        }
        drop(sightings);
        while tasks.join_next().await.is_some() {}
    }
}

fn see(config: &RegistrarConfig, views: &[BoardView]) -> HashMap<Uuid, Sighting> {
    let seen = |view: &BoardView| (view.id, sighting(view, (config.address)(view.id)));
    views.iter().map(seen).collect()
}
