//! A bridge's board, a simulated one, and the wire between them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use firmware_proto::{Command, Dialect, Edge, PortRef};
use microflo_bridge::pure::board::{Board, Now, Output, ToClient};
use microflo_bridge::pure::fbp::{ClientId, Identity, UploadId, UploadStep};
use microflo_bridge::pure::model::build::Build;
use microflo_bridge::pure::model::library::Library;
use microflo_bridge::pure::session;
use microflo_bridge::pure::view::BoardState;
use microflo_bridge::sim::{self, Direction};
use serde_json::{Value, json};
use uuid::Uuid;

const SECRET: &str = "secret";
const FBP: ClientId = ClientId(1);
const RAW: ClientId = ClientId(2);

/// Steps without time passing that no honest pair of programs needs.
const TOO_MANY_STEPS: usize = 100_000;

/// What the wire is to lose: so many bytes, after so many have passed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Loss {
    pub(crate) direction: Direction,
    pub(crate) after: usize,
    pub(crate) bytes: usize,
}

/// Bridge, wire, board and two clients.
pub(crate) struct Plant {
    pub(crate) bridge: Board,
    pub(crate) board: sim::Board,
    start: Instant,
    now: Instant,
    loss: Option<Loss>,
    /// When the last byte was lost.
    pub(crate) lost_at: Option<Instant>,
    pub(crate) state: Option<BoardState>,
    asked: u32,
    /// Answers by request id.
    pub(crate) answers: BTreeMap<u32, Vec<Value>>,
    /// What the FBP client was told unasked.
    pub(crate) told: Vec<Value>,
    /// Raw commands that were sent, and frames that came back.
    pub(crate) raw_asked: usize,
    pub(crate) raw: Vec<u8>,
    last_answer: Instant,
    /// Of uploads.
    pub(crate) steps: Vec<UploadStep>,
    uploads: u64,
}

impl Plant {
    /// A board that is ready, with both clients connected.
    pub(crate) fn ready(config: sim::Config) -> Plant {
        let start = Instant::now();
        let dialect = config.dialect;
        let baud = config.line.map_or(9600, |line| line.baud);
        let library = Library::from_json(&sim::component_map(dialect).to_string()).unwrap();
        let identity =
            Identity { id: Uuid::nil(), label: "board".into(), secret: SECRET.into(), read_secret: String::new() };
        let mut plant = Plant {
            bridge: Board::new(identity, Some(Build::of(library, "the test"))),
            board: sim::Board::new(config, start),
            start,
            now: start,
            loss: None,
            lost_at: None,
            state: None,
            asked: 0,
            answers: BTreeMap::new(),
            told: Vec::new(),
            raw_asked: 0,
            raw: Vec::new(),
            last_answer: start,
            steps: Vec::new(),
            uploads: 0,
        };
        let config = session::Config { bauds: vec![baud], ..session::Config::default() };
        plant.bridge.port_opened(config, plant.now());
        plant.bridge.connect_fbp(FBP);
        plant.run_until("the board is ready", Duration::from_secs(20), |plant| plant.state == Some(BoardState::Ready));
        assert!(plant.bridge.connect_raw(RAW));
        let opening = dialect.opening(1);
        plant.bridge.handle_binary(RAW, opening.as_bytes(), plant.now());
        plant.run(Duration::ZERO);
        assert_eq!(std::mem::take(&mut plant.raw).len(), dialect.frame_len(), "the raw session is open");
        plant
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.board.dialect()
    }

    /// From now on, loses these bytes.
    pub(crate) fn lose(&mut self, loss: Loss) {
        self.loss = Some(loss);
        self.lost_at = None;
    }

    /// Asks something as the FBP client does; returns its request id.
    pub(crate) fn ask(&mut self, topic: &str, payload: &Value) -> u32 {
        self.asked += 1;
        let (protocol, command) = topic.split_once(':').unwrap();
        let message = json!({ "protocol": protocol, "command": command, "payload": payload, "secret": SECRET,
            "requestId": self.asked.to_string() });
        self.bridge.handle_text(FBP, &message.to_string(), self.now());
        self.run(Duration::ZERO);
        self.asked
    }

    /// Puts a whole graph on the board.
    pub(crate) fn upload(&mut self, graph: &Value) {
        self.uploads += 1;
        self.steps.clear();
        let now = self.now();
        self.bridge.upload(UploadId(self.uploads), graph, true, now);
        self.run(Duration::ZERO);
    }

    /// How the upload ended, if it has.
    pub(crate) fn end(&self) -> Option<&Result<(), String>> {
        self.steps.iter().find_map(|step| if let UploadStep::Ended(end) = step { Some(end) } else { None })
    }

    /// Presses the board's reset button.
    pub(crate) fn reset(&mut self) {
        self.board.reset(self.now);
        self.run(Duration::ZERO);
    }

    /// Asks, and waits for the answer.
    pub(crate) fn answer(&mut self, topic: &str, payload: &Value) -> Value {
        let id = self.ask(topic, payload);
        self.run_until(topic, Duration::from_secs(10), |plant| plant.answers.contains_key(&id));
        self.answers[&id][0].clone()
    }

    /// Sends a command as the raw client does.
    pub(crate) fn ask_raw(&mut self, command: Command) {
        let frame = command.encode(self.dialect(), 7);
        self.raw_asked += 1;
        self.bridge.handle_binary(RAW, frame.as_bytes(), self.now());
        self.run(Duration::ZERO);
    }

