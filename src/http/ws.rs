//! An open WebSocket: two loops in one task, from the client and to the client, neither of which waits for the other.

use std::pin::pin;
use std::sync::OnceLock;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::sync::mpsc;
use tokio::time::{interval_at, sleep, timeout};

use crate::actors::directory::{CLOSE_TOO_SLOW, ClientKind, CloseReason, FromClient, Link, ToClient};

/// The longest FBP message from a client, in bytes.
pub const MAX_FBP_MESSAGE_BYTES: usize = 1024 * 1024;
/// The longest raw message from a client, in bytes.
pub const MAX_RAW_MESSAGE_BYTES: usize = 4 * 1024;
/// Read and write buffers of each socket, in bytes.
const BUFFER_BYTES: usize = 4 * 1024;
/// What may wait to be written to one socket, in bytes: one long answer, such as the source of a graph with all the metadata that it may
/// have. A client whose answer is longer is dropped.
const MAX_WRITE_BYTES: usize = 32 * 1024 * 1024;
/// Messages that are written before the next flush, if that many wait.
const MESSAGES_PER_FLUSH: usize = 32;
/// The longest close reason, in bytes: a close frame holds 125, two of which are the code.
const MAX_REASON_BYTES: usize = 123;

/// How long a socket may take for what.
#[derive(Clone, Copy, Debug)]
pub struct SocketLimits {
    /// For the client to take a batch of messages.
    pub send: Duration,
    /// Between two pings.
    pub ping: Duration,
    /// Without a message, ping or pong from the client.
    pub idle: Duration,
    /// For the closing handshake.
    pub close: Duration,
}

impl Default for SocketLimits {
    fn default() -> Self {
        SocketLimits {
            send: Duration::from_secs(5),
            ping: Duration::from_secs(20),
            idle: Duration::from_secs(60),
            close: Duration::from_secs(1),
        }
    }
}

/// Why a socket ends.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// The client closed it, or its connection broke.
    ClientLeft,
    /// The board ended the link.
    Board,
    /// We end it, and say why.
    Refused { code: u16, text: &'static str },
}

const SLOW: End = End::Refused { code: CLOSE_TOO_SLOW, text: "messages were not read fast enough" };
const SILENT: End = End::Refused { code: close_code::POLICY, text: "pings were not answered" };
const STOPPING: End = End::Refused { code: close_code::AWAY, text: "the bridge is shutting down" };
const TEXT_ONLY: End =
    End::Refused { code: close_code::UNSUPPORTED, text: "this socket takes JSON in text messages; bytes go to /raw" };
const BINARY_ONLY: End = End::Refused { code: close_code::UNSUPPORTED, text: "the raw socket takes binary messages" };
const TOO_LONG: End = End::Refused { code: close_code::SIZE, text: "the message is too long" };
const NOT_UTF8: End = End::Refused { code: close_code::INVALID, text: "the text is not UTF-8" };
const NOT_WEBSOCKET: End = End::Refused { code: close_code::PROTOCOL, text: "not a WebSocket frame" };

/// Sets small buffers and message limits on an upgrade.
pub fn configure(upgrade: WebSocketUpgrade, kind: ClientKind) -> WebSocketUpgrade {
    let longest = match kind {
        ClientKind::Fbp => MAX_FBP_MESSAGE_BYTES,
        ClientKind::Raw => MAX_RAW_MESSAGE_BYTES,
    };
    upgrade
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(BUFFER_BYTES)
        .max_write_buffer_size(MAX_WRITE_BYTES)
        .max_message_size(longest)
        .max_frame_size(longest)
}

/// Carries messages between a client and its board until one of them ends it, or `stopping` does.
pub async fn serve(
    socket: WebSocket,
    link: Link,
    kind: ClientKind,
    limits: SocketLimits,
    stopping: impl Future<Output = ()>,
) {
    let Link { to_board, from_board, close } = link;
    let (mut sink, mut stream) = socket.split();
    let end = tokio::select! {
        end = receive(&mut stream, kind, to_board, limits) => end,
        end = deliver(&mut sink, from_board, &close, limits) => end,
        () = stopping => STOPPING,
    };
    goodbye(sink, stream, end, close.get(), limits.close).await;
}

