//! Why a port did not open, in words that say what to do.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::io::Errno;

use super::permission;
use crate::pure::program::Program;

/// Why a port did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no such device node.
    #[error("{path} does not exist; is the board plugged in, or the program that makes the PTY running?")]
    NotFound {
        /// The device node.
        path: PathBuf,
    },
    /// This user may not open it. Right after plugging in, udev may not have finished: worth a retry.
    #[error("{path} cannot be opened by this user: {advice}")]
    Permission {
        /// The device node.
        path: PathBuf,
        /// The group that may open it, where it has one that helps.
        group: Option<String>,
        /// What to do.
        advice: String,
    },
    /// Another program has it.
    #[error("{path} is in use by {}: {how}; close it there and the board comes up by itself", holder_name(.holder))]
    Busy {
        /// The device node.
        path: PathBuf,
        /// Which program, where that can be known.
        holder: Option<Program>,
        /// How it has it.
        how: Busy,
    },
    /// It vanished while it was being opened.
    #[error("{path} went away while it was being opened")]
    Gone {
        /// The device node.
        path: PathBuf,
    },
    /// The driver, or the rule against bootloader rates, refuses the baud rate.
    #[error("{path} does not take {baud} baud: {why}")]
    UnsupportedBaud {
        /// The device node.
        path: PathBuf,
        /// Bits per second.
        baud: u32,
        /// Who refuses, and what goes instead.
        why: String,
    },
    /// It is a file, a directory, a disk…
    #[error("{path} is no serial port; name a tty or a PTY")]
    NotATty {
        /// The path.
        path: PathBuf,
    },
    /// The driver did not finish in time.
    #[error("{path} did not open within {} s; unplug the board and plug it in again", .limit.as_secs())]
    Timeout {
        /// The device node.
        path: PathBuf,
        /// How long was waited.
        limit: Duration,
    },
    /// Anything else.
    #[error("{path} cannot be opened: {source}")]
    Other {
        /// The device node.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// How another program has a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Busy {
    /// It holds an advisory lock, as terminal programs do.
    Flock,
    /// It has told the kernel to let nobody else in (`TIOCEXCL`).
    Exclusive,
    /// It has it open without any lock.
    PlainOpen,
}

impl std::fmt::Display for Busy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Busy::Flock => "it has locked the port",
            Busy::Exclusive => "it has the port exclusively",
            Busy::PlainOpen => "it has the port open",
        })
    }
}

fn holder_name(holder: &Option<Program>) -> String {
    match holder {
        Some(holder) => holder.to_string(),
        None => "another program (`sudo fuser -v` on the port names it)".to_owned(),
    }
}

impl OpenError {
    /// What a failed system call on an open or opening port means.
    pub(super) fn from_errno(path: &Path, errno: Errno) -> OpenError {
        let path = path.to_owned();
        match errno {
            Errno::NOENT => OpenError::NotFound { path },
            Errno::ACCESS | Errno::PERM => permission::explain(path),
            Errno::BUSY => OpenError::Busy { path, holder: None, how: Busy::Exclusive },
            Errno::NODEV | Errno::NXIO | Errno::IO => OpenError::Gone { path },
            Errno::NOTTY => OpenError::NotATty { path },
            other => OpenError::Other { path, source: other.into() },
        }
    }

    /// Whether trying again soon may help without anybody doing anything: udev still at work, a device settling.
    pub fn is_transient(&self) -> bool {
        matches!(self, OpenError::Permission { .. } | OpenError::Busy { .. } | OpenError::Gone { .. })
    }
}