    /// Request ids without an answer yet.
    pub(crate) fn unanswered(&self) -> Vec<u32> {
        (1..=self.asked).filter(|id| !self.answers.contains_key(id)).collect()
    }

    /// How long after the last lost byte the last answer came.
    pub(crate) fn answered_after_loss(&self) -> Duration {
        self.last_answer.saturating_duration_since(self.lost_at.unwrap_or(self.now))
    }

    /// Lets time pass until `done`; fails after `patience`.
    pub(crate) fn run_until(&mut self, what: &str, patience: Duration, done: impl Fn(&Plant) -> bool) {
        let end = self.now + patience;
        self.run(Duration::ZERO);
        while !done(self) {
            assert!(self.now < end, "not within {patience:?}: {what}; the board is {:?}", self.state);
            let next = self.wake_at().filter(|wake| *wake < end).unwrap_or(end);
            self.now = self.now.max(next);
            self.exchange();
        }
    }

    /// Lets that much time pass.
    pub(crate) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        self.exchange();
        while let Some(wake) = self.wake_at().filter(|wake| *wake <= end) {
            self.now = self.now.max(wake);
            self.exchange();
        }
        self.now = end;
    }

    fn wake_at(&self) -> Option<Instant> {
        [self.board.next_wake(), self.bridge.wake_at()].into_iter().flatten().min()
    }

    /// Everything that happens at this moment.
    fn exchange(&mut self) {
        self.bridge.handle_time(self.now());
        for _ in 0..TOO_MANY_STEPS {
            let mut idle = true;
            while let Some(output) = self.bridge.poll(self.now()) {
                idle = false;
                self.carry_out(output);
            }
            if let Some(bytes) = self.board.poll(self.now) {
                idle = false;
                let bytes = self.pass(Direction::FromBoard, &bytes);
                self.bridge.handle_bytes(&bytes, self.now());
            }
            if idle {
                return;
            }
        }
        panic!("bridge and board do not come to rest");
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Transmit(bytes) => {
                let bytes = self.pass(Direction::ToBoard, &bytes);
                self.board.receive(&bytes, self.now);
            }
            Output::SetBaud(_) | Output::Log(_) => {}
            Output::Introduction(_) => self.bridge.not_recognized(self.now()),
            Output::Stored(result) => result.unwrap(),
            Output::Upload(_, step) => self.steps.push(step),
            Output::State(state, ..) => self.state = Some(state),
            Output::Send(_, ToClient::Binary(bytes)) => self.raw.extend(bytes),
            Output::Send(_, ToClient::Text(text)) => self.hear(&text),
        }
    }

    fn hear(&mut self, text: &str) {
        let message: Value = serde_json::from_str(text).unwrap();
        match message["responseTo"].as_str() {
            Some(id) => {
                self.answers.entry(id.parse().unwrap()).or_default().push(message);
                self.last_answer = self.now;
            }
            None => self.told.push(message),
        }
    }

    /// What the wire leaves of these bytes.
    fn pass(&mut self, direction: Direction, bytes: &[u8]) -> Vec<u8> {
        let Some(loss) = self.loss.as_mut().filter(|loss| loss.direction == direction) else { return bytes.to_vec() };
        let mut rest = Vec::with_capacity(bytes.len());
        for byte in bytes {
            if loss.after > 0 {
                loss.after -= 1;
                rest.push(*byte);
            } else if loss.bytes > 0 {
                loss.bytes -= 1;
                self.lost_at = Some(self.now);
            } else {
                rest.push(*byte);
            }
        }
        rest
    }

    fn now(&self) -> Now {
        let since = self.now - self.start;
        Now { monotonic: self.now, unix_millis: 1_795_333_986_632 + since.as_millis() as u64 }
    }

    /// Whether somebody was told that the graph is lost.
    pub(crate) fn is_told(&self) -> bool {
        let lost = |told: &Value| {
            told["protocol"] == "network"
                && told["command"] == "error"
                && told["payload"]["message"].as_str().is_some_and(|text| text.contains("not known any more"))
        };
        self.told.iter().any(lost)
    }

    /// How the mirror differs from the board, if it does.
    pub(crate) fn difference(&self) -> Option<String> {
        let (mirror, board) = (self.bridge.device(), self.board.graph());
        if !mirror.is_known() {
            return Some("the mirror says that it does not know".into());
        }
        let nodes: BTreeMap<u8, u8> = mirror.nodes().iter().map(|(id, node)| (*id, node.component)).collect();
        let edges: Vec<Edge> = mirror.edges().iter().map(|(src, tgt)| Edge { src: *src, tgt: *tgt }).collect();
        let watched: Vec<PortRef> = mirror.subscriptions().iter().copied().collect();
        let mirrored = sim::Graph { nodes, edges, watched, running: mirror.is_running() };
        if mirrored != board {
            return Some(format!("mirrored: {mirrored:?}\non the board: {board:?}"));
        }
        let graph = self.bridge.graph_json();
        let count = |key: &str| graph[key].as_object().map_or(0, |map| map.len());
        let edges = graph["connections"].as_array().unwrap().iter().filter(|it| it.get("src").is_some()).count();
        let named = (count("processes"), edges);
        (named != (board.nodes.len(), board.edges.len())).then(|| format!("named: {graph}\non the board: {board:?}"))
    }
}
