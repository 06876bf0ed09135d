//! A server on loopback with boards that the test plays.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::routing::{get, put};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error as WsError, Message, http::Response as WsResponse};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use uuid::Uuid;

use crate::actors::directory::{CloseReason, Directory, DirectoryError, FromClient, Link, Request, Secrets, ToClient};
use crate::http::control::ControlListener;
use crate::http::server::serve_control;
use crate::http::ws::SocketLimits;
use crate::http::{Addresses, AdminToken, HttpConfig, HttpState, Lifecycle, Listeners, Peer, router};
use crate::io::store::RegistryStore;
use crate::pure::fbp::UploadStep;
use crate::pure::port::Port;
use crate::pure::secret::Secret;
use crate::pure::view::{BoardState, BoardView};

pub(crate) const BOARD: Uuid = Uuid::from_u128(0x11111111_1111_4111_8111_111111111111);
pub(crate) const OTHER: Uuid = Uuid::from_u128(0x22222222_2222_4222_8222_222222222222);
pub(crate) const SECRET: &str = "s3cret";
pub(crate) const TOKEN: &str = "admintoken";
pub(crate) const IDE: &str = "https://ide.example";
/// Messages that a link holds.
const LINK_QUEUE: usize = 4;

pub(crate) type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The board's end of a link.
pub(crate) struct BoardEnd {
    pub(crate) to_client: mpsc::Sender<ToClient>,
    pub(crate) from_client: mpsc::Receiver<FromClient>,
    close: Arc<OnceLock<CloseReason>>,
}

impl BoardEnd {
    /// Ends the link as a board does.
    pub(crate) fn close(self, code: u16, text: &str) {
        self.close.set(CloseReason { code, text: text.into() }).unwrap();
    }
}

pub(crate) struct Bench {
    pub(crate) address: SocketAddr,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) views: watch::Sender<Arc<Vec<BoardView>>>,
    pub(crate) links: mpsc::Receiver<BoardEnd>,
    pub(crate) asked: Arc<Mutex<Vec<String>>>,
    control: PathBuf,
    dir: TempDir,
}

pub(crate) fn board(id: Uuid, label: &str, state: BoardState) -> BoardView {
    BoardView {
        id,
        rung: "simulated",
        label: label.into(),
        port: Port::Simulated(0),
        firmware: None,
        state,
        reason: "because".into(),
        warnings: vec![],
        components: None,
        clients: 0,
        linger: std::time::Duration::ZERO,
        wish: Default::default(),
        registries: vec![],
    }
}

impl Bench {
    /// One ready board.
    pub(crate) async fn new() -> Bench {
        Bench::with(vec![board(BOARD, "Blink", BoardState::Ready)], None).await
    }

    pub(crate) async fn with(boards: Vec<BoardView>, public_url: Option<&str>) -> Bench {
        const PLENTY: usize = 100;
        Bench::at_most(PLENTY, boards, public_url).await
    }

    /// With so many connections at once.
    pub(crate) async fn at_most(connections: usize, boards: Vec<BoardView>, public_url: Option<&str>) -> Bench {
        Bench::build(connections, boards, public_url, None).await
    }

    /// One ready board, and that embedded registry.
    pub(crate) async fn with_registry(registry: RegistryStore) -> Bench {
        const PLENTY: usize = 100;
        Bench::build(PLENTY, vec![board(BOARD, "Blink", BoardState::Ready)], None, Some(registry)).await
    }

