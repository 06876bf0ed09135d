//! One registry's task: a thin shell around one [`Registration`] per board.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{self, JoinSet};
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use super::target::{Aim, Target};
use super::{RegistrarConfig, Sightings, StatusBoard};
use crate::actors::directory::Directory;
use crate::actors::heartbeat::Pulse;
use crate::io::random;
use crate::io::store::{Store, StoreError};
use crate::pure::registration::{Action, Answer, Due, Presence, Registration, Timing};
use crate::pure::view::RegistryStatus;

/// Requests under way at one registry.
const CONCURRENCY: usize = 4;
/// How long the task sleeps when nothing is due. Anything that happens wakes it earlier.
const IDLE_SLEEP: Duration = Duration::from_secs(3600);

pub(super) struct Worker {
    aims: watch::Receiver<Aim>,
    target: Arc<Target>,
    store: Store,
    directory: Directory,
    timing: Timing,
    leftover_linger: Duration,
    sightings: watch::Receiver<Sightings>,
    statuses: StatusBoard,
    pulse: Pulse,
    registrations: HashMap<Uuid, Registration>,
    /// Boards whose status may have changed since it was published.
    touched: HashSet<Uuid>,
    /// Boards that are not registered any more, and whose records remain nevertheless: there is no token to delete them.
    remaining: HashSet<Uuid>,
    under_way: JoinSet<Answer>,
    /// Whose requests those are.
    requests: HashMap<task::Id, Uuid>,
}

impl Worker {
    pub(super) fn new(
        config: &RegistrarConfig,
        aims: watch::Receiver<Aim>,
        sightings: watch::Receiver<Sightings>,
        statuses: StatusBoard,
    ) -> Worker {
        let target = Arc::new(aims.borrow().target.clone());
        Worker {
            aims,
            pulse: config.heartbeats.pulse(format!("registry {}", target.name())),
            target,
            store: config.store.clone(),
            directory: config.directory.clone(),
            timing: config.timing,
            leftover_linger: config.leftover_linger,
            sightings,
            statuses,
            registrations: HashMap::new(),
            touched: HashSet::new(),
            remaining: HashSet::new(),
            under_way: JoinSet::new(),
            requests: HashMap::new(),
        }
    }

    pub(super) async fn run(mut self) {
        if let Err(error) = self.recall().await {
            tracing::warn!(registry = self.target.name(), %error, "what the last run left here is not known");
        }
        self.look();
        loop {
            self.start_due();
            self.drop_finished();
            self.publish();
            let wake = self.next_wake();
            tokio::select! {
                Ok(()) = self.aims.changed() => self.aim(),
                changed = self.sightings.changed() => match changed {
                    Ok(()) => self.look(),
                    Err(_) => return,
                },
                Some(done) = self.under_way.join_next_with_id() => self.finish(done).await,
                () = sleep_until(wake) => {}
                () = self.pulse.beat() => {}
            }
        }
    }

    /// Takes over what the last run left in the store.
    async fn recall(&mut self) -> Result<(), StoreError> {
        for row in self.store.registrations(self.target.name()).await? {
            let now = Instant::now().into_std();
            let leftover = Registration::leftover(self.timing, self.target.can_delete(), self.leftover_linger, now);
            self.registrations.insert(row.board, leftover);
        }
        Ok(())
    }

    /// The registry has another token, another user, or other boards now.
    fn aim(&mut self) {
        self.target = Arc::new(self.aims.borrow_and_update().target.clone());
        let (can_delete, now) = (self.target.can_delete(), Instant::now().into_std());
        for registration in self.registrations.values_mut() {
            registration.reconsider(can_delete, now);
        }
        self.look();
    }

    /// Tells every registration what is to be seen of its board.
    fn look(&mut self) {
        let now = Instant::now().into_std();
        let sightings = self.sightings.borrow_and_update().clone();
        for (id, registration) in &mut self.registrations {
            if !sightings.contains_key(id) {
                registration.vanished(now);
                self.touched.insert(*id);
            }
        }
        let default = self.aims.borrow().default;
        let (name, user) = (self.target.name(), self.target.user());
        for (id, sighting) in sightings.iter() {
            let sighting = sighting.seen_from(name, default, Some(user));
            let known = self.registrations.contains_key(id);
            if known || sighting.presence != Presence::Away {
                let new = || Registration::new(self.timing, self.target.can_delete(), now);
                self.registrations.entry(*id).or_insert_with(new).sighted(&sighting, now);
                self.touched.insert(*id);
            }
            if sighting.presence != Presence::Away {
                self.remaining.remove(id);
            }
        }
    }

