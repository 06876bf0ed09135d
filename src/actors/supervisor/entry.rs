//! One board as the supervisor knows it.

use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::actors::board::Handle;
use crate::actors::directory::Secrets;
use crate::actors::status::{Generation, Status};
use crate::io::named::Making;
use crate::pure::model::build::Build;
use crate::pure::port::Port;
use crate::pure::view::{BoardState, BoardView, RegistryStatus};

/// A board that is here or was.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: Uuid,
    pub(super) rung: &'static str,
    pub(super) port: Port,
    /// Of a named port: which one it was when it was opened.
    pub(super) making: Option<Making>,
    pub(super) label: String,
    pub(super) secrets: Secrets,
    pub(super) warnings: Vec<String>,
    /// What is known of its firmware.
    pub(super) build: Option<Build>,
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
            components: self.build.as_ref().map(|build| build.origin.clone()),
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

    /// Whether its loop has given up on a port that has been made anew since, so that trying again is worth it.
    pub(super) fn gave_up_before(&self, making: Option<Making>) -> bool {
        let gave_up = matches!(self.status.state, BoardState::NotMicroflo | BoardState::Unresponsive);
        gave_up && self.making != making
    }

    pub(super) fn is_gone(&self) -> bool {
        self.gone_since.is_some()
    }
}
