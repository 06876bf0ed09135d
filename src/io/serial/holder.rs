//! Who has a port open, as far as `/proc` shows it to this user. Where it does not, nothing is guessed.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Stat, major, minor, stat};

use super::lock::is_pty;
use crate::pure::program::Program;

/// The other programs that have a device open.
#[derive(Debug, Default)]
pub(super) struct Users {
    /// The first that was found.
    pub(super) first: Option<Program>,
    /// Whether every process could be looked into.
    pub(super) complete: bool,
}

/// The first major device number of PTY slaves, and how many PTYs each has.
const FIRST_PTY_MAJOR: u32 = 136;
const PTYS_PER_MAJOR: u32 = 256;

/// Looks for other processes that have the device open.
pub(super) fn users(device: &Stat) -> Users {
    users_but(device, |_| false)
}

/// The same, some left out.
pub(super) fn users_but(device: &Stat, is_left_out: impl Fn(&Program) -> bool) -> Users {
    // In a sandbox other users' processes are not even listed, and the first one is somebody else's.
    let mut users = Users { first: None, complete: Path::new("/proc/1").exists() };
    let Ok(processes) = fs::read_dir("/proc") else { return Users::default() };
    for process in processes.flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        if pid == std::process::id() {
            continue;
        }
        match has_open(pid, device) {
            Ok(false) => {}
            Ok(true) => {
                let holder = holder(pid);
                if !is_left_out(&holder) {
                    users.first = Some(holder);
                    return users;
                }
            }
            // Gone meanwhile.
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound) => {}
            Err(_) => users.complete = false,
        }
    }
    users
}

/// The process that holds a `flock` on the device node, from the kernel's list of locks.
pub(super) fn of_flock(node: &Stat) -> Option<Program> {
    let inode = format!("{:02x}:{:02x}:{}", major(node.st_dev), minor(node.st_dev), node.st_ino);
    let locks = fs::read_to_string("/proc/locks").ok()?;
    let pid = locks.lines().find_map(|line| {
        // 1: FLOCK  ADVISORY  WRITE 1234 00:18:5 0 EOF
        let mut fields = line.split_whitespace().skip(1);
        let is_flock = fields.next() == Some("FLOCK");
        let pid = fields.nth(2)?.parse::<u32>().ok()?;
        (is_flock && fields.next() == Some(inode.as_str())).then_some(pid)
    })?;
    // Locks of processes in other namespaces come with pid 0.
    (pid != 0).then(|| holder(pid))
}

fn holder(pid: u32) -> Program {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    let name = name.trim().to_owned();
    Program { pid, name: if name.is_empty() { "a program".to_owned() } else { name } }
}

fn has_open(pid: u32, device: &Stat) -> io::Result<bool> {
    let process = PathBuf::from(format!("/proc/{pid}"));
    let links = match fs::read_dir(process.join("fd")) {
        // Not ours to look into; but everybody may know which terminal a process was started on.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            return if terminal_of(&process) == Some(device.st_rdev) { Ok(true) } else { Err(error) };
        }
        links => links?,
    };
    for link in links.flatten() {
        if is_device(&link.path(), device) {
            return Ok(!(is_pty(device) && has_other_end(&process, device)));
        }
    }
    Ok(false)
}

/// Whether a process's descriptor is of this device, under whatever name it was opened.
fn is_device(link: &Path, device: &Stat) -> bool {
    let Ok(target) = link.read_link() else { return false };
    if is_pty(device) {
        // The name is enough to skip the hundreds of others that an emulator may have; PTYs of another mount of devpts
        // have the same numbers, but another file system.
        let name = pty_index(device).to_string();
        return target.file_name() == Some(OsStr::new(&name))
            && stat(link).is_ok_and(|found| found.st_rdev == device.st_rdev && found.st_dev == device.st_dev);
    }
    target.starts_with("/dev") && stat(link).is_ok_and(|found| found.st_rdev == device.st_rdev)
}

/// Whether a process has the master of this PTY. Then it is the board (an emulator, a firmware built for Linux), which
/// often keeps the slave open as well, and no rival.
fn has_other_end(process: &Path, slave: &Stat) -> bool {
    let Ok(links) = fs::read_dir(process.join("fd")) else { return false };
    let mut masters = links
        .flatten()
        .filter(|link| link.path().read_link().is_ok_and(|target| target.file_name() == Some(OsStr::new("ptmx"))));
    masters.any(|link| master_index(&process.join("fdinfo").join(link.file_name())) == Some(pty_index(slave)))
}

/// The number of the PTY whose master a descriptor is.
fn master_index(fdinfo: &Path) -> Option<u32> {
    let text = fs::read_to_string(fdinfo).ok()?;
    text.lines().find_map(|line| line.strip_prefix("tty-index:")).and_then(|index| index.trim().parse().ok())
}

/// The number of a PTY slave: `N` of `/dev/pts/N`.
fn pty_index(slave: &Stat) -> u32 {
    (major(slave.st_rdev) - FIRST_PTY_MAJOR) * PTYS_PER_MAJOR + minor(slave.st_rdev)
}

/// The device number of a process's controlling terminal: the seventh field of `stat`, after a name in parentheses.
fn terminal_of(process: &Path) -> Option<u64> {
    let text = fs::read_to_string(process.join("stat")).ok()?;
    let (_, after_name) = text.rsplit_once(')')?;
    let number: i32 = after_name.split_whitespace().nth(4)?.parse().ok()?;
    let number = number.cast_unsigned();
    // The kernel's 32-bit form: minor bits 0-7 and 20-31, major bits 8-19.
    let (major, minor) = ((number >> 8) & 0xfff, (number & 0xff) | ((number >> 12) & 0xfff00));
    (number != 0).then(|| rustix::fs::makedev(major, minor))
}
