//! A computer to plug boards into: a made-up `/sys` and `/dev`, a machine id, a state directory.

use std::path::{Path, PathBuf};
use std::process::Command;

use microflo_bridge::sim::{self, Config, Opening, Pty};
use serde_json::Value;
use tempfile::TempDir;

use crate::fake_tree::{FakeDevice, FakeTree};
use crate::support::{Bridge, PROGRAM, skip};

/// An unprivileged user: `nobody`.
pub(crate) const NOBODY: u32 = 65534;

const MACHINE_ID: &str = "5ca1ab1e0ddba11c0ffee00000000001";

pub(crate) struct Machine {
    dir: TempDir,
    tree: FakeTree,
}

impl Machine {
    pub(crate) fn new() -> Machine {
        Machine::with_id(MACHINE_ID)
    }

    pub(crate) fn with_id(id: &str) -> Machine {
        let dir = tempfile::tempdir().unwrap();
        let tree = FakeTree::new(dir.path()).unwrap();
        std::fs::write(dir.path().join("machine-id"), format!("{id}\n")).unwrap();
        Machine { dir, tree }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn plug(&mut self, device: &FakeDevice) {
        self.tree.plug(device).unwrap();
    }

    pub(crate) fn unplug(&mut self, device: &FakeDevice) {
        self.tree.unplug(device).unwrap();
    }

    /// The bridge on this machine, with the machine's own state directory.
    pub(crate) fn start(&self, args: &[&str]) -> Bridge {
        self.start_with_state("state", args)
    }

    pub(crate) fn start_with_state(&self, state: &str, args: &[&str]) -> Bridge {
        let mut command = Command::new(PROGRAM);
        command.args(self.roots()).args(args);
        Bridge::start_command(&self.path(state), command)
    }

    /// The bridge as [`NOBODY`], who gets a copy of the program that everybody may run.
    pub(crate) fn start_as_nobody(&self, args: &[&str]) -> Bridge {
        use std::os::unix::fs::{PermissionsExt, chown};
        let (program, state) = (self.path("microflo-bridge"), self.path("state"));
        if !program.exists() {
            std::fs::copy(PROGRAM, &program).unwrap();
        }
        std::fs::set_permissions(self.dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
        std::fs::create_dir_all(&state).unwrap();
        chown(&state, Some(NOBODY), Some(NOBODY)).unwrap();
        let mut command = Command::new("setpriv");
        command.args([format!("--reuid={NOBODY}"), format!("--regid={NOBODY}")]).arg("--clear-groups");
        command.arg(program).args(self.roots()).args(args).env("HOME", &state);
        Bridge::start_command(&state, command)
    }

    pub(crate) fn add_interface(&self, device: &FakeDevice, number: u8, class: u8, driver: Option<&str>) {
        self.tree.add_interface(device, number, class, driver).unwrap();
    }

    pub(crate) fn roots(&self) -> [PathBuf; 6] {
        let [sysfs, dev, id] = ["--sysfs-root", "--dev-root", "--machine-id"].map(PathBuf::from);
        [sysfs, self.tree.sysfs(), dev, self.tree.dev(), id, self.path("machine-id")]
    }
}

/// A simulated board that is reset by opening, as an Arduino is.
pub(crate) fn arduino() -> Pty {
    sim::pty(Config::new(firmware_proto::Dialect::Flo01), Opening::Resets).unwrap()
}

/// An Arduino Uno at these hub ports, whose tty is that one.
pub(crate) fn uno(ports: &'static str, serial: Option<&'static str>, tty: &'static str, node: &Path) -> FakeDevice {
    let mut uno = FakeDevice::uno(ports, "", tty);
    uno.serial = serial;
    uno.ttys[0].node = Some(node.to_owned());
    uno
}

pub(crate) fn id(board: &Value) -> &str {
    board["id"].as_str().unwrap()
}

pub(crate) fn text<'a>(board: &'a Value, key: &str) -> &'a str {
    board[key].as_str().unwrap_or_default()
}

/// Whether a test that needs root can run; says so if not.
pub(crate) fn is_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        skip("only root can start the bridge as another user, or on another network");
    }
    root
}