/// Client → board. A full queue stops reading, and TCP then stops the client.
async fn receive(
    stream: &mut SplitStream<WebSocket>,
    kind: ClientKind,
    to_board: mpsc::Sender<FromClient>,
    limits: SocketLimits,
) -> End {
    loop {
        let message = match timeout(limits.idle, stream.next()).await {
            Err(_) => return SILENT,
            Ok(None) => return End::ClientLeft,
            Ok(Some(Err(error))) => return end_of(error),
            Ok(Some(Ok(message))) => message,
        };
        let message = match (message, kind) {
            (Message::Text(text), ClientKind::Fbp) => FromClient::Text(text.as_str().to_owned()),
            (Message::Binary(bytes), ClientKind::Raw) => FromClient::Binary(bytes.to_vec()),
            (Message::Text(_), ClientKind::Raw) => return BINARY_ONLY,
            (Message::Binary(_), ClientKind::Fbp) => return TEXT_ONLY,
            (Message::Ping(_) | Message::Pong(_), _) => continue,
            (Message::Close(_), _) => return End::ClientLeft,
        };
        if to_board.send(message).await.is_err() {
            // The board ended the link. What it still had to say is on its way in `deliver`.
            sleep(limits.send).await;
            return End::Board;
        }
    }
}

/// Board → client.
async fn deliver(
    sink: &mut SplitSink<WebSocket, Message>,
    mut from_board: mpsc::Receiver<ToClient>,
    close: &OnceLock<CloseReason>,
    limits: SocketLimits,
) -> End {
    let mut pings = interval_at(tokio::time::Instant::now() + limits.ping, limits.ping);
    loop {
        let first = tokio::select! {
            message = from_board.recv() => match message {
                Some(message) => into_message(message),
                None => return End::Board,
            },
            _ = pings.tick() => Message::Ping(Default::default()),
        };
        if close.get().is_some_and(|reason| reason.code == CLOSE_TOO_SLOW) {
            return End::Board;
        }
        match timeout(limits.send, write_batch(sink, first, &mut from_board)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return End::ClientLeft,
            Err(_) => return SLOW,
        }
    }
}

/// Writes a message and those that wait behind it, then flushes once.
async fn write_batch(
    sink: &mut SplitSink<WebSocket, Message>,
    first: Message,
    from_board: &mut mpsc::Receiver<ToClient>,
) -> Result<(), axum::Error> {
    sink.feed(first).await?;
    for _ in 1..MESSAGES_PER_FLUSH {
        match from_board.try_recv() {
            Ok(message) => sink.feed(into_message(message)).await?,
            Err(_) => break,
        }
    }
    sink.flush().await
}

fn into_message(message: ToClient) -> Message {
    match message {
        ToClient::Text(text) => Message::Text(Utf8Bytes::from(&*text)),
        ToClient::Binary(bytes) => Message::Binary(bytes.into()),
    }
}

fn end_of(error: axum::Error) -> End {
    use tungstenite::Error;
    match error.into_inner().downcast_ref::<Error>() {
        Some(Error::Capacity(_)) => TOO_LONG,
        Some(Error::Utf8(_)) => NOT_UTF8,
        Some(Error::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake)) => End::ClientLeft,
        Some(Error::Protocol(_)) => NOT_WEBSOCKET,
        _ => End::ClientLeft,
    }
}

/// The closing handshake, within `limit`.
///
/// A connection that is dropped with unread bytes in it is reset, and a reset overtakes the close frame. So what the client
/// still sends is read away until it closes.
async fn goodbye(
    mut sink: SplitSink<WebSocket, Message>,
    mut stream: SplitStream<WebSocket>,
    end: End,
    reason: Option<&CloseReason>,
    limit: Duration,
) {
    let frame = match end {
        End::ClientLeft => {
            let _ = timeout(limit, sink.close()).await;
            return;
        }
        End::Board => {
            reason.map_or_else(|| frame(close_code::AWAY, "the board ended the connection"), from_board_reason)
        }
        // When the board gave up on the client too, its words are the better ones.
        End::Refused { code, text } => reason.map_or_else(|| frame(code, text), from_board_reason),
    };
    let mut deadline = pin!(sleep(limit));
    let farewell = async {
        if sink.send(Message::Close(Some(frame))).await.is_err() {
            return;
        }
        while let Some(Ok(_)) = stream.next().await {}
        if end == TOO_LONG {
            // The rest of that message cannot be read; give the client time to take the close frame.
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = farewell => {}
        () = &mut deadline => {}
    }
}

fn from_board_reason(reason: &CloseReason) -> CloseFrame {
    frame(reason.code, &reason.text)
}

fn frame(code: u16, text: &str) -> CloseFrame {
    CloseFrame { code, reason: Utf8Bytes::from(&text[..text.floor_char_boundary(MAX_REASON_BYTES)]) }
}
