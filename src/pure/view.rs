//! What everybody may know of a board: the snapshot that the API, the command line and the registrar read.

use firmware_proto::Dialect;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::port::Port;
use super::secret::Secret;

/// The state of a board. Each comes with a reason that a person can act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BoardState {
    /// A generic USB-serial chip that nobody has allowed yet: it is not opened.
    NotAllowed,
    /// The device node cannot be opened by this user.
    WaitingForPermission,
    /// Another program has the port.
    Busy,
    /// The port is being opened.
    Opening,
    /// Open; the board may still be starting.
    Booting,
    /// Looking for dialect and baud rate.
    Handshaking,
    /// MicroFlo answers.
    Ready,
    /// It was expected to answer, and does not.
    Unresponsive,
    /// Something answers that is not MicroFlo.
    NotMicroflo,
    /// Its bootloader runs: it is being flashed, and comes back by itself.
    Flashing,
    /// Lent to another program.
    Released,
    /// The user said no.
    Ignored,
    /// Unplugged.
    Gone,
}

impl BoardState {
    /// The name in JSON and on screen.
    pub const fn name(self) -> &'static str {
        match self {
            BoardState::NotAllowed => "not-allowed",
            BoardState::WaitingForPermission => "waiting-for-permission",
            BoardState::Busy => "busy",
            BoardState::Opening => "opening",
            BoardState::Booting => "booting",
            BoardState::Handshaking => "handshaking",
            BoardState::Ready => "ready",
            BoardState::Unresponsive => "unresponsive",
            BoardState::NotMicroflo => "not-microflo",
            BoardState::Flashing => "flashing",
            BoardState::Released => "released",
            BoardState::Ignored => "ignored",
            BoardState::Gone => "gone",
        }
    }
}

/// What was found out about a board's firmware.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Firmware {
    /// The dialect that it speaks.
    pub dialect: Dialect,
    /// Bits per second.
    pub baud: u32,
}

/// A board's entry at one registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistryStatus {
    /// `embedded` or the registry's URL.
    pub registry: String,
    /// Whether it is registered there now.
    pub registered: bool,
    /// Why not, or what remains to be done, in words.
    pub detail: String,
    /// Whether that needs somebody's attention.
    #[serde(default)]
    pub trouble: bool,
}

/// What somebody has said about a board's registration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegistrationWish {
    /// The names of its registries; `None`: those that are for all boards.
    pub registries: Option<Vec<String>>,
    /// In whose list it appears, where that is not the registry's usual user.
    pub user: Option<Uuid>,
    /// What registries say of it; `None`: what it is.
    pub description: Option<String>,
    /// The secret that was chosen for it; `None`: the one that was made. Registries have to be told when it changes.
    pub secret: Option<Secret>,
}

/// A snapshot of a board.
#[derive(Clone, Debug, PartialEq)]
pub struct BoardView {
    /// The stable id.
    pub id: Uuid,
    /// Which rung of the identity ladder the id stands on: `on-board`, `serial`, `path`, `device`, `simulated`.
    pub rung: &'static str,
    /// What people call it.
    pub label: String,
    /// Where it is.
    pub port: Port,
    /// Once the handshake is done.
    pub firmware: Option<Firmware>,
    /// The state.
    pub state: BoardState,
    /// Why, and what to do.
    pub reason: String,
    /// Things worth knowing that do not stop it, for example a serial number that two boards share.
    pub warnings: Vec<String>,
    /// Where its component map is from, if it has one.
    pub components: Option<String>,
    /// Open WebSockets.
    pub clients: usize,
    /// How long it may be away before its registry entry is deleted.
    pub linger: std::time::Duration,
    /// What somebody has said about its registration.
    pub wish: RegistrationWish,
    /// Where it is registered.
    pub registries: Vec<RegistryStatus>,
}
