//! What a board's loop talks through.

use std::io;
use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};

/// A byte stream to a board. Reading nothing (`Ok(0)`) and any error both mean that the board is gone.
pub trait Transport: AsyncRead + AsyncWrite + Unpin + Send {
    /// Changes the baud rate, in bits per second. Bytes still on their way are not waited for.
    fn set_baud(&mut self, baud: u32) -> Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

    /// Closes it and waits until it is closed, so that it can be opened again at once.
    fn close(self: Box<Self>) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// An in-memory board has no baud rate.
impl Transport for DuplexStream {
    fn set_baud(&mut self, _baud: u32) -> Pin<Box<dyn Future<Output = io::Result<()>> + Send>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn close(self: Box<Self>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::ready(()))
    }
}
