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
use super::heartbeat::Heartbeats;
use crate::io::registry_client::RegistryClient;
use crate::io::store::{Store, StoreError};
use crate::pure::registration::{LINGER, Sighting, Timing, sighting};
use crate::pure::view::BoardView;

use status::StatusBoard;
use target::{Aim, Target};
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
    /// Whether it is for all boards, and not only for those that name it.
    pub default: bool,
}

/// Which registries there are. Sent anew when the configuration was read again.
#[derive(Clone, Debug, Default)]
pub struct Registries {
    /// Whether boards are registered at the embedded registry.
    pub embedded: bool,
    /// The other registries. One URL counts once.
    pub remotes: Vec<RemoteRegistry>,
}

/// What the registrar needs.
pub struct RegistrarConfig {
    /// Where boards are seen, and their secrets asked for.
    pub directory: Directory,
    /// The outbox, and the embedded registry.
    pub store: Store,
    /// Which registries there are.
    pub registries: watch::Receiver<Registries>,
    /// A board's WebSocket URL.
    pub address: Box<dyn Fn(Uuid) -> String + Send + Sync>,
    /// Pings and retries.
    pub timing: Timing,
    /// How long records of the last run wait for their boards before they are deleted; at least [`LINGER`] lets a board
    /// that is still attached be found first.
    pub leftover_linger: Duration,
    /// The loops that must turn.
    pub heartbeats: Heartbeats,
}

impl RegistrarConfig {
    /// These registries, with the usual times.
    pub fn new(
        directory: Directory,
        store: Store,
        registries: watch::Receiver<Registries>,
        address: impl Fn(Uuid) -> String + Send + Sync + 'static,
    ) -> Self {
        RegistrarConfig {
            directory,
            store,
            registries,
            address: Box::new(address),
            timing: Timing::default(),
            leftover_linger: LINGER,
            heartbeats: Heartbeats::default(),
        }
    }
}

/// All boards as the registries' tasks see them.
type Sightings = Arc<HashMap<Uuid, Sighting>>;

/// The registrar, ready to run.
pub struct Registrar {
    config: RegistrarConfig,
    board: StatusBoard,
    sightings: watch::Sender<Sightings>,
    /// What each registry's task is to know of its registry, by name.
    targets: HashMap<String, watch::Sender<Aim>>,
    tasks: JoinSet<()>,
    own_user: Uuid,
}

impl Registrar {
    /// Prepares everything. The receiver tells where each board is registered, for [`BoardView::registries`].
    pub async fn new(config: RegistrarConfig) -> Result<(Registrar, watch::Receiver<Statuses>), StoreError> {
        let (board, statuses) = StatusBoard::new();
        let own_user = config.store.registry().local_user().await?.id;
        let (sightings, targets, tasks) = (watch::Sender::default(), HashMap::new(), JoinSet::new());
        Ok((Registrar { config, board, sightings, targets, tasks, own_user }, statuses))
    }

    /// Runs until the directory's other end is gone. Dropping it at any point loses nothing: what remains to be done is
    /// in the store.
    pub async fn run(mut self) {
        self.say_what_remains().await;
        self.aim();
        let mut views = self.config.directory.watch();
        let mut pulse = self.config.heartbeats.pulse("registrar");
        loop {
            let seen = see(&self.config, &views.borrow_and_update());
            self.sightings.send_if_modified(|before| {
                let changed = **before != seen;
                if changed {
                    *before = Arc::new(seen);
                }
                changed
            });
            tokio::select! {
                changed = views.changed() => if changed.is_err() { break },
                Ok(()) = self.config.registries.changed() => self.aim(),
                () = pulse.beat() => {}
                Some(Err(error)) = self.tasks.join_next() => {
                    tracing::error!(%error, "a registry is not served any more");
                }
            }
        }
        drop(self.sightings);
        while self.tasks.join_next().await.is_some() {}
    }

    /// Tells each registry's task what its registry is now, and starts those that are missing. A registry that nobody
    /// names any more keeps its task, which removes the boards from it.
    fn aim(&mut self) {
        let Registries { embedded, remotes } = self.config.registries.borrow_and_update().clone();
        let registry = self.config.store.registry().clone();
        let mut aims = vec![Aim { target: Target::Embedded { registry, user: self.own_user }, default: embedded }];
        for remote in remotes {
            if !aims.iter().any(|aim| aim.target.name() == remote.client.url()) {
                aims.push(Aim { default: remote.default, target: Target::Remote(remote) });
            }
        }
        for (name, sender) in &self.targets {
            if !aims.iter().any(|aim| aim.target.name() == name) {
                sender.send_modify(|aim| aim.default = false);
            }
        }
        for aim in aims {
            self.board.add(aim.target.name());
            match self.targets.get(aim.target.name()) {
                Some(sender) => drop(sender.send_replace(aim)),
                None => {
                    let (sender, receiver) = watch::channel(aim.clone());
                    self.targets.insert(aim.target.name().to_owned(), sender);
                    let worker = Worker::new(&self.config, receiver, self.sightings.subscribe(), self.board.clone());
                    self.tasks.spawn(worker.run());
                }
            }
        }
    }

    /// Records of the last run at a registry that nobody names any more stay where they are.
    async fn say_what_remains(&self) {
        let named = self.config.registries.borrow().clone();
        let is_named = |name: &str| name == EMBEDDED || named.remotes.iter().any(|remote| remote.client.url() == name);
        let registries = self.config.store.registries_with_records().await.unwrap_or_default();
        for (registry, records) in registries.into_iter().filter(|(name, _)| !is_named(name)) {
            tracing::warn!(
                registry,
                "{records} of the last run's records may remain there, since it is not configured any more; to remove \
                 them add it once more, with its token and `default = false`"
            );
        }
    }
}

fn see(config: &RegistrarConfig, views: &[BoardView]) -> HashMap<Uuid, Sighting> {
    let seen = |view: &BoardView| (view.id, sighting(view, (config.address)(view.id)));
    views.iter().map(seen).collect()
}
