//! The clients of one board: bounded queues both ways; a slow one is dropped, never waited for.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use tokio::sync::mpsc;
use tokio_stream::{Stream, StreamExt, StreamMap};

use crate::actors::directory::{CLOSE_BOARD_GONE, CLOSE_TOO_SLOW, CloseReason, FromClient, Link};
use crate::pure::board::ToClient;
use crate::pure::fbp::ClientId;

/// Clients that one board serves at the same time.
pub(super) const CLIENTS_PER_BOARD: usize = 64;

/// Messages that may wait for a client to read them: more than the largest graph has parts. A flooding board makes some 5000 a second.
const TO_CLIENT_MESSAGES: usize = 2048;

/// Messages that may wait for the board's loop.
const FROM_CLIENT_MESSAGES: usize = 16;

struct Client {
    to_client: mpsc::Sender<ToClient>,
    close: Arc<OnceLock<CloseReason>>,
}

/// What a client sends, then `None` once.
struct Incoming(Option<mpsc::Receiver<FromClient>>);

impl Stream for Incoming {
    type Item = Option<FromClient>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(receiver) = &mut self.0 else { return Poll::Ready(None) };
        receiver.poll_recv(context).map(|message| {
            if message.is_none() {
                self.0 = None;
            }
            Some(message)
        })
    }
}

/// All clients of a board.
#[derive(Default)]
pub(super) struct Clients {
    next: u64,
    clients: HashMap<ClientId, Client>,
    incoming: StreamMap<ClientId, Incoming>,
}

impl Clients {
    pub(super) fn len(&self) -> usize {
        self.clients.len()
    }

    /// The id of the next client.
    pub(super) fn next_id(&mut self) -> ClientId {
        self.next += 1;
        ClientId(self.next)
    }

    pub(super) fn add(&mut self, id: ClientId) -> Link {
        let (to_client, from_board) = mpsc::channel(TO_CLIENT_MESSAGES);
        let (to_board, from_client) = mpsc::channel(FROM_CLIENT_MESSAGES);
        let close = Arc::new(OnceLock::new());
        self.incoming.insert(id, Incoming(Some(from_client)));
        self.clients.insert(id, Client { to_client, close: Arc::clone(&close) });
        Link { to_board, from_board, close }
    }

    /// The next message from any client; `None` in it means that the client has left. Waits for ever while there are no clients.
    pub(super) async fn next(&mut self) -> (ClientId, Option<FromClient>) {
        let Some((id, message)) = self.incoming.next().await else { return std::future::pending().await };
        if message.is_none() {
            self.clients.remove(&id);
        }
        (id, message)
    }

    /// Hands a message to a client. False if it was too slow and has been dropped.
    pub(super) fn send(&mut self, id: ClientId, message: ToClient) -> bool {
        let Some(client) = self.clients.get(&id) else { return true };
        match client.to_client.try_send(message) {
            Ok(()) => true,
            // It has hung up; the loop hears so from its incoming stream.
            Err(mpsc::error::TrySendError::Closed(_)) => true,
            Err(mpsc::error::TrySendError::Full(_)) => {
                let text = format!("you did not read for {TO_CLIENT_MESSAGES} messages");
                self.drop_client(id, CLOSE_TOO_SLOW, text);
                false
            }
        }
    }

    /// Ends every link.
    pub(super) fn drop_all(&mut self, reason: &str) -> Vec<ClientId> {
        let ids: Vec<_> = self.clients.keys().copied().collect();
        for id in &ids {
            self.drop_client(*id, CLOSE_BOARD_GONE, reason.to_owned());
        }
        ids
    }

    fn drop_client(&mut self, id: ClientId, code: u16, text: String) {
        self.incoming.remove(&id);
        if let Some(client) = self.clients.remove(&id) {
            // Fails only if a reason is already there, and then that one counts.
            let _ = client.close.set(CloseReason { code, text });
        }
    }
}
