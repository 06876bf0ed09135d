//! What is the case on this host, for [`crate::pure::doctor`]: who runs, who listens, who has which port, what is installed.
//!
//! Reads only, opens no port, and changes nothing. The roots are arguments, so that a test can look at a tree of its own.

mod clock;
mod modules;
mod places;
mod ports;
mod processes;
mod sockets;
mod udev;

use std::path::{Path, PathBuf};

pub use self::clock::clock;
pub use self::modules::{drivers, modules_on_disk};
pub use self::places::state_dir;
pub use self::ports::{ports, without_tty};
pub use self::processes::{bridge, program};
pub use self::sockets::taken;
pub use self::udev::udev;

/// A service's unit, in any of the directories where systemd looks.
const UNIT: &str = "microflo-bridge.service";
const UNIT_DIRS: [&str; 3] = ["etc/systemd/system", "usr/lib/systemd/system", "lib/systemd/system"];

/// Where to look.
#[derive(Clone, Debug)]
pub struct Roots {
    /// `/sys`, or a tree like it.
    pub sysfs: PathBuf,
    /// `/dev`, or a tree like it.
    pub dev: PathBuf,
    /// `/`, or a directory with `etc`, `lib`, `proc`, `run` and `usr` in it.
    pub system: PathBuf,
}

impl Roots {
    fn proc(&self) -> PathBuf {
        self.system.join("proc")
    }

    /// Where users, groups and rules are.
    pub fn etc(&self) -> PathBuf {
        self.system.join("etc")
    }
}

/// Whether the package's service is installed.
pub fn has_service(roots: &Roots) -> bool {
    UNIT_DIRS.iter().any(|dir| roots.system.join(dir).join(UNIT).exists())
}

/// A small file's text; empty where there is none, or it is not for this user.
fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

#[cfg(test)]
mod tests;
