//! Serial ports: opened carefully, held exclusively, closed without hanging.
//!
//! Opening a tty raises DTR and resets most boards, and Linux cannot be told not to. So a port is opened once and held;
//! its settings make sure that closing it drops no line, and that a restart of the bridge resets nothing.
//! Opening and closing block (a driver may take its time), so both happen on blocking threads.

mod error;
mod holder;
mod ioctl;
mod latency;
mod lock;
mod open;
mod permission;
mod settings;
#[cfg(test)]
mod tests;

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use rustix::termios::{QueueSelector, tcflush};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::JoinHandle;
use tokio_serial::SerialStream;

pub use error::{Busy, OpenError};

use super::transport::Transport;
use crate::pure::families::ModemLines;
use crate::pure::program::Program;

/// Opening may take this long. A healthy driver needs 10 to 150 ms; a wedged USB device answers its control requests
/// with 5 s timeouts.
const OPEN_TIME_LIMIT: Duration = Duration::from_secs(12);

/// How to open a port.
#[derive(Clone, Debug)]
pub struct PortSettings {
    /// The device node, or a link to it.
    pub path: PathBuf,
    /// Bits per second: not 1200 or 134, which tell many boards to start their bootloader.
    pub baud: u32,
    /// What to do with DTR and RTS.
    pub lines: ModemLines,
}

/// An open, locked port in raw mode. Dropping it closes it on a blocking thread.
#[derive(Debug)]
pub struct SerialPort {
    /// None once closed.
    stream: Option<SerialStream>,
    has_modem_lines: bool,
}

/// Opens a port, one attempt at a time: a driver that hangs keeps one thread, however often it is tried. Needs a tokio runtime.
#[derive(Debug, Default)]
pub struct Opener {
    /// The attempt that did not end within its time.
    pending: Option<JoinHandle<Result<open::Opened, OpenError>>>,
}

impl Opener {
    /// Opens the port, or goes on waiting for the attempt before, whatever its settings. Cancel safe; a port that opens when nobody
    /// wants it any more is closed again.
    pub async fn open(&mut self, settings: PortSettings) -> Result<SerialPort, OpenError> {
        let path = settings.path.clone();
        let other = |source| OpenError::Other { path: path.clone(), source };
        let pending = self.pending.get_or_insert_with(|| tokio::task::spawn_blocking(move || open::open(&settings)));
        let ended = tokio::time::timeout(OPEN_TIME_LIMIT, pending)
            .await
            .map_err(|_| OpenError::Timeout { path: path.clone(), limit: OPEN_TIME_LIMIT })?;
        self.pending = None;
        let opened = ended.map_err(|panicked| other(io::Error::other(panicked)))??;
        let stream = SerialStream::try_from(opened.port).map_err(|error| other(error.into()))?;
        Ok(SerialPort { stream: Some(stream), has_modem_lines: opened.has_modem_lines })
    }
}

/// The program that has a port open, this one and some others excepted, as far as `/proc` shows it to this user. Opens nothing.
pub fn user_of(path: &std::path::Path, is_left_out: impl Fn(&Program) -> bool) -> Option<Program> {
    rustix::fs::stat(path).ok().and_then(|node| holder::users_but(&node, is_left_out).first)
}

impl SerialPort {
    /// Whether there are modem lines (DTR, RTS…); a PTY has none.
    pub fn has_modem_lines(&self) -> bool {
        self.has_modem_lines
    }

    /// Closes the port and waits until it is closed, so that it can be opened again at once. Output that the board has
    /// not taken is thrown away: waiting for it may take the kernel's 30 s.
    pub async fn close(mut self) {
        if let Some(stream) = self.stream.take() {
            // Fails only where the runtime is shutting down, which closes it as well.
            let _ = tokio::task::spawn_blocking(move || close(stream)).await;
        }
    }

    fn stream(&mut self) -> io::Result<&mut SerialStream> {
        self.stream.as_mut().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl Drop for SerialPort {
    fn drop(&mut self) {
        let Some(stream) = self.stream.take() else { return };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(move || close(stream))),
            Err(_) => close(stream),
        }
    }
}

/// Blocks.
fn close(stream: SerialStream) {
    // A vanished device says EIO, and has nothing to flush.
    let _ = tcflush(borrow(&stream), QueueSelector::OFlush);
    lock::release(borrow(&stream));
    drop(stream);
}

/// The descriptor of a serialport type, which lends it only as a number.
fn borrow(port: &impl AsRawFd) -> BorrowedFd<'_> {
    // SAFETY: the port owns its descriptor, keeps it open as long as it lives, and outlives this borrow.
    unsafe { BorrowedFd::borrow_raw(port.as_raw_fd()) }
}

impl Transport for SerialPort {
    fn set_baud(&mut self, baud: u32) -> Pin<Box<dyn Future<Output = io::Result<()>> + Send>> {
        // A descriptor of its own: whoever waits may be gone before a wedged device has answered.
        let descriptor = self.stream().and_then(|stream| borrow(stream).try_clone_to_owned());
        Box::pin(async move {
            let descriptor = descriptor?;
            let change = tokio::task::spawn_blocking(move || settings::set_baud(descriptor.as_fd(), baud));
            tokio::time::timeout(OPEN_TIME_LIMIT, change).await?.map_err(io::Error::other)?
        })
    }

    fn close(self: Box<Self>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(SerialPort::close(*self))
    }
}

impl AsyncRead for SerialPort {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.stream()?).poll_read(cx, buf)
    }
}

impl AsyncWrite for SerialPort {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(self.stream()?).poll_write(cx, bytes)
    }

    /// Does nothing: written bytes are on their way, and waiting for the wire (`tcdrain`) would block every task.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Does nothing; see [`SerialPort::close`].
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
