//! An FBP client that does not wait for answers, and keeps account of them.

use std::sync::{Arc, Mutex};

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::ledger::Ledger;
use super::picture::Picture;
use crate::support::PATIENCE;

/// Messages that may be without an answer.
const WINDOW: u32 = 50;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A message, and what is to come of it.
pub(super) struct Ask {
    message: Result<Value, String>,
    with_id: bool,
    pub(super) protocol: String,
    /// What answers it, if it may be carried out.
    pub(super) reply: Option<&'static str>,
}

impl Ask {
    /// A message that may be refused or not. Without an id only where its answer cannot be taken for something else.
    pub(super) fn fair(message: Value, reply: &'static str, with_id: bool) -> Ask {
        let protocol = message["protocol"].as_str().unwrap().to_owned();
        Ask { message: Ok(message), with_id, protocol, reply: Some(reply) }
    }

    /// A message that must be refused.
    pub(super) fn refused(message: Value, with_id: bool) -> Ask {
        Ask { reply: None, ..Ask::fair(message, "error", with_id) }
    }

    /// What is no message.
    pub(super) fn junk(text: &str) -> Ask {
        Ask { message: Err(text.to_owned()), with_id: false, protocol: "runtime".to_owned(), reply: None }
    }
}

/// The client.
pub(super) struct Link {
    sink: SplitSink<Socket, Message>,
    shared: Arc<Shared>,
    reader: JoinHandle<()>,
    requests: usize,
}

struct Shared {
    ledger: Mutex<Ledger>,
    room: Semaphore,
}

impl Link {
    pub(super) async fn open(url: &str) -> Link {
        let (socket, _) = connect_async(url).await.unwrap();
        let (sink, stream) = socket.split();
        let shared = Arc::new(Shared { ledger: Mutex::new(Ledger::default()), room: Semaphore::new(WINDOW as usize) });
        let reader = tokio::spawn(read(stream, Arc::clone(&shared)));
        Link { sink, shared, reader, requests: 0 }
    }

    /// Sends, as soon as few enough messages are without an answer.
    pub(super) async fn say(&mut self, ask: Ask) {
        self.room(1).await;
        let Ask { message, with_id, protocol, reply } = ask;
        let text = match message {
            Err(text) => {
                self.shared.ledger.lock().unwrap().expect(None, &text, protocol, reply);
                text
            }
            Ok(mut message) => {
                self.requests += 1;
                let id = with_id.then(|| self.requests.to_string());
                if let Some(id) = &id {
                    message["requestId"] = json!(id);
                }
                let text = message.to_string();
                self.shared.ledger.lock().unwrap().expect(id, &text, protocol, reply);
                text
            }
        };
        let sent = timeout(PATIENCE, self.sink.send(Message::text(text))).await;
        sent.expect("the bridge does not read").unwrap_or_else(|error| panic!("{error}; {}", self.state()));
    }

    /// Waits until everything is answered.
    pub(super) async fn all_answered(&mut self) {
        self.room(WINDOW).await;
        self.shared.room.add_permits(WINDOW as usize);
    }

    async fn room(&mut self, messages: u32) {
        match timeout(PATIENCE, self.shared.room.acquire_many(messages)).await {
            Ok(Ok(permits)) => permits.forget(),
            Ok(Err(_)) => panic!("{}", self.state()),
            Err(_) => panic!("unanswered: {}", self.state()),
        }
    }

    fn state(&self) -> String {
        self.shared.ledger.lock().unwrap().state()
    }

    /// From now on the graph is kept as it is told.
    pub(super) fn listen(&self) {
        self.shared.ledger.lock().unwrap().picture = Some(Picture::default());
    }

    /// What became of it all.
    pub(super) fn close(self) -> Ledger {
        self.reader.abort();
        std::mem::take(&mut *self.shared.ledger.lock().unwrap())
    }
}

async fn read(mut stream: SplitStream<Socket>, shared: Arc<Shared>) {
    let why = loop {
        let text = match stream.next().await {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
            other => break format!("the socket ended: {other:?}"),
        };
        let taken = shared.ledger.lock().unwrap().take(&text);
        match taken {
            Ok(true) => shared.room.add_permits(1),
            Ok(false) => {}
            Err(why) => break why,
        }
    };
    shared.ledger.lock().unwrap().failure = Some(why);
    shared.room.close();
}
