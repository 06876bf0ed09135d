//! The supervisor: finds ports, gives each board its id, starts and stops the boards' loops, and serves the directory.
//!
//! Events are hints, scans are truth: whatever wakes it, it looks at all ports afresh and makes the boards follow.

mod entry;
mod firmwares;
mod flashing;
mod introductions;
mod plan;
#[cfg(test)]
mod plan_tests;
mod reconcile;
mod reconfigure;
mod requests;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio::time::sleep_until;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::entry::Entry;
pub use self::plan::Planner;
use super::directory::DirectoryServer;
use super::heartbeat::{Heartbeats, Pulse};
use super::keeper::Keeper;
use super::registrar::Statuses;
use super::status::{Generation, Reports, StatusBoard};
use crate::io::hotplug::Hotplug;
use crate::io::named::Making;
use crate::io::store::Store;
use crate::pure::admission::{Answers, GenericPolicy};
use crate::pure::firmwares::Firmwares;
use crate::pure::identity::{HostKey, SerialMemory};
use crate::pure::introduction::Descriptors;
use crate::pure::port::Port;
use crate::pure::view::{BoardState, BoardView};

/// How often ports are looked at without any hint.
const SCAN_TICK: Duration = Duration::from_secs(5);

/// How long changes are gathered before they are published.
const PUBLISH_AFTER: Duration = Duration::from_millis(5);

/// How soon after a board vanished its port is looked at again: the device node goes a little later than the line.
const RESCAN_AFTER_GONE: Duration = Duration::from_millis(200);

/// Boards that are gone and still shown by `list --all`.
const GONE_BOARDS: usize = 256;

/// Where to look for boards.
#[derive(Clone, Debug)]
pub struct Sources {
    /// `/sys`, or a tree like it.
    pub sysfs_root: PathBuf,
    /// `/dev`, or a tree like it.
    pub dev_root: PathBuf,
    /// Paths that the user named.
    pub devices: Vec<PathBuf>,
    /// How many boards to simulate.
    pub simulate: u32,
    /// What to do with generic chips that nobody has answered for.
    pub generic: GenericPolicy,
}

/// What the supervisor remembers, as stored.
#[derive(Debug)]
pub struct Memory {
    /// Tells this host's ports from another's.
    pub host: HostKey,
    /// By serial key.
    pub serials: BTreeMap<String, SerialMemory>,
    /// Chosen ids, by the id that the ladder gives.
    pub overrides: BTreeMap<Uuid, Uuid>,
    /// What the user allowed and ignored.
    pub answers: Answers,
    /// Firmware builds that were added.
    pub firmwares: Firmwares,
    /// What boards have said of their firmware.
    pub descriptors: Descriptors,
}

/// The supervisor's state.
pub struct Supervisor {
    sources: Sources,
    planner: Planner,
    memory: Memory,
    /// The ports that are here.
    present: Vec<Port>,
    /// Of the named ports that are here.
    makings: HashMap<PathBuf, Making>,
    store: Store,
    keeper: Keeper,
    heartbeats: Heartbeats,
    pulse: Pulse,
    entries: BTreeMap<Uuid, Entry>,
    status: StatusBoard,
    generation: Generation,
    server: DirectoryServer,
    registrations: watch::Receiver<Statuses>,
    publish_at: Option<Instant>,
    scan_at: Instant,
}

impl Supervisor {
    /// A supervisor that has not looked at any port yet.
    pub fn new(
        sources: Sources,
        planner: Planner,
        memory: Memory,
        store: Store,
        keeper: Keeper,
        server: DirectoryServer,
        registrations: watch::Receiver<Statuses>,
    ) -> Self {
        let heartbeats = Heartbeats::default();
        Supervisor {
            sources,
            planner,
            memory,
            present: Vec::new(),
            makings: HashMap::new(),
            store,
            keeper,
            pulse: heartbeats.pulse("supervisor"),
            heartbeats,
            entries: BTreeMap::new(),
            status: StatusBoard::default(),
            generation: 0,
            server,
            registrations,
            publish_at: None,
            scan_at: Instant::now(),
        }
    }

    /// The same, with its loop and the boards' among those that must turn.
    pub fn watched(self, heartbeats: Heartbeats) -> Self {
        Supervisor { pulse: heartbeats.pulse("supervisor"), heartbeats, ..self }
    }

    /// Runs until cancelled; then every port is closed in order. `scanned` is told when the first look at the ports is done.
    pub async fn run(mut self, mut hotplug: Hotplug, cancel: CancellationToken, scanned: mpsc::Sender<()>) {
        self.reconcile().await;
        self.publish();
        drop(scanned);
        loop {
            let publish_at = self.publish_at.unwrap_or_else(|| Instant::now() + SCAN_TICK);
            tokio::select! {
                () = hotplug.hint() => {
                    self.retry_waiting();
                    self.reconcile().await;
                }
                () = sleep_until(self.scan_at.into()) => {
                    hotplug.rearm();
                    self.reconcile().await;
                }
                reports = self.status.take() => self.take_reports(reports).await,
                Some(request) = self.server.requests.recv() => self.answer(request).await,
                Ok(()) = self.registrations.changed() => self.changed(),
                () = sleep_until(publish_at.into()), if self.publish_at.is_some() => self.publish(),
                () = self.pulse.beat() => {}
                () = cancel.cancelled() => break,
            }
        }
        self.stop_all().await;
    }

    /// Something that the views show has changed.
    fn changed(&mut self) {
        self.publish_at.get_or_insert_with(|| Instant::now() + PUBLISH_AFTER);
    }

    fn publish(&mut self) {
        self.publish_at = None;
        let registrations = self.registrations.borrow_and_update().clone();
        let view = |entry: &Entry| entry.view(registrations.get(&entry.id).cloned().unwrap_or_default());
        let views: Vec<BoardView> = self.entries.values().map(view).collect();
        self.server.views.send_replace(Arc::new(views));
    }

    async fn take_reports(&mut self, reports: Reports) {
        for (id, (generation, status)) in reports.statuses {
            let Some(entry) = self.entries.get_mut(&id).filter(|entry| entry.generation == generation) else {
                continue;
            };
            if status.state == BoardState::Gone {
                entry.gone();
                self.scan_at = self.scan_at.min(Instant::now() + RESCAN_AFTER_GONE);
            } else {
                entry.status = status;
            }
        }
        for (id, introduced) in reports.introductions {
            self.introduce(id, introduced).await;
        }
        self.forget_long_gone();
        self.publish();
    }

    /// Keeps the newest of the boards that are gone.
    fn forget_long_gone(&mut self) {
        let mut gone: Vec<(Instant, Uuid)> =
            self.entries.values().filter_map(|entry| Some((entry.gone_since?, entry.id))).collect();
        gone.sort_unstable();
        for (_, id) in gone.iter().rev().skip(GONE_BOARDS) {
            self.entries.remove(id);
        }
    }

    async fn stop_all(&mut self) {
        let handles: Vec<_> = self.entries.values_mut().filter_map(|entry| entry.handle.take()).collect();
        futures_util::future::join_all(handles.into_iter().map(super::board::Handle::stop)).await;
    }
}
