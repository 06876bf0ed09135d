//! Running programs, as far as `/proc` shows them to this user.

use std::path::PathBuf;

use super::{Roots, text};
use crate::io::accounts;
use crate::pure::access::Opener;
use crate::pure::doctor::BRIDGE;
use crate::pure::program::Program;

/// The first program of that name.
pub fn program(roots: &Roots, name: &str) -> Option<Program> {
    all(roots).find(|(program, _)| program.name == name).map(|(program, _)| program)
}

/// As whom the running bridge opens ports.
pub fn bridge(roots: &Roots) -> Option<Opener> {
    let is_serving = |dir: &PathBuf| text(&dir.join("cmdline")).split('\0').any(|word| word == "run");
    let (_, dir) = all(roots).find(|(program, dir)| program.name == BRIDGE && is_serving(dir))?;
    accounts::of_process(&text(&dir.join("status")), &roots.etc())
}

/// All programs, with their directories.
pub(super) fn all(roots: &Roots) -> impl Iterator<Item = (Program, PathBuf)> + use<> {
    let entries = roots.proc().read_dir().ok().into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let name = text(&entry.path().join("comm")).trim().to_owned();
        Some((Program { pid, name }, entry.path()))
    })
}
