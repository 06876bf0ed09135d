//! What the registrar needs to know of a board.

use std::time::Duration;

use uuid::Uuid;

use crate::pure::port::Port;
use crate::pure::secret::Secret;
use crate::pure::view::{BoardState, BoardView};

/// What changes in a board's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The WebSocket URL.
    pub address: String,
    /// What people call it.
    pub label: String,
    /// What it is and where.
    pub description: String,
    /// In whose list it appears; `None`: the registry's usual user's.
    pub user: Option<Uuid>,
    /// The secret that was chosen for it; `None`: the one that was made.
    pub secret: Option<Secret>,
}

/// Whether a board is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It answers: it belongs into the registries.
    Ready(Wanted),
    /// It restarts, or has just come: what is registered stays, nothing new is.
    Starting,
    /// It is not there, or cannot be used.
    Away,
}

/// A board as the registrar sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Whether it is there.
    pub presence: Presence,
    /// How long its record outlives it.
    pub linger: Duration,
    /// The names of its registries; `None`: those that are for all boards.
    pub registries: Option<Vec<String>>,
}

impl Sighting {
    /// The board as the registry called `name` is to see it; `default`: it is for all boards. From a registry that it
    /// does not belong into any more it is removed at once.
    pub fn seen_from(&self, name: &str, default: bool, user: Option<Uuid>) -> Sighting {
        let belongs = self.registries.as_ref().map_or(default, |names| names.iter().any(|own| own == name));
        if !belongs {
            return Sighting { presence: Presence::Away, linger: Duration::ZERO, registries: None };
        }
        let mut seen = self.clone();
        if let Presence::Ready(wanted) = &mut seen.presence {
            wanted.user = wanted.user.or(user);
        }
        seen
    }
}

/// Reduces a view to what matters to registries. `address` is the board's WebSocket URL.
pub fn sighting(view: &BoardView, address: String) -> Sighting {
    let presence = match view.state {
        BoardState::Ready => {
            let said = view.wish.description.clone();
            Presence::Ready(Wanted {
                address,
                label: view.label.clone(),
                description: said.unwrap_or_else(|| description(&view.port)),
                user: view.wish.user,
                secret: view.wish.secret.clone(),
            })
        }
        BoardState::Opening | BoardState::Booting | BoardState::Handshaking => Presence::Starting,
        BoardState::NotAllowed
        | BoardState::WaitingForPermission
        | BoardState::Busy
        | BoardState::Unresponsive
        | BoardState::NotMicroflo
        | BoardState::Flashing
        | BoardState::Released
        | BoardState::Ignored
        | BoardState::Gone => Presence::Away,
    };
    Sighting { presence, linger: view.linger, registries: view.wish.registries.clone() }
}

/// Without the device node: that changes from plug to plug, and says nothing to somebody at another machine.
fn description(port: &Port) -> String {
    match port {
        Port::Usb(usb) => match &usb.product {
            Some(product) => format!("MicroFlo board on USB: {product}"),
            None => format!("MicroFlo board on USB ({:04x}:{:04x})", usb.vid, usb.pid),
        },
        Port::Named(_) => "MicroFlo board on a serial line".to_owned(),
        Port::Simulated(_) => "Simulated MicroFlo board".to_owned(),
    }
}