    async fn build(
        connections: usize,
        boards: Vec<BoardView>,
        public_url: Option<&str>,
        registry: Option<RegistryStore>,
    ) -> Bench {
        let limits = SocketLimits { send: Duration::from_millis(300), ..SocketLimits::default() };
        let (directory, server) = Directory::new();
        server.views.send_replace(Arc::new(boards));
        let (links_tx, links) = mpsc::channel(8);
        let asked = Arc::default();
        tokio::spawn(play(server.requests, server.views.subscribe(), links_tx, Arc::clone(&asked)));

        let listeners = Listeners::bind(&["127.0.0.1:0".parse().unwrap()]).await.unwrap();
        let address = listeners.addresses()[0];
        let public = public_url.map(|url| url.parse().unwrap());
        let lifecycle = Lifecycle::new();
        let dir = tempfile::tempdir().unwrap();
        let config = HttpConfig {
            directory,
            addresses: Addresses::new(vec![address], public, IDE.parse().unwrap()),
            admin_token: AdminToken::new(TOKEN),
            registry,
            ide: None,
            lifecycle: lifecycle.clone(),
        };
        let extra = Router::new()
            .route("/runtimes", get(async || "[]"))
            .route("/runtimes/{id}", put(async || "ok"))
            .route("/peer", get(async |peer: Peer| format!("{peer:?}")));
        let app = router(HttpState::with_limits(config, limits), extra);
        let control = dir.path().join("control.sock");
        serve_control(ControlListener::bind(&control).unwrap(), &app, &lifecycle);
        listeners.serve_at_most(connections, &app, &lifecycle);
        Bench { address, lifecycle, views: server.views, links, asked, control, dir }
    }

    /// The directory of the control socket.
    pub(crate) fn state_dir(&self) -> &Path {
        self.dir.path()
    }

    /// Sends a request head and body as they are; `HOST` becomes the right host. The status and all that came.
    pub(crate) async fn http(&self, request: &str, body: &str) -> (u16, String) {
        self.exchange(TcpStream::connect(self.address).await.unwrap(), request, body).await
    }

    /// The same over the control socket.
    pub(crate) async fn control(&self, request: &str, body: &str) -> (u16, String) {
        self.exchange(UnixStream::connect(&self.control).await.unwrap(), request, body).await
    }

    async fn exchange(&self, mut io: impl AsyncRead + AsyncWrite + Unpin, head: &str, body: &str) -> (u16, String) {
        let (first, headers) = head.split_once('\n').unwrap_or((head, ""));
        let has_host = headers.lines().any(|line| line.starts_with("Host:"));
        let host = if has_host { "" } else { "Host: HOST\r\n" };
        let headers: String = headers.lines().map(|line| format!("{line}\r\n")).collect();
        let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        let text = format!("{first} HTTP/1.1\r\n{host}{headers}{length}\r\n{body}");
        let text = text.replace("HOST", &self.address.to_string());
        io.write_all(text.as_bytes()).await.unwrap();
        let answer = read_answer(&mut io).await;
        let status = answer.split(' ').nth(1).unwrap_or_default().parse().unwrap_or(0);
        (status, answer)
    }

