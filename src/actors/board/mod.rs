//! The loop of one board: opens its port, moves bytes and messages between port, clients and [`pure::board`](crate::pure::board),
//! and reports its status. It decides nothing about what bytes mean.

mod clients;
mod introductions;
mod move_bytes;
mod opening;
mod serving;
mod uploads;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::clients::{CLIENTS_PER_BOARD, Clients};
use self::uploads::Uploads;
use super::directory::{ClientKind, DirectoryError, FromClient, Link};
use super::heartbeat::Pulse;
use super::keeper::Keeper;
use super::status::{Generation, Recognized, Status, StatusBoard};
use super::traffic::Meter;
use crate::io::serial::Opener;
use crate::pure::board::{Board, Now, OwnChange};
use crate::pure::introduction::{Descriptors, Introduction};
use crate::pure::model::build::Build;
use crate::pure::view::{BoardState, Firmware};
use crate::pure::{fbp, session};

pub use self::opening::Target;
pub use self::uploads::{UPLOAD_STEPS, Upload};

/// How long a loop's port may take to close.
const STOP_PATIENCE: Duration = Duration::from_secs(3);

/// Requests to a board's loop that may wait.
const COMMANDS: usize = 16;

/// What a board's loop is told at its start.
#[derive(Debug)]
pub struct Setup {
    /// The board.
    pub id: Uuid,
    /// Tells this loop's reports from those of an earlier one.
    pub generation: Generation,
    /// What to open.
    pub target: Target,
    /// How to open the session.
    pub session: session::Config,
    /// Whether somebody has said that opening resets it, whatever its port looks like.
    pub resets: bool,
    /// How FBP clients see it.
    pub identity: fbp::Identity,
    /// What its firmware is made of.
    pub build: Option<Build>,
    /// What was saved of it.
    pub saved: Option<String>,
    /// Whether it gets its graph back after a start.
    pub restore: bool,
    /// What it has said of itself before, on the same line.
    pub introduction: Introduction,
    /// What boards have said of their firmware before.
    pub known: Descriptors,
    /// Whether a port that stays silent is kept open and asked again: the user named it.
    pub persistent: bool,
    /// Counts what goes over its line.
    pub meter: Arc<Meter>,
}

/// What a board's loop can be asked.
#[derive(Debug)]
pub enum Command {
    /// A client wants to connect.
    Connect(ClientKind, oneshot::Sender<Result<Link, DirectoryError>>),
    /// The label has changed.
    SetLabel(String),
    /// Whether it gets its graph back after a start.
    SetRestore(bool),
    /// More is known of its firmware, or less.
    SetBuild(Option<Build>),
    /// What its graph is.
    Graph(oneshot::Sender<serde_json::Value>),
    /// Put another graph in place of its.
    Upload(Upload),
    /// Have the board store an id or a label. False if it does already.
    Store(OwnChange, oneshot::Sender<Result<bool, DirectoryError>>),
    /// Something has changed on the host: try again now, if waiting.
    Retry,
}

/// A running loop. Dropping it stops the loop; its port is closed soon after.
#[derive(Debug)]
pub struct Handle {
    commands: mpsc::Sender<Command>,
    cancel: CancellationToken,
    task: tokio::task::JoinHandle<()>,
    /// It has ended as it should.
    ended: Arc<AtomicBool>,
}

impl Handle {
    /// Passes a request on; gives it back if the loop is too busy or has ended.
    pub fn request(&self, command: Command) -> Result<(), Command> {
        self.commands.try_send(command).map_err(|error| error.into_inner())
    }

    /// Whether it has ended by a panic, which was printed.
    pub fn has_failed(&self) -> bool {
        self.task.is_finished() && !self.ended.load(Ordering::Relaxed)
    }

