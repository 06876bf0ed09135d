//! The directory: the one door through which HTTP, the command line and the registrar reach the boards.

use std::sync::{Arc, OnceLock};

use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;

use super::board::Upload;
use super::supervisor::Planner;
use super::traffic::Traffic;
use crate::io::store::FirmwareRecord;
use crate::pure::admission::GenericPolicy;
pub use crate::pure::board::ToClient;
use crate::pure::board::{OwnChange, OwnChangeError};
use crate::pure::firmwares::Subject;
use crate::pure::secret::Secret;
use crate::pure::view::BoardView;

/// Requests to the supervisor that may wait.
const REQUEST_QUEUE: usize = 64;

/// A handle to all boards. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Directory {
    views: watch::Receiver<Arc<Vec<BoardView>>>,
    requests: mpsc::Sender<Request>,
    traffic: Traffic,
}

/// The supervisor's end of a [`Directory`].
#[derive(Debug)]
pub struct DirectoryServer {
    /// Publishes what is known; gone boards are kept a while, in state `gone`.
    pub views: watch::Sender<Arc<Vec<BoardView>>>,
    /// What is asked.
    pub requests: mpsc::Receiver<Request>,
    /// The meters of the boards' lines.
    pub traffic: Traffic,
}

/// What can be asked of the supervisor.
#[derive(Debug)]
pub enum Request {
    /// Gives a board another label, for good.
    SetLabel {
        /// The board.
        id: Uuid,
        /// The label, 1 to 64 characters, no control characters.
        label: String,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<(), DirectoryError>>,
    },
    /// Forgets the label that a user gave a board here: it has its own or its default again.
    ForgetLabel {
        /// The board.
        id: Uuid,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<(), DirectoryError>>,
    },
    /// Has a board store an id or a label.
    Store {
        /// The board.
        id: Uuid,
        /// What it is to store.
        change: OwnChange,
        /// Whether anything had to be written.
        reply: oneshot::Sender<Result<bool, DirectoryError>>,
    },
    /// Says yes (`allow`) or no to a board's port, remembered.
    Admit {
        /// The board.
        id: Uuid,
        /// Yes or no.
        allow: bool,
        /// For every device with this VID:PID on this host, not only this one.
        chip: bool,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<(), DirectoryError>>,
    },
    /// A client wants to talk to a board.
    Connect {
        /// The board.
        id: Uuid,
        /// Which protocol.
        kind: ClientKind,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<Link, DirectoryError>>,
    },
    /// The configuration was read again.
    Reconfigure {
        /// What it says of boards.
        planner: Box<Planner>,
        /// What to do with generic chips.
        generic: GenericPolicy,
        /// Told when every board has it.
        reply: oneshot::Sender<Result<(), DirectoryError>>,
    },
    /// What was added of firmware builds.
    Firmwares {
        /// Where the answer goes.
        reply: oneshot::Sender<Result<Vec<FirmwareView>, DirectoryError>>,
    },
    /// Adds a firmware build, or puts it in place of the one of that name.
    AddFirmware {
        /// The build.
        firmware: FirmwareRecord,
        /// Which boards have it.
        subjects: Vec<Subject>,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<FirmwareView, DirectoryError>>,
    },
    /// Forgets a firmware build.
    RemoveFirmware {
        /// Its name.
        name: String,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<(), DirectoryError>>,
    },
    /// The graph of a board, as clients see it.
    Graph {
        /// The board.
        id: Uuid,
        /// Where the answer goes; dropped if there is no such board or it is not open.
        reply: oneshot::Sender<serde_json::Value>,
    },
    /// Puts a graph in place of a board's.
    Upload {
        /// The board.
        id: Uuid,
        /// The graph, and where its steps go.
        upload: Upload,
        /// Whether it has begun.
        reply: oneshot::Sender<Result<(), DirectoryError>>,
    },
    /// The board's secrets, for checking and for live URLs.
    Secrets {
        /// The board.
        id: Uuid,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<Secrets, DirectoryError>>,
    },
}

/// A firmware build that was added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirmwareView {
    /// Its name.
    pub name: String,
    /// How many components it has.
    pub components: usize,
    /// Whether its embedded graph is known.
    pub graph: bool,
    /// Which boards have it.
    pub subjects: Vec<Subject>,
}

/// A board's secrets. Compared in constant time, shown only where the caller has proved who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secrets {
    /// Allows everything.
    pub full: Secret,
    /// Allows to look.
    pub read: Secret,
}

/// Which protocol a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientKind {
    /// FBP network protocol, JSON in text messages. Each message carries its own secret.
    Fbp,
    /// The board's binary protocol. The secret was checked before.
    Raw,
}

/// One client's connection to a board's loop.
#[derive(Debug)]
pub struct Link {
    /// To the board. Dropping it disconnects.
    pub to_board: mpsc::Sender<FromClient>,
    /// From the board. When it ends, [`Link::close`] says why.
    pub from_board: mpsc::Receiver<ToClient>,
    /// Set by the board before it ends the link.
    pub close: Arc<OnceLock<CloseReason>>,
}

/// From a client to its board.
#[derive(Debug)]
pub enum FromClient {
    /// A JSON message.
    Text(String),
    /// Bytes of the raw protocol, in any chunking.
    Binary(Vec<u8>),
}

/// Why a board ended a client's link: WebSocket close code and text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseReason {
    /// The WebSocket close code.
    pub code: u16,
    /// For people, at most 123 bytes.
    pub text: String,
}

