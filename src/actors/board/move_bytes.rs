//! Both directions of a line at once.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::Poll;

use futures_util::FutureExt;
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

/// What the line has for us already: how many bytes, if any. That it is gone is for [`move_bytes`] to find.
pub(super) async fn read_now(line: &mut dyn Transport, rx: &mut [u8]) -> Option<usize> {
    // The runtime looks at its ports anew before it goes on with this task.
    tokio::task::yield_now().await;
    match move_bytes(line, rx, &[]).now_or_never() {
        Some(Ok(Moved::Read(count))) if count > 0 => Some(count),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    #[tokio::test]
    async fn what_is_there_is_read_in_order_and_nothing_is_waited_for() {
        let (mut line, mut board) = tokio::io::duplex(64);
        let mut rx = [0; 4];
        assert_eq!(read_now(&mut line, &mut rx).await, None);
        board.write_all(b"abcdef").await.unwrap();
        assert_eq!(read_now(&mut line, &mut rx).await, Some(4));
        assert_eq!(&rx, b"abcd");
        assert_eq!(read_now(&mut line, &mut rx).await, Some(2));
        assert_eq!(&rx[..2], b"ef");
        drop(board);
        assert_eq!(read_now(&mut line, &mut rx).await, None);
        assert!(matches!(move_bytes(&mut line, &mut rx, &[]).await, Ok(Moved::Read(0))));
    }
}