    /// Starts what is due, the longest due first.
    fn start_due(&mut self) {
        let now = Instant::now().into_std();
        let free = CONCURRENCY.saturating_sub(self.under_way.len());
        let mut due: Vec<_> = self
            .registrations
            .iter()
            .filter_map(|(id, registration)| match registration.due() {
                Due::At(at) if at <= now => Some((at, *id)),
                _ => None,
            })
            .collect();
        due.sort_unstable();
        for (_, id) in due.into_iter().take(free) {
            let Some(registration) = self.registrations.get_mut(&id) else { continue };
            let Some(action) = registration.start(now) else { continue };
            self.touched.insert(id);
            let request =
                Request { target: self.target.clone(), store: self.store.clone(), directory: self.directory.clone() };
            let task = self.under_way.spawn(async move { request.carry_out(id, action).await });
            self.requests.insert(task.id(), id);
        }
    }

    async fn finish(&mut self, done: Result<(task::Id, Answer), task::JoinError>) {
        let (task, answer) =
            done.unwrap_or_else(|error| (error.id(), Answer::Failed(format!("internal error: {error}"))));
        let Some(id) = self.requests.remove(&task) else { return };
        let Some(registration) = self.registrations.get_mut(&id) else { return };
        let before = (registration.registered(), registration.error().map(str::to_owned));
        registration.answered(answer, Instant::now().into_std(), random::jitter());
        self.touched.insert(id);
        let registry = self.target.name();
        let after = (registration.registered(), registration.error().map(str::to_owned));
        match (&before, &after) {
            (before, after) if before == after => tracing::debug!(registry, board = %id, "the same as before"),
            (_, (_, Some(error))) => tracing::warn!(registry, board = %id, "{error}"),
            (_, (true, None)) => tracing::info!(registry, board = %id, "registered"),
            (_, (false, None)) => tracing::info!(registry, board = %id, "not registered any more"),
        }
        let noted = match registration.may_remain() {
            true => self.store.note_registration_error(registry, id, after.1.as_deref()).await,
            false => self.store.forget_registration(registry, id).await,
        };
        if let Err(error) = noted {
            tracing::warn!(registry, board = %id, %error, "the next run will not know how this ended");
        }
    }

    fn drop_finished(&mut self) {
        let finished = |registration: &Registration| matches!(registration.due(), Due::Finished);
        for (id, registration) in self.registrations.extract_if(|_, registration| finished(registration)) {
            self.touched.insert(id);
            if registration.may_remain() {
                self.remaining.insert(id);
            }
        }
    }

    fn publish(&mut self) {
        let registry = self.target.name();
        let status = |registration: &Registration| RegistryStatus {
            registry: registry.to_owned(),
            registered: registration.registered(),
            detail: registration.detail(),
            trouble: registration.is_troubled(),
        };
        let remains = |id: &Uuid| {
            let detail =
                "its record remains there: without a token for this registry the bridge cannot delete it".to_owned();
            let status = RegistryStatus { registry: registry.to_owned(), registered: false, detail, trouble: true };
            self.remaining.contains(id).then_some(status)
        };
        let line = |id: &Uuid| self.registrations.get(id).map(status).or_else(|| remains(id));
        let changes = self.touched.drain().map(|id| (id, line(&id))).collect();
        self.statuses.publish(registry, changes);
    }

    /// When something is due. With all places taken, not before an answer comes.
    fn next_wake(&self) -> Instant {
        let idle = Instant::now() + IDLE_SLEEP;
        if self.under_way.len() >= CONCURRENCY {
            return idle;
        }
        let due = self.registrations.values().filter_map(|registration| match registration.due() {
            Due::At(at) => Some(Instant::from_std(at)),
            Due::Never | Due::Finished => None,
        });
        due.min().unwrap_or(idle)
    }
}

/// One request, carried out in a task of its own.
struct Request {
    target: Arc<Target>,
    store: Store,
    directory: Directory,
}

impl Request {
    async fn carry_out(&self, id: Uuid, action: Action) -> Answer {
        match action {
            Action::Put(wanted) => {
                // Remembered first: a bridge killed in between would leave a record that nobody knows of.
                if let Err(error) = self.store.remember_registration(self.target.name(), id).await {
                    return Answer::Failed(error.to_string());
                }
                match self.directory.secrets(id).await {
                    Ok(secrets) => self.target.put(id, wanted, secrets.full.expose().to_owned()).await,
                    Err(error) => Answer::Failed(error.to_string()),
                }
            }
            Action::Ping => self.target.ping(id).await,
            Action::Delete => self.target.delete(id).await,
        }
    }
}
