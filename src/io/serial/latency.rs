//! Bytes are to be handed over at once: an FTDI chip collects them for 16 ms otherwise.
//!
//! It is asked for twice, since neither way works with every driver: a flag of the tty, which needs no privilege, and the
//! chip's timer in sysfs, which udev sets where this process may not.

use std::fs;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{fstat, major, minor};

use super::ioctl;

/// The timer's shortest time, in milliseconds.
const SHORTEST: &str = "1";

/// Best effort: most drivers collect nothing, and know neither way.
pub(super) fn lower(fd: BorrowedFd<'_>, sysfs_root: &Path) {
    if let Err(error) = ioctl::set_low_latency(fd) {
        tracing::trace!("no low-latency mode: {error}");
    }
    let Ok(node) = fstat(fd) else { return };
    set_timer(&timer_of(sysfs_root, node.st_rdev));
}

fn timer_of(sysfs_root: &Path, device: u64) -> PathBuf {
    sysfs_root.join(format!("dev/char/{}:{}/device/latency_timer", major(device), minor(device)))
}

/// Writes only what is not so already: each write is a request over USB.
fn set_timer(timer: &Path) {
    let Ok(now) = fs::read_to_string(timer) else { return };
    if now.trim() != SHORTEST
        && let Err(error) = fs::write(timer, SHORTEST)
    {
        tracing::debug!(timer = %timer.display(), "stays at {} ms: {error}", now.trim());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chips_timer_is_set_to_a_millisecond_where_there_is_one() {
        let sysfs = tempfile::tempdir().unwrap();
        let timer = timer_of(sysfs.path(), rustix::fs::makedev(188, 3));
        assert_eq!(timer, sysfs.path().join("dev/char/188:3/device/latency_timer"));
        set_timer(&timer);
        assert!(!timer.exists(), "a driver without one gets none");
        fs::create_dir_all(timer.parent().unwrap()).unwrap();
        fs::write(&timer, "16\n").unwrap();
        set_timer(&timer);
        assert_eq!(fs::read_to_string(&timer).unwrap(), "1");
    }
}
