//! What is known of the host.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::pure::access::{Node, Opener};
use crate::pure::port::{UsbDevice, UsbPort};
use crate::pure::program::Program;
use crate::pure::view::{BoardState, RegistryStatus};

/// Everything that the rules look at.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The running bridge, or why it cannot be asked.
    pub bridge: BridgeFacts,
    /// Whether a bridge's process is there, answering or not.
    pub serving: bool,
    /// Who opens ports: the bridge's user where one runs, else this one.
    pub opener: Opener,
    /// Whether this process is root, and needs no `sudo`.
    pub root: bool,
    /// Whether the package's service is installed.
    pub service: bool,
    /// What is wrong with the configuration.
    pub settings_error: Option<String>,
    /// Addresses that are to be listened on and that somebody has.
    pub taken: Vec<Listen>,
    /// The state directory that this user's bridge would have.
    pub state_dir: StateDir,
    /// USB-serial ports.
    pub ports: Vec<PortFacts>,
    /// USB devices that have no tty.
    pub without_tty: Vec<UsbDevice>,
    /// Drivers of USB-serial devices.
    pub drivers: Vec<Driver>,
    /// Whether the modules of the running kernel are on the disk.
    pub modules_on_disk: bool,
    /// ModemManager, if it runs.
    pub modem_manager: Option<Program>,
    /// brltty, if it runs.
    pub brltty: Option<Program>,
    /// udev.
    pub udev: Udev,
    /// The time.
    pub clock: Clock,
    /// Registries that are configured.
    pub registries: Vec<RegistryFacts>,
}

/// The running bridge.
#[derive(Clone, Debug)]
pub enum BridgeFacts {
    /// It answers, and these are its boards.
    Running(Vec<BoardFacts>),
    /// There is none.
    NotRunning,
    /// This user may not ask it.
    Denied {
        /// Its control socket.
        socket: PathBuf,
        /// Whose that is, where that can be seen.
        node: Option<Node>,
        /// This user.
        user: Opener,
    },
    /// It was asked in vain.
    Mute(String),
}

/// A board as the bridge sees it.
#[derive(Clone, Debug)]
pub struct BoardFacts {
    /// What people call it.
    pub label: String,
    /// Its device node; a simulated board has none.
    pub device: Option<PathBuf>,
    /// Its state.
    pub state: BoardState,
    /// Why.
    pub reason: String,
    /// Things worth knowing.
    pub warnings: Vec<String>,
    /// Whether it has a component map.
    pub has_components: bool,
    /// Where it is registered.
    pub registries: Vec<RegistryStatus>,
}

/// A USB-serial port.
#[derive(Clone, Debug)]
pub struct PortFacts {
    /// The port.
    pub usb: UsbPort,
    /// Whose its device node is.
    pub node: Option<Node>,
    /// Who has it open, bridges excepted, as far as that can be seen.
    pub holder: Option<Program>,
    /// Whether udev has told ModemManager to leave it alone.
    pub hidden_from_modem_manager: bool,
}

/// A driver of USB-serial devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Driver {
    /// The module's name, with underscores.
    pub name: &'static str,
    /// Whether it is in the kernel now.
    pub loaded: bool,
    /// Whether it is on the disk.
    pub on_disk: bool,
}

/// An address that somebody has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// The address and port.
    pub address: String,
    /// Who, as far as that can be seen.
    pub holder: Option<Program>,
}

/// The state directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateDir {
    /// The directory.
    pub path: PathBuf,
    /// Why it cannot be used: the directory that is in the way, and the reason.
    pub problem: Option<(PathBuf, String)>,
}

/// udev.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Udev {
    /// Whether it runs.
    pub running: bool,
    /// The package's rules. A file that is a link to nowhere switches them off.
    pub rules: Option<PathBuf>,
    /// Files with rules that start brltty.
    pub brltty_rules: BTreeSet<PathBuf>,
}

/// The time, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// Now.
    pub now: u64,
    /// When this program was made.
    pub built: u64,
    /// Whether the kernel knows the time from somebody; `None` where that cannot be asked.
    pub synchronised: Option<bool>,
}

/// A registry elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryFacts {
    /// Its URL.
    pub name: String,
    /// Why it cannot be used.
    pub trouble: Option<String>,
    /// Whether that is because this system has no CA certificates.
    pub lacks_certificates: bool,
}

impl Facts {
    /// The boards of the running bridge.
    pub(super) fn boards(&self) -> &[BoardFacts] {
        match &self.bridge {
            BridgeFacts::Running(boards) => boards,
            _ => &[],
        }
    }

    /// Whether a bridge answers.
    pub(super) fn is_running(&self) -> bool {
        matches!(self.bridge, BridgeFacts::Running(_))
    }

    /// The port at a device node.
    pub(super) fn port(&self, device: &std::path::Path) -> Option<&PortFacts> {
        self.ports.iter().find(|port| port.usb.device == device)
    }
}
