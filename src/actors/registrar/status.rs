//! Where each board is registered, for everybody to see.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use uuid::Uuid;

use crate::pure::view::RegistryStatus;

/// Per board its registries, in the order of the configuration.
pub type Statuses = Arc<HashMap<Uuid, Vec<RegistryStatus>>>;

/// The registries' tasks write here, each its own column.
#[derive(Clone, Debug)]
pub(super) struct StatusBoard {
    order: Arc<Mutex<Vec<String>>>,
    sender: Arc<watch::Sender<Statuses>>,
}

impl StatusBoard {
    pub(super) fn new() -> (StatusBoard, watch::Receiver<Statuses>) {
        let (sender, receiver) = watch::channel(Statuses::default());
        (StatusBoard { order: Arc::default(), sender: Arc::new(sender) }, receiver)
    }

    /// Gives `registry` a column behind the others, if it has none.
    pub(super) fn add(&self, registry: &str) {
        let mut order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        if !order.iter().any(|name| name == registry) {
            order.push(registry.to_owned());
        }
    }

    /// Replaces what `registry` says of some boards; `None` takes its line away.
    pub(super) fn publish(&self, registry: &str, changes: Vec<(Uuid, Option<RegistryStatus>)>) {
        self.sender.send_if_modified(|statuses| {
            let is_new =
                |(id, status): &(Uuid, Option<RegistryStatus>)| find(statuses, *id, registry) != status.as_ref();
            let changes: Vec<_> = changes.into_iter().filter(is_new).collect();
            let changed = !changes.is_empty();
            for (id, status) in changes {
                self.replace(Arc::make_mut(statuses), id, registry, status);
            }
            changed
        });
    }

    fn replace(
        &self,
        statuses: &mut HashMap<Uuid, Vec<RegistryStatus>>,
        id: Uuid,
        registry: &str,
        status: Option<RegistryStatus>,
    ) {
        let lines = statuses.entry(id).or_default();
        lines.retain(|line| line.registry != registry);
        lines.extend(status);
        let order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        lines.sort_by_key(|line| order.iter().position(|name| *name == line.registry));
        if lines.is_empty() {
            statuses.remove(&id);
        }
    }
}

fn find<'a>(statuses: &'a Statuses, id: Uuid, registry: &str) -> Option<&'a RegistryStatus> {
    statuses.get(&id)?.iter().find(|line| line.registry == registry)
}
