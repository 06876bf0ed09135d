//! udev: whether it runs, the rules that are installed, and what it knows of a port.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Roots, text};
use crate::pure::doctor::Udev;
use crate::pure::port::UsbPort;

/// Where rules are, the first that has a name wins.
const RULES_DIRS: [&str; 5] =
    ["etc/udev/rules.d", "run/udev/rules.d", "usr/local/lib/udev/rules.d", "usr/lib/udev/rules.d", "lib/udev/rules.d"];
/// How the names of the package's rules end.
const RULES: &str = "microflo-bridge.rules";

/// udev on this host.
pub fn udev(roots: &Roots) -> Udev {
    let rules = rules(roots);
    let named = |fits: fn(&str) -> bool| {
        let fitting = rules.iter().filter(move |(name, path)| fits(name) && !is_switched_off(path));
        fitting.map(|(_, path)| path.clone())
    };
    Udev {
        running: roots.system.join("run/udev/control").exists(),
        rules: named(|name| name.ends_with(RULES)).next(),
        brltty_rules: named(|name| name.contains("brltty")).collect(),
    }
}

/// The files with rules that count, by name.
fn rules(roots: &Roots) -> BTreeMap<String, PathBuf> {
    let mut rules = BTreeMap::new();
    for dir in RULES_DIRS {
        for entry in fs::read_dir(roots.system.join(dir)).ok().into_iter().flatten().flatten() {
            rules.entry(entry.file_name().to_string_lossy().into_owned()).or_insert(entry.path());
        }
    }
    rules
}

/// A link to nowhere, or an empty file, switches rules off.
fn is_switched_off(path: &Path) -> bool {
    path.metadata().is_ok_and(|file| file.len() == 0)
}

/// Whether udev has told ModemManager to leave a port alone, or all of its device.
pub(super) fn hides_from_modem_manager(roots: &Roots, usb: &UsbPort) -> bool {
    let tty = roots.sysfs.join("class/tty").join(usb.device.file_name().unwrap_or_default());
    let says = |dir: &Path, property: &str| {
        let number = text(&dir.join("dev"));
        let known = text(&roots.system.join(format!("run/udev/data/c{}", number.trim())));
        !number.is_empty() && known.lines().any(|line| line == format!("E:{property}=1"))
    };
    let device = tty.join("device").canonicalize().ok();
    let usb_device = device.as_deref().and_then(|dir| dir.ancestors().find(|dir| dir.join("idVendor").exists()));
    says(&tty, "ID_MM_PORT_IGNORE") || usb_device.is_some_and(|dir| says(dir, "ID_MM_DEVICE_IGNORE"))
}
