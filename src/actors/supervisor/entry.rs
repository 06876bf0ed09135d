//! One board as the supervisor knows it.

use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::actors::board::Handle;
use crate::actors::directory::Secrets;
use crate::actors::status::{Generation, Status};
use crate::pure::port::Port;
use crate::pure::view::{BoardState, BoardView, RegistryStatus};

/// A board that is here or was.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: Uuid,
    pub(super) rung: &'static str,
    pub(super) port: Port,
    pub(super) label: String,
    pub(super) secrets: Secrets,
    pub(super) warnings: Vec<String>,
    pub(super) linger: Duration,
    pub(super) generation: Generation,
    pub(super) status: Status,
    /// Its loop, while it has one.
    pub(super) handle: Option<Handle>,
    pub(super) gone_since: Option<Instant>,
}

impl Entry {
    pub(super) fn view(&self, registries: Vec<RegistryStatus>) -> BoardView {
        BoardView {
            id: self.id,
            rung: self.rung,
            label: self.label.clone(),
            port: self.port.clone(),
            firmware: self.status.firmware,
            state: self.status.state,
            reason: self.status.reason.clone(),
            warnings: self.warnings.clone(),
            clients: self.status.clients,
            linger: self.linger,
            registries,
        }
    }

    /// The board is gone: its loop is let go, which closes the port.
    pub(super) fn gone(&mut self) {
        if self.gone_since.is_none() {
            tracing::info!(board = %self.id, label = self.label, "gone");
            self.gone_since = Some(Instant::now());
        }
        self.handle = None;
        self.status = Status { state: BoardState::Gone, reason: "it is unplugged".into(), firmware: None, clients: 0 };
    }

    pub(super) fn is_gone(&self) -> bool {
        self.gone_since.is_some()
    }
}
