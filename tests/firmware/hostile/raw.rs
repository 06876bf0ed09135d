//! A raw client that does legal and illegal things, and does not care.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use firmware_proto::{Body, Command, Decoded, Decoder, Dialect, Edge, Event, Packet, PortRef, Response};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{Duration, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::random::Random;
use super::world::COMPONENTS;
use crate::support::PATIENCE;

const DIALECT: Dialect = Dialect::Flo01;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What came, by kind.
#[derive(Default)]
pub(super) struct Heard {
    pub(super) responses: AtomicUsize,
    pub(super) refusals: AtomicUsize,
    pub(super) packets: AtomicUsize,
}

pub(super) struct RawLink {
    url: String,
    secret: String,
    sink: SplitSink<Socket, Message>,
    reader: JoinHandle<()>,
    pub(super) heard: Arc<Heard>,
    pub(super) commands: usize,
    /// Of this connection.
    pings: usize,
    pongs: Arc<AtomicUsize>,
}

impl RawLink {
    pub(super) async fn open(url: &str, secret: &str) -> RawLink {
        let heard = Arc::<Heard>::default();
        let pongs = Arc::default();
        let (sink, reader) = connect(url, secret, &heard, &pongs).await;
        let (url, secret) = (url.to_owned(), secret.to_owned());
        let mut raw = RawLink { url, secret, sink, reader, heard, commands: 0, pings: 0, pongs };
        raw.send(DIALECT.opening(0).as_bytes()).await;
        raw
    }

    /// Leaves in the middle of a command, and comes again.
    async fn reconnect(&mut self) {
        self.send(&Command::ClearNodes.encode(DIALECT, 0).as_bytes()[..5]).await;
        self.reader.abort();
        (self.pings, self.pongs) = (0, Arc::default());
        (self.sink, self.reader) = connect(&self.url, &self.secret, &self.heard, &self.pongs).await;
        self.send(DIALECT.opening(0).as_bytes()).await;
    }

    /// Says some things at once.
    pub(super) async fn act(&mut self, random: &mut Random) {
        if random.once_in(30) {
            return self.reconnect().await;
        }
        let commands: Vec<Command> = (0..1 + random.below(6)).map(|_| command(random)).collect();
        let mut bytes: Vec<u8> = commands.iter().flat_map(|it| it.encode(DIALECT, 0).as_bytes().to_vec()).collect();
        // Some of it may have ended the session.
        bytes.extend_from_slice(DIALECT.opening(0).as_bytes());
        bytes.extend_from_slice(Command::Ping([7; 8]).encode(DIALECT, 0).as_bytes());
        self.commands += commands.len() + 1;
        self.pings += 1;
        self.send(&bytes).await;
    }

    async fn send(&mut self, bytes: &[u8]) {
        let sent = self.sink.send(Message::binary(bytes.to_vec()));
        timeout(PATIENCE, sent).await.expect("the bridge does not read").unwrap();
    }

    /// Waits until its last ping is answered: the bridge answers one client's commands in order.
    pub(super) async fn all_answered(&mut self) {
        let answered = async {
            while self.pongs.load(Ordering::Relaxed) < self.pings {
                sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(PATIENCE, answered).await.expect("a ping without a pong");
    }
}

impl Drop for RawLink {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

async fn connect(
    url: &str,
    secret: &str,
    heard: &Arc<Heard>,
    pongs: &Arc<AtomicUsize>,
) -> (SplitSink<Socket, Message>, JoinHandle<()>) {
    let mut request = url.into_client_request().unwrap();
    request.headers_mut().insert("Authorization", format!("Bearer {secret}").parse().unwrap());
    let (socket, _) = connect_async(request).await.unwrap();
    let (sink, stream) = socket.split();
    (sink, tokio::spawn(read(stream, Arc::clone(heard), Arc::clone(pongs))))
}

async fn read(mut stream: SplitStream<Socket>, heard: Arc<Heard>, pongs: Arc<AtomicUsize>) {
    let mut decoder = Decoder::aligned(DIALECT);
    while let Some(Ok(message)) = stream.next().await {
        let Message::Binary(bytes) = message else { continue };
        let mut rest = &bytes[..];
        while let Some(Decoded::Message(message)) = decoder.next(&mut rest) {
            let counter = match message.body {
                Body::Response(Response::Pong(_)) => &*pongs,
                Body::Response(_) => &heard.responses,
                Body::Event(Event::PacketSent { .. }) => &heard.packets,
                Body::Event(_) => &heard.refusals,
            };
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn command(random: &mut Random) -> Command {
    let port = |random: &mut Random| PortRef { node: random.byte_below(52), port: random.byte_below(3) };
    // Seldom an in port 0, which may be a Timer's interval: a Timer that gets junk there floods the board.
    let target = |random: &mut Random| {
        let port = if random.once_in(4) { 0 } else { 1 };
        PortRef { node: random.byte_below(52), port }
    };
    let edge = |random: &mut Random| Edge { src: port(random), tgt: target(random) };
    match random.below(36) {
        0..=7 => {
            let unknown = [0, 31, 99, 255][random.below(4)];
            let known = COMPONENTS[random.below(COMPONENTS.len() - 1)].id; // no Timer
            let component = if random.once_in(4) { unknown } else { known };
            let parent = if random.once_in(8) { random.byte_below(50) } else { 0 };
            Command::CreateComponent { component, parent }
        }
        8..=13 => Command::ConnectNodes(edge(random)),
        14..=15 => Command::DisconnectNodes(edge(random)),
        16..=18 => Command::RemoveNode { node: random.byte_below(52) },
        19..=22 => Command::SendPacket { target: target(random), packet: packet(random) },
        23..=25 => Command::SubscribeToPort { port: port(random), enable: random.once_in(2) },
        26 => {
            Command::ConnectSubgraphPort { is_output: random.once_in(2), subgraph: port(random), child: port(random) }
        }
        27 => Command::StartNetwork,
        28 if random.once_in(3) => Command::StopNetwork,
        29 if random.once_in(6) => Command::ClearNodes,
        30 => Command::ConfigureDebug { level: random.byte_below(6) },
        31 => Command::GetNetworkStatus,
        32 => Command::SetIoValue([random.byte_below(8), 1, 1, 0, 0, 0, 0, 0]),
        33 => Command::Unknown { id: random.byte_below(10), payload: [9; 8] },
        34 => Command::Unknown { id: 26 + random.byte_below(70), payload: [0xff; 8] },
        _ => Command::Unknown { id: 10 + random.byte_below(16), payload: [0xff; 8] },
    }
}

fn packet(random: &mut Random) -> Packet {
    match random.below(9) {
        0 => Packet::Void,
        1 => Packet::Byte(7),
        2 => Packet::Integer(i32::MIN),
        3 => Packet::BracketStart,
        4 => Packet::BracketEnd,
        5 => Packet::Error(3),
        6 => Packet::Float(0.5),
        7 => Packet::Other { kind: 50, data: [1, 2, 3, 4] },
        _ => Packet::Boolean(random.once_in(2)),
    }
}
