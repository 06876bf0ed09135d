//! The steps of opening a port, in the order that harms nobody. Blocks.

use std::os::fd::{AsFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags, fstat, stat};
use rustix::io::Errno;
use rustix::termios::{QueueSelector, isatty, tcflush};
use serialport::TTYPort;

use super::error::{Busy, OpenError};
use super::settings::{self, Refused};
use super::{PortSettings, borrow, holder, latency, lock};

/// A port as it comes from the blocking thread. Dropping it releases the locks and closes it.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) port: TTYPort,
    pub(super) has_modem_lines: bool,
}

/// Opens, locks and sets up a port. On failure nothing is left behind: no lock, no changed setting of another program.
pub(super) fn open(wanted: &PortSettings) -> Result<Opened, OpenError> {
    let fd = open_node(&wanted.path)?;
    lock::acquire(&wanted.path, fd.as_fd())?;
    match set_up(fd.as_fd(), wanted) {
        Ok(has_modem_lines) => Ok(Opened { port: into_port(fd), has_modem_lines }),
        Err(error) => {
            lock::release(&fd);
            Err(error)
        }
    }
}

fn open_node(path: &Path) -> Result<OwnedFd, OpenError> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fd = rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| match errno {
        Errno::BUSY => {
            let holder = stat(path).ok().and_then(|node| holder::users(&node).first);
            OpenError::Busy { path: path.to_owned(), holder, how: Busy::Exclusive }
        }
        Errno::ISDIR => OpenError::NotATty { path: path.to_owned() },
        other => OpenError::from_errno(path, other),
    })?;
    if isatty(&fd) { Ok(fd) } else { Err(OpenError::NotATty { path: path.to_owned() }) }
}

/// Settings, buffers, latency, lines. Returns whether there are modem lines.
fn set_up(fd: BorrowedFd<'_>, wanted: &PortSettings) -> Result<bool, OpenError> {
    let path = &wanted.path;
    let was_raw = settings::apply(fd, wanted.baud).map_err(|refused| match refused {
        Refused::Baud(why) => OpenError::UnsupportedBaud { path: path.clone(), baud: wanted.baud, why },
        Refused::Errno(errno) => OpenError::from_errno(path, errno),
        Refused::NotRaw => {
            OpenError::Other { path: path.clone(), source: std::io::Error::other("the driver does not do raw mode") }
        }
    })?;
    let is_pty = fstat(fd).is_ok_and(|node| lock::is_pty(&node));
    let flushed = tcflush(fd, stale_queues(was_raw, is_pty));
    flushed.map_err(|errno| OpenError::from_errno(path, errno))?;
    if !is_pty {
        latency::lower(fd, Path::new("/sys"));
    }
    Ok(settings::set_lines(fd, wanted.lines))
}

/// What to throw away after raw mode is set. Output always: it can only be the echo of the board's own bytes, on its
/// way back to the board. Input only where the terminal mode has mangled it. So not in a PTY, where a board that
/// started earlier has its boot frames waiting, and not in a port that was raw all the time.
fn stale_queues(was_raw: bool, is_pty: bool) -> QueueSelector {
    if was_raw || is_pty { QueueSelector::OFlush } else { QueueSelector::IOFlush }
}

fn into_port(fd: OwnedFd) -> TTYPort {
    let is_pty = fstat(&fd).is_ok_and(|node| lock::is_pty(&node));
    // SAFETY: the descriptor is owned, is a tty, and passes to the port alone. The port takes both locks again, which
    // its descriptor already has.
    let port = unsafe { TTYPort::from_raw_fd(fd.into_raw_fd()) };
    if is_pty {
        lock::keep_flock_only(borrow(&port));
    }
    port
}
