//! The control socket: a unix socket by which commands on this host reach the running bridge.
//!
//! Whoever may open the file may do everything, so the file's mode is the authentication.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener as StdUnixListener, UnixStream as StdUnixStream};
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;
use tokio::net::{UnixListener, UnixStream};

use super::peer::Peer;
use super::server::Accept;
use crate::config::Places;

/// Mode of directories that are made for the socket.
const DIR_MODE: u32 = 0o700;
/// Mode of the system's socket: its group may use it.
const SYSTEM_SOCKET_MODE: u32 = 0o660;
/// Mode of a user's own socket.
const USER_SOCKET_MODE: u32 = 0o600;

/// Why there is no control socket.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Another bridge answers there.
    #[error(
        "a microflo-bridge is running already (its control socket is {}); `microflo-bridge list` shows its boards. \
         For a second one give --state-dir and --listen",
        .0.display()
    )]
    AlreadyRunning(PathBuf),
    /// The system's bridge has this host's boards.
    #[error(
        "the system's microflo-bridge has this computer's boards (its control socket is {}); `microflo-bridge list` shows \
         them, and `sudo systemctl stop microflo-bridge.socket microflo-bridge.service` stops the service. \
         For a second bridge give --state-dir and --listen",
        .0.display()
    )]
    SystemRunning(PathBuf),
    /// Something else is in the way.
    #[error("{} is there already and is not a socket; remove it, or give another --state-dir", .0.display())]
    NotASocket(PathBuf),
    /// Unix socket paths are short.
    #[error(
        "the path {} is too long for a socket (at most 107 bytes); \
         set MICROFLO_BRIDGE_CONTROL to a shorter one, for `run` and for every other command",
        .0.display()
    )]
    PathTooLong(PathBuf),
    /// Anything else.
    #[error("cannot make the control socket {}: {source}", path.display())]
    Io {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The control socket, listening. Its file goes when this is dropped, unless it belongs to a socket unit of systemd.
#[derive(Debug)]
pub struct ControlListener {
    listener: UnixListener,
    /// Held for its drop.
    _file: Option<SocketFile>,
}

/// A socket's file, removed on drop if it is still that one.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    inode: u64,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|file| file.ino() == self.inode) {
            // A file that stays is replaced at the next start.
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl ControlListener {
    /// Makes the socket and its directory. A socket that nobody answers at, left over from a crash, is replaced.
    pub fn bind(path: &Path) -> Result<Self, ControlError> {
        let failed = |source: io::Error| ControlError::Io { path: path.to_owned(), source };
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        DirBuilder::new().recursive(true).mode(DIR_MODE).create(dir).map_err(failed)?;
        // Two bridges that start at once must not both find the socket unanswered.
        let lock = File::open(dir).map_err(failed)?;
        rustix::fs::flock(&lock, FlockOperation::LockExclusive).map_err(|e| failed(e.into()))?;
        clear(path)?;
        let listener = UnixListener::bind(path).map_err(|source| match source.kind() {
            io::ErrorKind::InvalidInput => ControlError::PathTooLong(path.to_owned()),
            _ => failed(source),
        })?;
        let mode = if Places::is_system_control(path) { SYSTEM_SOCKET_MODE } else { USER_SOCKET_MODE };
        fs::set_permissions(path, Permissions::from_mode(mode)).map_err(failed)?;
        let inode = fs::symlink_metadata(path).map_err(failed)?.ino();
        Ok(ControlListener { listener, _file: Some(SocketFile { path: path.to_owned(), inode }) })
    }

    /// Takes over a socket that systemd listens on while no bridge runs. Who may open it is the socket unit's affair.
    pub fn inherited(listener: StdUnixListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(ControlListener { listener: UnixListener::from_std(listener)?, _file: None })
    }
}

/// Finds out that none of these sockets has a bridge behind it.
pub fn check_unanswered(sockets: impl IntoIterator<Item = PathBuf>) -> Result<(), ControlError> {
    for path in sockets {
        let system = Places::is_system_control(&path);
        match StdUnixStream::connect(&path) {
            Ok(_) if system => return Err(ControlError::SystemRunning(path)),
            Ok(_) => return Err(ControlError::AlreadyRunning(path)),
            // The service's, which is for a group. A crash of a bridge that root ran by hand leaves a directory that
            // nobody else may look into.
            Err(error) if system && error.kind() == io::ErrorKind::PermissionDenied && is_socket(&path) => {
                return Err(ControlError::SystemRunning(path));
            }
            Err(_) => {}
        }
    }
    Ok(())
}

/// Removes a socket at which nobody answers.
fn clear(path: &Path) -> Result<(), ControlError> {
    match StdUnixStream::connect(path) {
        Ok(_) => Err(ControlError::AlreadyRunning(path.to_owned())),
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound => Ok(()),
            // A path that is too long: `bind` says so.
            io::ErrorKind::InvalidInput => Ok(()),
            io::ErrorKind::ConnectionRefused if is_socket(path) => {
                fs::remove_file(path).map_err(|source| ControlError::Io { path: path.to_owned(), source })
            }
            io::ErrorKind::ConnectionRefused => Err(ControlError::NotASocket(path.to_owned())),
            _ => Err(ControlError::Io { path: path.to_owned(), source: error }),
        },
    }
}

fn is_socket(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket())
}

impl Accept for ControlListener {
    type Io = UnixStream;

    async fn accept(&self) -> io::Result<(UnixStream, Peer)> {
        let (io, _) = self.listener.accept().await?;
        Ok((io, Peer::Control))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_leftover_socket_is_replaced_and_a_live_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/dir/control.sock");
        let first = ControlListener::bind(&path).unwrap();
        assert!(matches!(ControlListener::bind(&path), Err(ControlError::AlreadyRunning(p)) if p == path));
        drop(first);
        assert!(!path.exists(), "the file goes with the listener");

        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists(), "a crash leaves the file");
        assert!(ControlListener::bind(&path).is_ok());
    }

    #[tokio::test]
    async fn only_the_owner_may_open_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run/control.sock");
        let _listener = ControlListener::bind(&path).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
    }

    #[tokio::test]
    async fn what_is_in_the_way_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("control.sock");
        fs::write(&file, "precious").unwrap();
        assert!(matches!(ControlListener::bind(&file), Err(ControlError::NotASocket(_))));
        assert_eq!(fs::read(&file).unwrap(), b"precious");

        let long = dir.path().join("x".repeat(120)).join("control.sock");
        assert!(matches!(ControlListener::bind(&long), Err(ControlError::PathTooLong(_))));
    }
}