/// Close code: the board is gone.
pub const CLOSE_BOARD_GONE: u16 = 4001;
/// Close code: the client did not read fast enough.
pub const CLOSE_TOO_SLOW: u16 = 4002;

/// Why a request to the directory failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    /// No such board.
    #[error("no board has the id {0}; `microflo-bridge list` shows the boards")]
    NotFound(Uuid),
    /// It is there, but cannot be talked to.
    #[error("board {id} is not open: {reason}")]
    NotOpen {
        /// The board.
        id: Uuid,
        /// Its state's reason.
        reason: String,
    },
    /// The board has as many clients as it may.
    #[error("board {id} already has {clients} clients, the most that one board serves")]
    Full {
        /// The board.
        id: Uuid,
        /// How many.
        clients: usize,
    },
    /// The value was refused.
    #[error("{0}")]
    Invalid(String),
    /// The board does not store what it should.
    #[error(transparent)]
    OnBoard(OwnChangeError),
    /// The store failed.
    #[error("the state directory could not be written: {0}")]
    Store(String),
    /// The bridge is going down.
    #[error("the bridge is shutting down")]
    ShuttingDown,
}

impl Directory {
    /// A directory and the end that serves it.
    pub fn new() -> (Directory, DirectoryServer) {
        let (views_tx, views) = watch::channel(Arc::default());
        let (requests, requests_rx) = mpsc::channel(REQUEST_QUEUE);
        let traffic = Traffic::default();
        let server = DirectoryServer { views: views_tx, requests: requests_rx, traffic: traffic.clone() };
        (Directory { views, requests, traffic }, server)
    }

    /// All boards now, gone ones included.
    pub fn boards(&self) -> Arc<Vec<BoardView>> {
        self.views.borrow().clone()
    }

    /// Tells when [`Directory::boards`] changes.
    pub fn watch(&self) -> watch::Receiver<Arc<Vec<BoardView>>> {
        self.views.clone()
    }

    /// The meters of the boards' lines.
    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// Gives a board another label, for good.
    pub async fn set_label(&self, id: Uuid, label: String) -> Result<(), DirectoryError> {
        self.ask(|reply| Request::SetLabel { id, label, reply }).await
    }

    /// Forgets the label that a user gave a board here.
    pub async fn forget_label(&self, id: Uuid) -> Result<(), DirectoryError> {
        self.ask(|reply| Request::ForgetLabel { id, reply }).await
    }

    /// Has a board store an id or a label. False if it does already.
    pub async fn store(&self, id: Uuid, change: OwnChange) -> Result<bool, DirectoryError> {
        self.ask(|reply| Request::Store { id, change, reply }).await
    }

    /// Says yes or no to a board's port; with `chip`, to every device with that VID:PID.
    pub async fn admit(&self, id: Uuid, allow: bool, chip: bool) -> Result<(), DirectoryError> {
        self.ask(|reply| Request::Admit { id, allow, chip, reply }).await
    }

    /// Opens a link to a board.
    pub async fn connect(&self, id: Uuid, kind: ClientKind) -> Result<Link, DirectoryError> {
        self.ask(|reply| Request::Connect { id, kind, reply }).await
    }

    /// Takes up another configuration.
    pub async fn reconfigure(&self, planner: Planner, generic: GenericPolicy) -> Result<(), DirectoryError> {
        let planner = Box::new(planner);
        self.ask(|reply| Request::Reconfigure { planner, generic, reply }).await
    }

    /// The firmware builds that were added.
    pub async fn firmwares(&self) -> Result<Vec<FirmwareView>, DirectoryError> {
        self.ask(|reply| Request::Firmwares { reply }).await
    }

    /// Adds a firmware build for those boards, or puts it in place of the one of that name.
    pub async fn add_firmware(
        &self,
        firmware: FirmwareRecord,
        subjects: Vec<Subject>,
    ) -> Result<FirmwareView, DirectoryError> {
        self.ask(|reply| Request::AddFirmware { firmware, subjects, reply }).await
    }

    /// Forgets a firmware build.
    pub async fn remove_firmware(&self, name: String) -> Result<(), DirectoryError> {
        self.ask(|reply| Request::RemoveFirmware { name, reply }).await
    }

    /// The graph of a board in FBP's JSON format, as clients see it.
    pub async fn graph(&self, id: Uuid) -> Result<serde_json::Value, DirectoryError> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(Request::Graph { id, reply }).await.map_err(|_| DirectoryError::ShuttingDown)?;
        let boards = self.boards();
        answer.await.map_err(|_| match boards.iter().find(|board| board.id == id) {
            Some(board) => DirectoryError::NotOpen { id, reason: board.reason.clone() },
            None => DirectoryError::NotFound(id),
        })
    }

    /// Puts a graph in place of a board's: what becomes of it goes to `upload.steps`.
    pub async fn upload(&self, id: Uuid, upload: Upload) -> Result<(), DirectoryError> {
        self.ask(|reply| Request::Upload { id, upload, reply }).await
    }

    /// The board's secrets.
    pub async fn secrets(&self, id: Uuid) -> Result<Secrets, DirectoryError> {
        self.ask(|reply| Request::Secrets { id, reply }).await
    }

    async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<T, DirectoryError>>) -> Request,
    ) -> Result<T, DirectoryError> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(request(reply)).await.map_err(|_| DirectoryError::ShuttingDown)?;
        answer.await.unwrap_or(Err(DirectoryError::ShuttingDown))
    }
}
