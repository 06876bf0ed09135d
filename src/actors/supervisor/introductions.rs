//! Boards that say themselves who they are: each waits, with its port open, until it is known by the id that it stores.

use std::sync::Arc;
use std::time::Instant;

use uuid::Uuid;

use super::Supervisor;
use super::entry::{Entry, Opening};
use super::plan::Plan;
use crate::actors::directory::Secrets;
use crate::actors::status::{Generation, Introduced, Recognized, Status};
use crate::io::store::StoreError;
use crate::pure::families::Family;
use crate::pure::identity::told::{STORED, is_storable, stored_key};
use crate::pure::identity::{Assignment, SerialMemory, default_label};
use crate::pure::introduction::{Descriptor, Introduction, Recognition};
use crate::pure::port::Port;
use crate::pure::view::{BoardState, RegistrationWish};

/// Why a board is left alone that a rule says so of.
pub(super) const IGNORED: &str = "the configuration says to ignore it";

/// How a board is treated, and what it is called.
pub(super) struct Manner {
    pub(super) plan: Plan,
    pub(super) label: String,
    pub(super) secrets: Secrets,
    pub(super) wish: RegistrationWish,
}

/// Why a board does not get the id that it is entitled to.
enum Unrecognized {
    /// Another board has it still, until the next look at the ports.
    Taken,
    /// Its secret cannot be stored.
    NoSecret,
}

impl Entry {
    /// The configuration says by the id that it stores to leave it alone: it is not ready even for a moment.
    fn leave_alone(&mut self, generation: Generation) {
        (self.generation, self.handle) = (generation, None);
        self.status = Status { state: BoardState::Ignored, reason: IGNORED.to_owned(), firmware: None, clients: 0 };
    }

    /// Its secret under the id that it stores could not be stored: it counts as one that has told no id.
    fn stays_as_it_is_known(&mut self) {
        let trouble = match self.introduction.id.take_if(|id| *id != self.id) {
            Some(id) => format!(
                "it stores the id {id}, under which its secret cannot be stored in the state directory: this board is known as {} \
                 until it is plugged in again; the log says what is wrong",
                self.id
            ),
            None => {
                "what is known of it cannot be stored in the state directory; the log says what is wrong".to_owned()
            }
        };
        self.introduction.troubles.push(trouble);
        self.warnings = warnings(None, &self.introduction);
    }
}

impl Supervisor {
    /// A board has said who it is. It is told who it is from now on; if that cannot be said, it goes on as it was known.
    pub(super) async fn introduce(&mut self, id: Uuid, introduced: Introduced) {
        let Introduced { generation, introduction, reply } = introduced;
        let Some(entry) = self.entries.get_mut(&id).filter(|it| it.generation == generation && !it.is_gone()) else {
            return;
        };
        let before = entry.introduction.id;
        entry.introduction = sound(introduction);
        // What could not be read says nothing about what is stored.
        let healed = before.filter(|_| entry.introduction.id != before && !entry.introduction.unread);
        let descriptor = entry.introduction.descriptor.clone();
        let (port, family) = (entry.port.clone(), entry.opening.family);
        if let Some(descriptor) = descriptor {
            self.learn(descriptor).await;
        }
        if let Some(id) = healed {
            self.unshare(id).await;
        }
        let assignments = self.assignments().await;
        let Some(assignment) = assignments.iter().find(|assignment| assignment.port == port).cloned() else { return };
        if self.are_misplaced(&assignments, &assignment) {
            self.scan_at = Instant::now();
        }
        let Some(mut entry) = self.entries.remove(&id) else { return };
        let recognized = self.recognize(&mut entry, assignment, family).await;
        if matches!(recognized, Err(Unrecognized::NoSecret)) {
            entry.stays_as_it_is_known();
        }
        let known_as = entry.id;
        let is_ignored = recognized.is_ok() && self.planner.ignores(&port, known_as);
        if is_ignored {
            self.generation += 1;
            entry.leave_alone(self.generation);
        }
        self.entries.insert(known_as, entry);
        // Before the board is told: whoever asked it to change its id looks for that next.
        self.publish();
        match recognized {
            // Its loop is ending, and its port being closed.
            Ok(_) if is_ignored => {}
            // Its loop has closed the port meanwhile, and knows nothing of this: it begins anew.
            Ok(recognized) => {
                if reply.send(recognized).is_err() {
                    self.begin_anew(known_as);
                }
            }
            Err(Unrecognized::Taken) => self.scan_at = Instant::now(),
            // Another look at the ports would change nothing.
            Err(Unrecognized::NoSecret) => {}
        }
    }

