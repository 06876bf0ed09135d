//! What the registrar needs to know of a board.

use std::time::Duration;

use crate::pure::port::Port;
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
}

/// Reduces a view to what matters to registries. `address` is the board's WebSocket URL.
pub fn sighting(view: &BoardView, address: String) -> Sighting {
    let presence = match view.state {
        BoardState::Ready => {
            Presence::Ready(Wanted { address, label: view.label.clone(), description: description(&view.port) })
        }
        BoardState::Opening | BoardState::Booting | BoardState::Handshaking => Presence::Starting,
        BoardState::NotAllowed
        | BoardState::WaitingForPermission
        | BoardState::Busy
        | BoardState::Unresponsive
        | BoardState::NotMicroflo
        | BoardState::Released
        | BoardState::Ignored
        | BoardState::Gone => Presence::Away,
    };
    Sighting { presence, linger: view.linger }
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
