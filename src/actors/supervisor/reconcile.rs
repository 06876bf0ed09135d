//! Makes the boards follow the ports.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::entry::{Entry, Opening};
use super::introductions::{IGNORED, Manner, warnings};
use super::plan::Plan;
use super::{Memory, SCAN_TICK, Sources, Supervisor};
use crate::actors::board;
use crate::actors::status::Status;
use crate::io::named::{Making, making};
use crate::io::scan::{ScanError, scan, usb_devices};
use crate::pure::admission::{Admission, admission};
use crate::pure::families::Family;
use crate::pure::fbp::left_in;
use crate::pure::flashing::is_bootloader;
use crate::pure::identity::told::{Told, last_told};
use crate::pure::identity::{Assignment, assign};
use crate::pure::port::{Port, UsbDevice, UsbPort};
use crate::pure::view::{BoardState, Firmware};

/// How soon after its line broke a port that is still there is opened again.
const RETURN_AFTER: Duration = Duration::from_millis(500);

/// What the system shows.
struct Look {
    usb: Vec<UsbPort>,
    bootloaders: Vec<UsbDevice>,
    named: HashMap<PathBuf, Making>,
}

/// What is here: ports where boards may be, and boards that are being flashed.
struct Found {
    ports: Vec<Port>,
    bootloaders: Vec<UsbDevice>,
}

/// What is to be done with a port.
enum Verdict {
    Open(Family),
    Show(BoardState, String),
}

impl Supervisor {
    /// Looks at all ports and makes the boards follow.
    pub(super) async fn reconcile(&mut self) {
        self.scan_at = Instant::now() + SCAN_TICK;
        let Some(Found { ports, bootloaders }) = self.found().await else { return };
        self.present = ports;
        let assignments = self.assignments().await;
        let is_here = |entry: &Entry| assignments.iter().any(|found| found.id == entry.id);
        self.follow_bootloaders(&bootloaders, is_here);
        self.drop_missing(is_here);
        for assignment in assignments {
            self.follow(assignment).await;
        }
        self.give_builds();
    }

    /// The ids of all boards that are here, as they stand now; what is new about them is remembered.
    pub(super) async fn assignments(&mut self) -> Vec<Assignment> {
        let here = |entry: &&Entry| !entry.is_gone() && self.present.contains(&entry.port);
        let here: Vec<&Entry> = self.entries.values().filter(here).collect();
        let ids = here.iter().filter_map(|entry| Some((entry.natural_id, entry.introduction.id?))).collect();
        let awaited = here.iter().filter(|entry| entry.is_awaited()).map(|entry| entry.natural_id).collect();
        let told = Told { ids, awaited };
        let Memory { serials, overrides, host, .. } = &self.memory;
        let assigned = assign(&self.present, &told, serials, overrides, host);
        for (key, memory) in assigned.changes {
            self.remember(key, memory).await;
        }
        assigned.assignments
    }

    /// What is here now; `None` if that cannot be known.
    async fn found(&mut self) -> Option<Found> {
        let sources = self.sources.clone();
        let Look { usb, bootloaders, named } = match tokio::task::spawn_blocking(move || look(&sources)).await {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => {
                tracing::warn!(%error, "the ports could not be looked at; trying again");
                return None;
            }
            Err(_) => return None,
        };
        self.makings = named;
        let named = self.sources.devices.iter().filter(|path| self.makings.contains_key(*path));
        let simulated = (0..self.sources.simulate).map(Port::Simulated);
        let usb = usb.into_iter().filter(|port| !is_bootloader(port.vid, port.pid)).map(Port::Usb);
        Some(Found { ports: usb.chain(named.cloned().map(Port::Named)).chain(simulated).collect(), bootloaders })
    }

    fn drop_missing(&mut self, is_here: impl Fn(&Entry) -> bool) {
        let now = Instant::now();
        let missing = |entry: &&mut Entry| !entry.is_gone() && !entry.is_flashing(now) && !is_here(entry);
        let mut changed = false;
        for entry in self.entries.values_mut().filter(missing) {
            entry.gone();
            changed = true;
        }
        if changed {
            self.publish();
        }
    }

    async fn follow(&mut self, assignment: Assignment) {
        let Some(verdict) = self.verdict(&assignment) else {
            if let Some(entry) = self.entries.get_mut(&assignment.id).filter(|entry| !entry.is_gone()) {
                entry.gone();
                self.changed();
            }
            return;
        };
        let making = self.making(&assignment.port);
        if self.is_left_behind(&assignment, making) {
            return;
        }
        // Under whatever id it was there.
        let vanished = |entry: &&Entry| entry.port == assignment.port && entry.making == making;
        let vanished = self.entries.values().filter(vanished).filter_map(|entry| entry.gone_since).max();
        if let Some(since) = vanished
            && since.elapsed() < RETURN_AFTER
        {
            self.scan_at = self.scan_at.min(since + RETURN_AFTER);
            return;
        }
        let known = self.entries.get(&assignment.id).filter(|entry| !entry.is_gone() && entry.port == assignment.port);
        match (known, &verdict) {
            // Its loop sees to it.
            (Some(entry), Verdict::Open(_)) if entry.is_served() && !entry.gave_up_before(making) => return,
            (Some(entry), Verdict::Show(state, reason))
                if entry.handle.is_none() && entry.status.state == *state && entry.status.reason == *reason =>
            {
                return;
            }
            _ => {}
        }
        self.attach(assignment, verdict).await;
    }

