//! The board on a pseudo-terminal: another process opens it like a serial device.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{Mode, OFlags};
use rustix::pty::OpenptFlags;
use rustix::termios::OptionalActions;
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::JoinHandle;

use super::config::Config;
use super::duplex::{Handle, drive};

/// How often a terminal that nobody has open is looked at.
const OPENING_CHECK: Duration = Duration::from_millis(20);

/// What opening the terminal does to the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Nothing: the board runs from the start, and what it said before waits to be read.
    Joins,
    /// It resets the board, as with most Arduinos. Nobody hears the board while the terminal is closed.
    Resets,
}

/// A simulated board on a pseudo-terminal; unplugged when dropped.
pub struct Pty {
    path: PathBuf,
    handle: Handle,
    driver: JoinHandle<io::Result<()>>,
}

impl Pty {
    /// The terminal to open.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A hand on the board.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Waits until the board is unplugged. Cancel safe.
    pub async fn unplugged(&mut self) -> io::Result<()> {
        (&mut self.driver).await.unwrap_or_else(|failed| Err(io::Error::other(failed)))
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Puts a simulated board on a new pseudo-terminal, in raw mode. Must be called within a tokio runtime.
pub fn pty(config: Config, opening: Opening) -> io::Result<Pty> {
    let (master, slave, path) = open_pair()?;
    let handle = Handle::new(config);
    let board = handle.clone();
    let driver = tokio::spawn(async move {
        match opening {
            Opening::Joins => {
                let _held_open = slave;
                drive(&board, Master::new(master.as_fd())?).await
            }
            Opening::Resets => {
                drop(slave);
                reset_at_each_opening(&board, &master).await
            }
        }
    });
    Ok(Pty { path, handle, driver })
}

/// Runs a simulated board behind a symbolic link until it is unplugged or the future is dropped; then the link goes too.
///
/// An existing symbolic link is replaced; anything else at that path is an error.
pub async fn serve_pty(link: &Path, config: Config, opening: Opening) -> io::Result<()> {
    let mut pty = pty(config, opening)?;
    if link.is_symlink() {
        std::fs::remove_file(link)?;
    }
    std::os::unix::fs::symlink(pty.path(), link)?;
    let _link = Link(link);
    pty.unplugged().await
}

struct Link<'a>(&'a Path);

impl Drop for Link<'_> {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = std::fs::remove_file(self.0);
    }
}

fn open_pair() -> io::Result<(OwnedFd, OwnedFd, PathBuf)> {
    let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    rustix::pty::grantpt(&master)?;
    rustix::pty::unlockpt(&master)?;
    rustix::fs::fcntl_setfl(&master, OFlags::RDWR | OFlags::NONBLOCK)?;
    let name = rustix::pty::ptsname(&master, Vec::new())?;
    let path = PathBuf::from(name.into_string().map_err(io::Error::other)?);
    let slave = rustix::fs::open(&path, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
    // Else the terminal echoes the board's own words to it.
    let mut termios = rustix::termios::tcgetattr(&slave)?;
    termios.make_raw();
    rustix::termios::tcsetattr(&slave, OptionalActions::Now, &termios)?;
    Ok((master, slave, path))
}

async fn reset_at_each_opening(board: &Handle, master: &OwnedFd) -> io::Result<()> {
    loop {
        while is_closed(master)? && !board.with(|board| board.is_unplugged()) {
            tokio::time::sleep(OPENING_CHECK).await;
        }
        board.reset();
        // An error says that the terminal was closed: readiness has to be registered anew then.
        if drive(board, Master::new(master.as_fd())?).await.is_ok() {
            return Ok(());
        }
    }
}

/// Whether nobody has the terminal open.
fn is_closed(master: &OwnedFd) -> io::Result<bool> {
    let mut fds = [PollFd::new(master, PollFlags::IN)];
    rustix::event::poll(&mut fds, Some(&Timespec::default()))?;
    Ok(fds[0].revents().contains(PollFlags::HUP))
}

/// The board's end of the terminal.
struct Master<'a> {
    fd: AsyncFd<BorrowedFd<'a>>,
}

impl<'a> Master<'a> {
    fn new(fd: BorrowedFd<'a>) -> io::Result<Self> {
        // SAFETY: the borrow keeps the descriptor open, and the same, for as long as the `AsyncFd` lives.
        Ok(Master { fd: unsafe { AsyncFd::register(fd)? } })
    }
}

impl AsyncRead for Master<'_> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            let mut ready = ready!(self.fd.poll_read_ready(cx))?;
            let room = buffer.initialize_unfilled();
            match ready.try_io(|fd| Ok(rustix::io::read(fd, room)?)) {
                Ok(read) => return Poll::Ready(read.map(|read| buffer.advance(read))),
                Err(_would_block) => {}
            }
        }
    }
}

impl AsyncWrite for Master<'_> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.fd.poll_write_ready(cx))?;
            match ready.try_io(|fd| Ok(rustix::io::write(fd, bytes)?)) {
                Ok(written) => return Poll::Ready(written),
                Err(_would_block) => {}
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
