//! Both directions of a line at once.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::Poll;

use tokio::io::ReadBuf;

use crate::io::transport::Transport;

/// What the line can do now.
#[derive(Debug)]
pub(super) enum Moved {
    /// That many bytes were read; 0 means that the board is gone.
    Read(usize),
    /// That many bytes were written.
    Wrote(usize),
}

/// Reads and writes at once, whichever is possible first: a board that reads nothing must not keep us from hearing it.
/// Cancel safe: nothing has happened unless it returns.
pub(super) async fn move_bytes(line: &mut dyn Transport, rx: &mut [u8], tx: &[u8]) -> io::Result<Moved> {
    poll_fn(|context| {
        let mut buffer = ReadBuf::new(rx);
        if let Poll::Ready(read) = Pin::new(&mut *line).poll_read(context, &mut buffer) {
            return Poll::Ready(read.map(|()| Moved::Read(buffer.filled().len())));
        }
        if tx.is_empty() {
            return Poll::Pending;
        }
        Pin::new(&mut *line).poll_write(context, tx).map(|wrote| wrote.map(Moved::Wrote))
    })
    .await
}
