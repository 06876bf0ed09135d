//! Locks a port against others, and finds out who has it.
//!
//! Both kinds of lock are needed: `TIOCEXCL` keeps out programs that know of no lock, but not root, and says nothing
//! of who was there before; `flock` works for root, among programs that ask. The order matters: a program that sets
//! `TIOCEXCL` first and then fails to `flock` locks everybody out of the rightful owner's port.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use rustix::fs::{FlockOperation, Stat, flock, fstat, major};
use rustix::io::Errno;
use rustix::termios::{ioctl_tiocexcl, ioctl_tiocnxcl};

use super::error::{Busy, OpenError};
use super::{holder, ioctl};
use crate::pure::program::Program;

/// Major device numbers of PTYs (Unix98 slaves).
const PTY_MAJORS: std::ops::RangeInclusive<u32> = 136..=143;

/// Whether a device node is a PTY.
pub(super) fn is_pty(node: &Stat) -> bool {
    PTY_MAJORS.contains(&major(node.st_rdev))
}

/// Takes both locks, or leaves none behind. Undone by [`release`] and closing.
pub(super) fn acquire(path: &Path, fd: BorrowedFd<'_>) -> Result<(), OpenError> {
    let failed = |errno| OpenError::from_errno(path, errno);
    let node = fstat(fd).map_err(failed)?;
    match flock(fd, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) => return Err(busy(path, holder::of_flock(&node), Busy::Flock)),
        Err(errno) => return Err(failed(errno)),
    }
    if ioctl::is_exclusive(fd).map_err(failed)? {
        let users = holder::users(&node);
        if !is_leftover(&node, &users) {
            return Err(busy(path, users.first, Busy::Exclusive));
        }
    }
    ioctl_tiocexcl(fd).map_err(failed)?;
    // Nobody can come any more, so this is the moment to see who was there without a lock.
    match holder::users(&node).first {
        None => Ok(()),
        Some(user) => {
            release(fd);
            Err(busy(path, Some(user), Busy::PlainOpen))
        }
    }
}

/// Lets others in again. Must come before closing and on every error path after [`acquire`]: closing alone leaves the
/// flag on a PTY, and the lock wherever a process that is just being started has inherited the descriptor.
pub(super) fn release(fd: impl AsFd) {
    // A vanished device has nobody to let in.
    let _ = ioctl_tiocnxcl(&fd);
    let _ = flock(&fd, FlockOperation::Unlock);
}

/// Gives up the flag and keeps the lock: on a PTY the flag would outlive a killed bridge and keep the next one out.
pub(super) fn keep_flock_only(fd: impl AsFd) {
    let _ = ioctl_tiocnxcl(&fd);
}

/// A PTY keeps the flag of a program that was killed for as long as its other end lives; any other tty drops it with
/// the last close.
fn is_leftover(node: &Stat, users: &holder::Users) -> bool {
    is_pty(node) && users.first.is_none() && users.complete
}

fn busy(path: &Path, holder: Option<Program>, how: Busy) -> OpenError {
    OpenError::Busy { path: path.to_owned(), holder, how }
}
