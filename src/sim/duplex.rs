//! The board on an in-process stream, and the loop that all shells share.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::sync::Notify;

use super::board::Board;
use super::config::Config;
use super::fault::Fault;

/// Bytes between board and host in each direction before a writer waits.
const PIPE_BYTES: usize = 4096;

/// Bytes read from the host at once.
const READ_BYTES: usize = 512;

/// A hand on a running simulated board. Clones are hands on the same board; the board runs on when all are gone.
#[derive(Clone)]
pub struct Handle {
    shared: Arc<Shared>,
}

struct Shared {
    board: Mutex<Board>,
    changed: Notify,
}

impl Handle {
    pub(super) fn new(config: Config) -> Self {
        let board = Mutex::new(Board::new(config, now()));
        Handle { shared: Arc::new(Shared { board, changed: Notify::new() }) }
    }

    /// Presses the reset button.
    pub fn reset(&self) {
        self.inject(Fault::Reset);
    }

    /// Pulls the cable.
    pub fn unplug(&self) {
        self.inject(Fault::Unplug);
    }

    /// Makes something go wrong now.
    pub fn inject(&self, fault: Fault) {
        self.with(|board| board.inject(fault, now()));
    }

    /// Looks at the board, or changes it. The board stands still meanwhile.
    pub fn with<T>(&self, work: impl FnOnce(&mut Board) -> T) -> T {
        let result = work(&mut self.lock());
        self.shared.changed.notify_one();
        result
    }

    fn lock(&self) -> MutexGuard<'_, Board> {
        // A test that panicked inside `with` leaves a board that is as good as before.
        self.shared.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A simulated board: the host's end of its wire, as if just opened, and a hand on it.
///
/// A task drives the board until it is unplugged or the stream is dropped; it sleeps while there is nothing to do.
/// Must be called within a tokio runtime. With tokio's paused time the board's time is paused too.
pub fn duplex(config: Config) -> (DuplexStream, Handle) {
    let (host, board) = tokio::io::duplex(PIPE_BYTES);
    let handle = Handle::new(config);
    let driver = handle.clone();
    // It ends with the stream, whatever the reason.
    tokio::spawn(async move { drive(&driver, board).await });
    (host, handle)
}

/// Moves bytes and time until the board is unplugged (`Ok`) or the stream ends or fails (`Err`).
pub(super) async fn drive(handle: &Handle, stream: impl AsyncRead + AsyncWrite) -> io::Result<()> {
    let (mut from_host, mut to_host) = tokio::io::split(stream);
    let mut buffer = [0; READ_BYTES];
    let mut unsent = Vec::new();
    loop {
        let (wake, hungry) = {
            let mut board = handle.lock();
            if unsent.is_empty() {
                unsent = board.poll(now()).unwrap_or_default();
            }
            if board.is_unplugged() {
                return Ok(());
            }
            (board.next_wake(), board.accepts_bytes())
        };
        tokio::select! {
            biased;
            () = handle.shared.changed.notified() => {}
            read = from_host.read(&mut buffer), if hungry => match read? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => handle.lock().receive(&buffer[..read], now()),
            },
            written = to_host.write(&unsent), if !unsent.is_empty() => {
                unsent.drain(..written?);
            }
            // While the host takes nothing, the board's output waits; its time goes on when it is polled again.
            () = sleep_until(wake), if unsent.is_empty() && wake.is_some() => {}
        }
    }
}

async fn sleep_until(wake: Option<Instant>) {
    if let Some(wake) = wake {
        tokio::time::sleep_until(wake.into()).await;
    }
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