    /// Opens a WebSocket.
    pub(crate) async fn ws(
        &self,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<(Client, Option<String>), (u16, String)> {
        let mut request = format!("ws://{}{path}", self.address).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match connect_async(request).await {
            Ok((client, response)) => Ok((client, selected(&response))),
            Err(WsError::Http(response)) => {
                let body = response.body().clone().unwrap_or_default();
                Err((response.status().as_u16(), String::from_utf8(body).unwrap()))
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// Opens a raw WebSocket with the right secret.
    pub(crate) async fn raw(&mut self) -> (Client, BoardEnd) {
        let authorization = format!("Bearer {SECRET}");
        let (client, _) = self.ws(&format!("/{BOARD}/raw"), &[("authorization", &authorization)]).await.unwrap();
        (client, self.links.recv().await.unwrap())
    }

    /// Opens an FBP WebSocket.
    pub(crate) async fn fbp(&mut self) -> (Client, BoardEnd) {
        let (client, _) = self.ws(&format!("/{BOARD}"), &[]).await.unwrap();
        (client, self.links.recv().await.unwrap())
    }
}

/// Reads one answer: its head, and as much body as the head says.
async fn read_answer(io: &mut (impl AsyncRead + Unpin)) -> String {
    let mut answer = String::new();
    let missing = |answer: &str| {
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
        Some(length.parse::<usize>().unwrap() - body.len())
    };
    while !answer.contains("\r\n\r\n") || missing(&answer).is_some_and(|bytes| bytes > 0) {
        let mut buffer = [0; 4096];
        let count = io.read(&mut buffer).await.unwrap();
        if count == 0 {
            break;
        }
        answer.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
    }
    answer
}

fn selected<B>(response: &WsResponse<B>) -> Option<String> {
    Some(response.headers().get("sec-websocket-protocol")?.to_str().unwrap().into())
}

/// Waits for the close frame.
pub(crate) async fn closed(client: &mut Client) -> (u16, String) {
    use futures_util::StreamExt;
    loop {
        match client.next().await {
            Some(Ok(Message::Close(Some(CloseFrame { code, reason })))) => return (code.into(), reason.to_string()),
            Some(Ok(_)) => {}
            other => panic!("no close frame, but {other:?}"),
        }
    }
}

/// Plays the supervisor.
async fn play(
    mut requests: mpsc::Receiver<Request>,
    views: watch::Receiver<Arc<Vec<BoardView>>>,
    links: mpsc::Sender<BoardEnd>,
    asked: Arc<Mutex<Vec<String>>>,
) {
    let find = |id| views.borrow().iter().find(|board| board.id == id).cloned().ok_or(DirectoryError::NotFound(id));
    while let Some(request) = requests.recv().await {
        match request {
            Request::SetLabel { id, label, reply } => {
                asked.lock().unwrap().push(format!("label {id} {label}"));
                reply.send(find(id).map(drop)).unwrap();
            }
            Request::ForgetLabel { id, reply } => {
                asked.lock().unwrap().push(format!("forget label {id}"));
                reply.send(Ok(())).unwrap();
            }
            Request::Store { id, change, reply } => {
                let label = change.label.unwrap_or_default();
                let id_given = change.id.is_some();
                asked.lock().unwrap().push(format!("store {id} {id_given} {label}"));
                reply.send(Ok(true)).unwrap();
            }
            Request::Admit { id, allow, chip, reply } => {
                asked.lock().unwrap().push(format!("admit {id} {allow} {chip}"));
                reply.send(find(id).map(drop)).unwrap();
            }
            Request::Secrets { id, reply } => {
                reply.send(find(id).map(|_| Secrets { full: Secret::new(SECRET), read: Secret::new("l00k") })).unwrap();
            }
            Request::Reconfigure { reply, .. } => reply.send(Ok(())).unwrap(),
            Request::Firmwares { reply } => reply.send(Ok(Vec::new())).unwrap(),
            Request::AddFirmware { reply, .. } => {
                reply.send(Err(DirectoryError::Invalid("not here".into()))).unwrap();
            }
            Request::RemoveFirmware { reply, .. } => reply.send(Err(DirectoryError::Invalid("none".into()))).unwrap(),
            Request::Graph { id, reply } => {
                if find(id).is_ok() {
                    reply.send(serde_json::json!({ "processes": {} })).unwrap();
                }
            }
            Request::Upload { id, upload, reply } => {
                reply.send(find(id).map(drop)).unwrap();
                upload.steps.send(UploadStep::Progress { done: 1, total: 2 }).await.unwrap();
                let end = if upload.graph["processes"].is_object() { Ok(()) } else { Err("no processes".into()) };
                upload.steps.send(UploadStep::Ended(end)).await.unwrap();
            }
            Request::Connect { id, kind: _, reply } => {
                let link = match find(id) {
                    Ok(board) if board.state == BoardState::Ready => Ok(link(&links).await),
                    Ok(board) => Err(DirectoryError::NotOpen { id, reason: board.reason }),
                    Err(error) => Err(error),
                };
                assert!(reply.send(link).is_ok());
            }
        }
    }
}

async fn link(links: &mpsc::Sender<BoardEnd>) -> Link {
    let (to_board, from_client) = mpsc::channel(LINK_QUEUE);
    let (to_client, from_board) = mpsc::channel(LINK_QUEUE);
    let close = Arc::new(OnceLock::new());
    links.send(BoardEnd { to_client, from_client, close: close.clone() }).await.unwrap();
    Link { to_board, from_board, close }
}
