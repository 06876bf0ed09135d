//! The configuration was read again: boards change what they can while they run, and only those whose port has to be opened
//! otherwise are started anew.

use uuid::Uuid;

use super::entry::{Entry, Opening};
use super::{Planner, Supervisor};
use crate::actors::board::{Command, Handle};
use crate::pure::admission::GenericPolicy;
use crate::pure::identity::default_label;

impl Supervisor {
    /// Takes up another configuration.
    pub(super) async fn reconfigure(&mut self, planner: Planner, generic: GenericPolicy) {
        self.planner = planner;
        self.sources.generic = generic;
        let here: Vec<Uuid> = self.entries.values().filter(|entry| !entry.is_gone()).map(|entry| entry.id).collect();
        let mut stopping = Vec::new();
        for id in here {
            let stored = self.store.board(id).await.unwrap_or_else(|error| {
                tracing::warn!(board = %id, %error, "its label is not known");
                None
            });
            if let Some(entry) = self.entries.get_mut(&id) {
                let (family, firmwares) = (entry.opening.family, &self.memory.firmwares);
                let plan = self.planner.plan(&entry.port, id, &family, firmwares, &entry.introduction);
                entry.wish = self.planner.wish(&entry.port, id);
                let label = stored.and_then(|board| board.label).or_else(|| plan.label.clone());
                relabel(entry, label.unwrap_or_else(|| default_label(&entry.port, id)));
                if plan.restore != entry.restore {
                    entry.restore = plan.restore;
                    ask(entry, Command::SetRestore(plan.restore));
                }
                if entry.handle.is_some() && Opening::new(entry.opening.family, &plan) != entry.opening {
                    tracing::info!(board = %id, label = entry.label, "its port is opened anew: its configuration has changed");
                    stopping.extend(entry.handle.take());
                }
            }
        }
        self.give_builds();
        self.pulse.during(futures_util::future::join_all(stopping.into_iter().map(Handle::stop))).await;
        // Starts those that were stopped, and finds those that are ignored from now on or not any more.
        self.reconcile().await;
        self.publish();
    }
}

fn relabel(entry: &mut Entry, label: String) {
    if entry.label != label {
        tracing::info!(board = %entry.id, from = entry.label, to = label, "another label");
        entry.label.clone_from(&label);
        ask(entry, Command::SetLabel(label));
    }
}

/// A loop that is too busy takes it up when it is started again.
fn ask(entry: &Entry, command: Command) {
    if let Some(handle) = &entry.handle
        && handle.request(command).is_err()
    {
        tracing::warn!(board = %entry.id, "too busy to take up its new configuration; it does when it is plugged in again");
    }
}
