//! One board as the supervisor knows it.

use std::time::{Duration, Instant};

use uuid::Uuid;

use super::plan::Plan;
use crate::actors::board::{Handle, Target};
use crate::actors::directory::Secrets;
use crate::actors::status::{Generation, Status};
use crate::io::named::Making;
use crate::pure::families::Family;
use crate::pure::fbp::Identity;
use crate::pure::introduction::Introduction;
use crate::pure::model::build::Build;
use crate::pure::port::Port;
use crate::pure::secret::Secret;
use crate::pure::session;
use crate::pure::view::{BoardState, BoardView, RegistrationWish, RegistryStatus};

/// What a board's loop cannot change while it runs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Opening {
    pub(super) family: Family,
    pub(super) target: Target,
    pub(super) session: session::Config,
    pub(super) secret: Option<Secret>,
}

impl Opening {
    pub(super) fn new(family: Family, plan: &Plan) -> Opening {
        let (target, session) = (plan.target.clone(), plan.session.clone());
        Opening { family, target, session, secret: plan.secret.clone() }
    }
}

/// A board that is here or was.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: Uuid,
    /// The id that its port gives it, before the board has said anything.
    pub(super) natural_id: Uuid,
    /// What the board has said of itself.
    pub(super) introduction: Introduction,
    pub(super) rung: &'static str,
    pub(super) port: Port,
    /// Of a named port: which one it was when it was opened.
    pub(super) making: Option<Making>,
    pub(super) label: String,
    pub(super) secrets: Secrets,
    pub(super) warnings: Vec<String>,
    /// What somebody has said about its registration.
    pub(super) wish: RegistrationWish,
    /// How its port is opened, and what its clients have to know: when this changes, its loop is started anew.
    pub(super) opening: Opening,
    /// Whether it gets its graph back after a start.
    pub(super) restore: bool,
    /// What is known of its firmware.
    pub(super) build: Option<Build>,
    pub(super) linger: Duration,
    pub(super) generation: Generation,
    pub(super) status: Status,
    /// Its loop, while it has one.
    pub(super) handle: Option<Handle>,
    pub(super) gone_since: Option<Instant>,
    /// When its bootloader was seen last.
    pub(super) bootloader_seen: Option<Instant>,
}

impl Entry {
    /// Who it is to its clients.
    pub(super) fn identity(&self) -> Identity {
        Identity {
            id: self.id,
            label: self.label.clone(),
            secret: self.secrets.full.expose().to_owned(),
            read_secret: self.secrets.read.expose().to_owned(),
        }
    }

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
            wish: self.wish.clone(),
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
        self.bootloader_seen = None;
        // Whatever comes to that port has to say anew who it is.
        self.introduction = Introduction::default();
        self.status = Status { state: BoardState::Gone, reason: "it is unplugged".into(), firmware: None, clients: 0 };
    }

    /// Whether its loop has given up on a port that has been made anew since, so that trying again is worth it.
    pub(super) fn gave_up_before(&self, making: Option<Making>) -> bool {
        let gave_up = matches!(self.status.state, BoardState::NotMicroflo | BoardState::Unresponsive);
        gave_up && self.making != making
    }

    /// Whether a loop sees to it.
    pub(super) fn is_served(&self) -> bool {
        self.handle.as_ref().is_some_and(|handle| !handle.has_failed())
    }

    /// Whether it has not said yet what it stores, and may.
    pub(super) fn is_awaited(&self) -> bool {
        use BoardState::{Booting, Busy, Handshaking, Opening, WaitingForPermission};
        let may_speak = matches!(self.status.state, Opening | Busy | WaitingForPermission | Booting | Handshaking);
        self.handle.is_some() && self.introduction.id.is_none() && may_speak
    }

    pub(super) fn is_gone(&self) -> bool {
        self.gone_since.is_some()
    }
}