    /// Stops the loop and waits until its port is closed, but not for ever: a wedged device can hold up its driver.
    pub async fn stop(mut self) {
        self.cancel.cancel();
        // A loop that panicked is stopped, too; the panic was printed.
        if tokio::time::timeout(STOP_PATIENCE, &mut self.task).await.is_err() {
            tracing::warn!("a port takes long to close; it is busy until then");
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

/// Starts a board's loop.
pub fn spawn(mut setup: Setup, status: StatusBoard, keeper: Keeper, pulse: Pulse) -> Handle {
    let (commands, receiver) = mpsc::channel(COMMANDS);
    let cancel = CancellationToken::new();
    let mut board = Board::new(setup.identity.clone(), setup.build.take());
    board.set_restore(setup.restore);
    board.assume(setup.introduction.clone());
    board.know(std::mem::take(&mut setup.known));
    if let Some(saved) = setup.saved.take() {
        board.load(saved);
    }
    let board_loop = Loop {
        board,
        clients: Clients::default(),
        uploads: Uploads::default(),
        keeper,
        pulse,
        opener: Opener::default(),
        save_at: None,
        recognition: None,
        storing: None,
        claiming: None,
        commands: receiver,
        status,
        now_said: Status { state: BoardState::Opening, reason: String::new(), firmware: None, clients: 0 },
        setup,
    };
    let ended = Arc::new(AtomicBool::new(false));
    let run = board_loop.run(cancel.clone());
    let task = tokio::spawn({
        let ended = Arc::clone(&ended);
        async move {
            run.await;
            ended.store(true, Ordering::Relaxed);
        }
    });
    Handle { commands, cancel, task, ended }
}

/// Why the port is not open any more, or never was.
enum Closed {
    /// The board is unplugged.
    Gone,
    /// Nothing there for us: leave it alone until somebody says otherwise.
    LeftAlone,
    /// The loop is to end.
    Cancelled,
}

struct Loop {
    setup: Setup,
    board: Board,
    clients: Clients,
    uploads: Uploads,
    keeper: Keeper,
    pulse: Pulse,
    opener: Opener,
    /// When the graph is to be saved, if it may have changed.
    save_at: Option<Instant>,
    /// Where the answer to the board's introduction comes from, while it waits for that.
    recognition: Option<oneshot::Receiver<Recognized>>,
    /// Who waits until the board has stored something.
    storing: Option<oneshot::Sender<Result<bool, DirectoryError>>>,
    /// Who waits until the board is known by the id that it stores.
    claiming: Option<oneshot::Sender<Result<bool, DirectoryError>>>,
    commands: mpsc::Receiver<Command>,
    status: StatusBoard,
    now_said: Status,
}

impl Loop {
    async fn run(mut self, cancel: CancellationToken) {
        let closed = self.live(&cancel).await;
        let reason = match closed {
            Closed::Gone => "the board is unplugged",
            Closed::LeftAlone | Closed::Cancelled => "the bridge has closed the port",
        };
        self.board.port_closed(reason, now());
        self.flush_closed();
        self.clients.drop_all(reason);
        if matches!(closed, Closed::Gone) {
            self.say(BoardState::Gone, reason.into(), None);
        }
    }

    /// Opens the port and serves it, again and again, until the board is gone or the loop is to end.
    async fn live(&mut self, cancel: &CancellationToken) -> Closed {
        loop {
            let line = tokio::select! {
                line = self.open() => line,
                () = cancel.cancelled() => return Closed::Cancelled,
            };
            let Some(mut line) = line else { return Closed::Gone };
            let closed = self.serve(line.as_mut(), cancel).await;
            self.take_last_answer();
            // Before the port is free for the board's next loop, which goes on from there.
            self.save();
            self.pulse.during(line.close()).await;
            if !matches!(closed, Closed::LeftAlone) {
                return closed;
            }
            self.board.port_closed(&self.now_said.reason.clone(), now());
            self.flush_closed();
            tokio::select! {
                () = self.rest() => {}
                () = cancel.cancelled() => return Closed::Cancelled,
            }
        }
    }

    fn save(&mut self) {
        self.save_at = None;
        if let Some(saved) = self.board.take_saved() {
            self.keeper.keep(self.setup.id, saved);
        }
    }

    /// The port is closed and stays so until somebody asks for a retry. Whoever asks anything else is told so.
    async fn rest(&mut self) {
        loop {
            tokio::select! {
                command = self.commands.recv() => match command {
                    Some(Command::Retry) => return,
                    Some(command) => self.command(command),
                    None => return std::future::pending().await,
                },
                (id, message) = self.clients.next() => self.client_message(id, message),
                () = self.pulse.beat() => {}
            }
            self.flush_closed();
        }
    }

    fn client_message(&mut self, id: fbp::ClientId, message: Option<FromClient>) {
        match message {
            Some(FromClient::Text(text)) => self.board.handle_text(id, &text, now()),
            Some(FromClient::Binary(bytes)) => self.board.handle_binary(id, &bytes, now()),
            None => {
                self.board.disconnect(id);
                self.report_clients();
            }
        }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Connect(kind, reply) => {
                let answer = self.connect(kind);
                // The asker may have left meanwhile: then the link is dropped, and its client with it.
                let _ = reply.send(answer);
                self.report_clients();
            }
            Command::SetLabel(label) => {
                self.setup.identity.label.clone_from(&label);
                self.board.set_label(label);
            }
            Command::SetRestore(restore) => self.board.set_restore(restore),
            Command::SetBuild(build) => self.board.set_build(build),
            // An asker who has left needs no answer.
            Command::Graph(reply) => drop(reply.send(self.board.graph_json())),
            Command::Upload(upload) => self.uploads.begin(upload, &mut self.board, now()),
            Command::Store(change, reply) => self.store(&change, reply),
            Command::Retry => {}
        }
    }

    fn connect(&mut self, kind: ClientKind) -> Result<Link, DirectoryError> {
        let id = self.setup.id;
        if self.clients.len() >= CLIENTS_PER_BOARD {
            return Err(DirectoryError::Full { id, clients: self.clients.len() });
        }
        let client = self.clients.next_id();
        match kind {
            ClientKind::Fbp => self.board.connect_fbp(client),
            ClientKind::Raw if self.board.connect_raw(client) => {}
            ClientKind::Raw => return Err(DirectoryError::NotOpen { id, reason: self.now_said.reason.clone() }),
        }
        Ok(self.clients.add(client))
    }

    fn report_clients(&mut self) {
        let said = self.now_said.clone();
        self.say(said.state, said.reason, said.firmware);
    }

    fn log(&self, Status { state, reason, .. }: &Status) {
        let (board, label, state_name) = (self.setup.id, &self.setup.identity.label, state.name());
        match state {
            BoardState::Opening | BoardState::Booting | BoardState::Handshaking | BoardState::Gone => {
                tracing::debug!(%board, label, reason, "{state_name}");
            }
            _ => tracing::info!(%board, label, reason, "{state_name}"),
        }
    }

    fn say(&mut self, state: BoardState, reason: String, firmware: Option<Firmware>) {
        let status = Status { state, reason, firmware, clients: self.clients.len() };
        if status != self.now_said {
            if status.state != self.now_said.state {
                self.log(&status);
            }
            self.now_said = status.clone();
            self.status.report(self.setup.id, self.setup.generation, status);
        }
    }
}

fn now() -> Now {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Now { monotonic: Instant::now(), unix_millis: u64::try_from(since.as_millis()).unwrap_or(u64::MAX) }
}