    fn begin_anew(&mut self, id: Uuid) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.gone();
            self.scan_at = Instant::now();
        }
    }

    /// A board stores another id now than before: the others that store that one may have it, if there is only one.
    async fn unshare(&mut self, id: Uuid) {
        let key = stored_key(id);
        let Some(memory) = self.memory.serials.get_mut(&key).filter(|memory| memory.shared) else { return };
        memory.shared = false;
        if let Err(error) = self.store.save_serial(&key, memory).await {
            tracing::warn!(%error, "that two boards have ids of their own now was not stored");
        }
    }

    /// Remembers which place had a mark first.
    pub(super) async fn remember(&mut self, key: String, memory: SerialMemory) {
        let place = key.starts_with(STORED).then(|| memory.last_path.clone());
        let stored = self.store.save_serial(&key, &memory).await;
        self.memory.serials.insert(key, memory);
        let forgotten = match (stored, place) {
            (Ok(()), Some(place)) => self.store.forget_old_marks(&place).await,
            (stored, _) => stored.map(|()| Vec::new()),
        };
        match forgotten {
            Ok(keys) => keys.iter().for_each(|key| drop(self.memory.serials.remove(key))),
            Err(error) => {
                tracing::warn!(%error, "which board had a serial number or a stored id first was not stored");
            }
        }
    }

    /// Somebody says that a stored id is that of the board in this place, and no other board that is here tells it.
    pub(super) async fn keep_for(&mut self, id: Uuid, place: Uuid) -> Result<(), StoreError> {
        let (key, memory) = (stored_key(id), SerialMemory { last_path: place.to_string(), shared: false });
        if self.memory.serials.get(&key).is_some_and(|before| *before != memory) {
            self.store.save_serial(&key, &memory).await?;
            self.memory.serials.insert(key, memory);
        }
        Ok(())
    }

    /// Keeps what a firmware says of itself, so that the next board that has it need not be asked.
    async fn learn(&mut self, descriptor: Arc<Descriptor>) {
        if self.memory.descriptors.add(descriptor.clone())
            && let Err(error) = self.store.save_descriptor(&descriptor).await
        {
            tracing::warn!(%error, "what the board says of its firmware was not stored; it is read again after a restart");
        }
    }

    /// Gives an entry what its board is entitled to under its id.
    async fn recognize(
        &mut self,
        entry: &mut Entry,
        assignment: Assignment,
        family: Family,
    ) -> Result<Recognized, Unrecognized> {
        let Assignment { id, rung, warning, port, .. } = assignment;
        // One that is being flashed is this very board, which has come back.
        let is_another = |other: &Entry| !other.is_gone() && other.port != port && !other.is_flashing(Instant::now());
        if self.entries.get(&id).is_some_and(is_another) {
            return Err(Unrecognized::Taken);
        }
        let manner = self.manner(&port, id, family, &entry.introduction).await;
        let Manner { plan, label, secrets, wish } = manner.ok_or(Unrecognized::NoSecret)?;
        let moved = id != entry.id;
        if moved {
            tracing::info!(board = %id, label, before = %entry.id, "the board has said which one it is");
        }
        entry.opening = Opening::new(family, &plan);
        entry.warnings = warnings(warning, &entry.introduction);
        (entry.id, entry.rung, entry.restore, entry.build) = (id, rung.name(), plan.restore, plan.build.clone());
        (entry.label, entry.secrets, entry.wish) = (label, secrets, wish);
        let recognition = Recognition {
            identity: entry.identity(),
            build: plan.build,
            restore: plan.restore,
            saved: if moved { self.saved(id).await } else { None },
        };
        Ok(Recognized { recognition, meter: self.server.traffic.meter(id) })
    }

    /// Whether any other board has another id now than it is known by.
    fn are_misplaced(&self, assignments: &[Assignment], but: &Assignment) -> bool {
        let misplaced = |entry: &Entry| {
            let now = assignments.iter().find(|assignment| assignment.port == entry.port);
            now.is_some_and(|now| now.id != entry.id && now.port != but.port)
        };
        self.entries.values().any(|entry| !entry.is_gone() && misplaced(entry))
    }

    /// How to treat a board under an id, with what it says of itself. `None` if its secrets cannot be stored.
    pub(super) async fn manner(
        &self,
        port: &Port,
        id: Uuid,
        family: Family,
        introduction: &Introduction,
    ) -> Option<Manner> {
        let record = match self.store.ensure_board(id).await {
            Ok(record) => record,
            Err(error) => {
                tracing::error!(%error, board = %id, "the board is not served: its secret cannot be stored");
                return None;
            }
        };
        let plan = self.planner.plan(port, id, &family, &self.memory.firmwares, introduction);
        let label = record.label.or_else(|| plan.label.clone()).unwrap_or_else(|| default_label(port, id));
        let secrets = Secrets { full: plan.secret.clone().unwrap_or(record.secret), read: record.read_secret };
        Some(Manner { plan, label, secrets, wish: self.planner.wish(port, id) })
    }
}

/// Without what cannot be an id.
fn sound(mut introduction: Introduction) -> Introduction {
    if let Some(id) = introduction.id.take_if(|id| !is_storable(*id)) {
        introduction.troubles.push(format!(
            "it stores the id {id}, which is no UUID of version 4; give it one: microflo-bridge id BOARD --on-board new"
        ));
    }
    introduction
}

/// What is worth knowing of a board's id and of what it says of itself.
pub(super) fn warnings(of_id: Option<String>, introduction: &Introduction) -> Vec<String> {
    of_id.into_iter().chain(introduction.troubles.clone()).collect()
}