    /// Whether a board that is gone has left a link that leads to somebody else's port now.
    fn is_left_behind(&self, assignment: &Assignment, making: Option<Making>) -> bool {
        let was_there = |entry: &&Entry| entry.is_gone() && entry.natural_id == assignment.natural_id;
        let last = self.entries.values().filter(was_there).max_by_key(|entry| entry.gone_since);
        let before = last.and_then(|entry| entry.making);
        making.zip(before).is_some_and(|(now, before)| now.is_left_from(&before))
    }

    fn making(&self, port: &Port) -> Option<Making> {
        match port {
            Port::Named(path) => self.makings.get(path).copied(),
            Port::Usb(_) | Port::Simulated(_) => None,
        }
    }

    /// Whether to open a port; `None`: it is no board and is not shown.
    fn verdict(&self, assignment: &Assignment) -> Option<Verdict> {
        if self.planner.ignores(&assignment.port, assignment.id) {
            return Some(Verdict::Show(BoardState::Ignored, IGNORED.into()));
        }
        let usb = match &assignment.port {
            Port::Usb(usb) => usb,
            Port::Named(_) | Port::Simulated(_) => return Some(Verdict::Open(Family::UNLISTED)),
        };
        match admission(usb, assignment.natural_id, self.sources.generic, &self.memory.answers) {
            Admission::Open(family) => Some(Verdict::Open(family)),
            Admission::Ask { reason } => Some(Verdict::Show(BoardState::NotAllowed, reason)),
            Admission::Ignored { reason } => Some(Verdict::Show(BoardState::Ignored, reason)),
            Admission::Bootloader { .. } | Admission::NotOurs => None,
        }
    }

    /// A board is new, is back, or is to be treated otherwise.
    async fn attach(&mut self, assignment: Assignment, verdict: Verdict) {
        let Assignment { id, natural_id, port, rung, warning } = assignment;
        let before = self.entries.get_mut(&id);
        // What it has said holds for as long as its line does.
        let said = before.as_ref().filter(|entry| !entry.is_gone() && entry.port == port);
        let introduction = said.map(|entry| entry.introduction.clone()).unwrap_or_default();
        if let Some(handle) = before.and_then(|entry| entry.handle.take()) {
            if handle.has_failed() {
                tracing::error!(board = %id, "its loop has failed; it is started anew");
            }
            self.pulse.during(handle.stop()).await;
        }
        let family = match &verdict {
            Verdict::Open(family) => *family,
            Verdict::Show(..) => Family::UNLISTED,
        };
        let Some(Manner { mut plan, label, secrets, wish }) = self.manner(&port, id, family, &introduction).await
        else {
            return;
        };
        tracing::info!(board = %id, label, port = %port, "found");
        self.generation += 1;
        let mut entry = Entry {
            id,
            natural_id,
            rung: rung.name(),
            making: self.making(&port),
            port,
            label,
            secrets,
            wish,
            opening: Opening::new(family, &plan),
            restore: plan.restore,
            warnings: warnings(warning, &introduction),
            introduction,
            build: plan.build.clone(),
            linger: family.removal_debounce(),
            generation: self.generation,
            status: opening(),
            handle: None,
            gone_since: None,
            bootloader_seen: None,
        };
        match verdict {
            Verdict::Open(_) => entry.handle = Some(self.start(&entry, &mut plan).await),
            Verdict::Show(state, reason) => entry.status = Status { state, reason, firmware: None, clients: 0 },
        }
        self.entries.insert(id, entry);
        self.changed();
    }

    /// What was saved of a board. Without it the board is served as a new one.
    pub(super) async fn saved(&self, id: Uuid) -> Option<String> {
        if let Some(saved) = self.keeper.waiting(id) {
            return Some(saved);
        }
        self.store.graph(id).await.unwrap_or_else(|error| {
            tracing::warn!(board = %id, %error, "what was saved of the board cannot be read");
            None
        })
    }

    async fn start(&self, entry: &Entry, plan: &mut Plan) -> board::Handle {
        let saved = self.saved(entry.id).await;
        let mut session = plan.session.clone();
        session.left = self.left(entry, saved.as_deref()).await;
        let setup = board::Setup {
            id: entry.id,
            generation: entry.generation,
            target: plan.target.clone(),
            session,
            resets: plan.resets,
            identity: entry.identity(),
            build: plan.build.take(),
            saved,
            restore: plan.restore,
            introduction: entry.introduction.clone(),
            known: self.memory.descriptors.clone(),
            persistent: !matches!(entry.port, Port::Usb(_)),
            meter: self.server.traffic.meter(entry.id),
        };
        board::spawn(
            setup,
            self.status.clone(),
            self.keeper.clone(),
            self.heartbeats.pulse(format!("board {}", entry.id)).replaced(),
        )
    }

    /// How the board may have been left: what was saved of it, or of those that were last in its place and have an id of their own.
    async fn left(&self, entry: &Entry, saved: Option<&str>) -> Option<Firmware> {
        if let Some(left) = saved.and_then(left_in) {
            return Some(left);
        }
        for id in last_told(&self.memory.serials, entry.natural_id) {
            if let Some(left) = self.saved(id).await.as_deref().and_then(left_in) {
                return Some(left);
            }
        }
        None
    }
}

/// Blocks.
fn look(sources: &Sources) -> Result<Look, ScanError> {
    let usb = scan(&sources.sysfs_root, &sources.dev_root)?;
    let mut bootloaders = usb_devices(&sources.sysfs_root)?;
    bootloaders.retain(|device| is_bootloader(device.vid, device.pid));
    let named = sources.devices.iter().filter_map(|path| Some((path.clone(), making(path)?)));
    Ok(Look { usb, bootloaders, named: named.collect() })
}

fn opening() -> Status {
    Status { state: BoardState::Opening, reason: "the port is being opened".into(), firmware: None, clients: 0 }
}
