//! Kernel modules: loaded, and on the disk.

use super::{Roots, text};
use crate::pure::doctor::{Driver, MODULES};

/// Files that list the running kernel's modules, one path a line.
const LISTS: [&str; 2] = ["modules.dep", "modules.builtin"];

/// The drivers of USB-serial devices.
pub fn drivers(roots: &Roots) -> Vec<Driver> {
    let dir = dir(roots);
    let listed: Vec<String> = LISTS.iter().flat_map(|list| names(&text(&dir.join(list)))).collect();
    let driver = |name: &&'static str| Driver {
        name,
        loaded: roots.sysfs.join("module").join(name).exists(),
        on_disk: listed.iter().any(|listed| listed == name),
    };
    MODULES.iter().map(driver).collect()
}

/// Whether the modules of the running kernel are there: an update may have replaced them by a newer kernel's.
pub fn modules_on_disk(roots: &Roots) -> bool {
    dir(roots).join(LISTS[0]).exists()
}

fn dir(roots: &Roots) -> std::path::PathBuf {
    let uname = rustix::system::uname();
    roots.system.join("lib/modules").join(uname.release().to_string_lossy().as_ref())
}

/// The modules' names in a list, with underscores: `kernel/drivers/usb/class/cdc-acm.ko.xz: …` is `cdc_acm`.
fn names(list: &str) -> Vec<String> {
    let name = |line: &str| {
        let path = line.split(':').next()?;
        let file = path.rsplit('/').next()?;
        Some(file.split(".ko").next()?.replace('-', "_"))
    };
    list.lines().filter_map(name).collect()
}
