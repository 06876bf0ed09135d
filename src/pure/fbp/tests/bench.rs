//! A runtime, its clients and a board: messages in, replies out, in no time.

use std::collections::{BTreeMap, VecDeque};

use firmware_proto::{Command, DebugPoint, Dialect, Edge, Event, Packet, PacketTarget, PortRef, Response};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::pure::fbp::{ClientId, Identity, Output, Runtime, UploadStep};
use crate::pure::model::build::Build;
use crate::pure::model::library::Library;
use crate::pure::request::{Failure, Outcome, Request};

pub(super) const SECRET: &str = "s3cret";
pub(super) const READ_SECRET: &str = "l00k";
/// 2026-11-22T07:53:06.632Z
pub(super) const NOW: u64 = 1_795_333_986_632;
pub(super) const A: ClientId = ClientId(1);
pub(super) const B: ClientId = ClientId(2);

pub(super) fn library() -> Library {
    Library::from_json(include_str!("../../../../tests/fbp/components.json")).unwrap()
}

pub(super) struct Bench {
    pub(super) runtime: Runtime,
    pub(super) board: Board,
    pub(super) now: u64,
    /// Requests that the board has not answered yet.
    pub(super) line: VecDeque<Request>,
    pub(super) sent: Vec<Command>,
    received: BTreeMap<ClientId, Vec<Value>>,
    /// Of uploads.
    pub(super) steps: Vec<UploadStep>,
}

impl Bench {
    /// A board just started, without an embedded graph, and one client.
    pub(super) fn new(dialect: Dialect) -> Bench {
        let mut bench = Bench::unplugged(Some(library()));
        bench.board.dialect = dialect;
        bench.runtime.board_up(dialect, NOW);
        bench.runtime.handle_boot(&[], NOW);
        bench.runtime.connect(A);
        bench
    }

    pub(super) fn unplugged(library: Option<Library>) -> Bench {
        let id = Uuid::from_u128(0x2222_2222_2222_4222_8222_2222_2222_2222);
        let identity = Identity { id, label: "Uno".into(), secret: SECRET.into(), read_secret: READ_SECRET.into() };
        Bench {
            runtime: Runtime::new(identity, library.map(|library| Build::of(library, "a test"))),
            board: Board::default(),
            now: NOW,
            line: VecDeque::new(),
            sent: Vec::new(),
            received: BTreeMap::new(),
            steps: Vec::new(),
        }
    }

    /// A client says something; the board does not answer yet.
    pub(super) fn say(&mut self, client: ClientId, protocol: &str, command: &str, payload: Value) {
        let message = json!({ "protocol": protocol, "command": command, "payload": payload, "secret": SECRET });
        self.text(client, &message.to_string());
    }

    pub(super) fn text(&mut self, client: ClientId, text: &str) {
        self.runtime.handle_text(client, text, self.now);
        self.collect();
    }

    /// Takes what the runtime wants done.
    pub(super) fn collect(&mut self) {
        while let Some(output) = self.runtime.poll() {
            match output {
                Output::Upload(_, step) => self.steps.push(step),
                Output::Renumbered | Output::Log(_) => {}
                Output::Request(request) => {
                    self.sent.push(request.command);
                    self.line.push_back(request);
                }
                Output::Send { to, text } => {
                    let message: Value = serde_json::from_str(&text).unwrap();
                    assert!(!text.contains(SECRET), "a secret in {text}");
                    self.received.entry(to).or_default().push(message);
                }
            }
        }
    }

    /// The board answers one request.
    pub(super) fn answer(&mut self) {
        let request = self.line.pop_front().unwrap();
        let outcome = self.board.execute(&request.command);
        self.outcome(request, outcome);
    }

    /// One request ends like this.
    pub(super) fn outcome(&mut self, request: Request, outcome: Outcome) {
        self.runtime.handle_outcome(request.ticket, outcome, self.now);
        for event in self.board.run() {
            self.runtime.handle_event(&event, self.now);
        }
        self.collect();
    }

    pub(super) fn fail(&mut self, failure: Failure) {
        let request = self.line.pop_front().unwrap();
        self.outcome(request, Err(failure));
    }

    /// The board answers everything.
    pub(super) fn settle(&mut self) {
        while !self.line.is_empty() {
            self.answer();
        }
    }

    /// A raw command that has passed: the board answers what was sent before it, then it.
    pub(super) fn settle_before(&mut self, command: Command) {
        for _ in 0..self.line.len() {
            self.answer();
        }
        let outcome = self.board.execute(&command);
        self.runtime.raw_outcome(&command, &outcome, self.now);
        self.collect();
    }

    /// What a client got since the last time.
    pub(super) fn got(&mut self, client: ClientId) -> Vec<Value> {
        self.received.remove(&client).unwrap_or_default()
    }

    /// A client says something and the board answers: what the client gets.
    pub(super) fn ask(&mut self, protocol: &str, command: &str, payload: Value) -> Vec<Value> {
        self.got(A);
        self.say(A, protocol, command, payload);
        self.settle();
        self.got(A)
    }

    pub(super) fn graph(&mut self, command: &str, mut payload: Value) -> Vec<Value> {
        payload["graph"] = json!("main");
        self.ask("graph", command, payload)
    }

    /// The same, the reply being an error: its text.
    pub(super) fn refused(&mut self, command: &str, payload: Value) -> String {
        let sent = self.sent.len();
        let replies = self.graph(command, payload);
        assert_eq!(self.sent.len(), sent, "a refused message must not reach the board");
        error_text(&replies)
    }

    /// Nodes a, b, c, … of that component.
    pub(super) fn nodes(&mut self, component: &str, names: &[&str]) {
        for name in names {
            let replies = self.graph("addnode", json!({ "id": name, "component": component }));
            assert_eq!(replies[0]["command"], "addnode", "{replies:?}");
        }
    }

    /// The same in a stopped network.
    pub(super) fn nodes_while_stopped(&mut self, component: &str, names: &[&str]) {
        self.ask("network", "stop", json!({ "graph": "main" }));
        self.nodes(component, names);
    }

    pub(super) fn raw(&mut self, command: Command) -> Result<Outcome, DebugPoint> {
        self.runtime.check_raw(&command)?;
        let outcome = self.board.execute(&command);
        self.runtime.raw_outcome(&command, &outcome, self.now);
        self.collect();
        Ok(outcome)
    }

    /// The mirror says what the board says.
    pub(super) fn assert_in_step(&self) {
        let mirror = self.runtime.device();
        assert!(mirror.is_known());
        assert_eq!(mirror.is_running(), self.board.running);
        let nodes: Vec<(u8, u8)> = mirror.nodes().iter().map(|(id, node)| (*id, node.component)).collect();
        assert_eq!(nodes, self.board.nodes.iter().map(|(id, component)| (*id, *component)).collect::<Vec<_>>());
        assert_eq!(*mirror.edges(), self.board.edges);
        let graph = self.runtime.graph_json();
        assert_eq!(graph["processes"].as_object().unwrap().len(), nodes.len());
        let edges = graph["connections"].as_array().unwrap().iter().filter(|it| it.get("src").is_some()).count();
        assert_eq!(edges, self.board.edges.len());
    }
}

pub(super) fn error_text(replies: &[Value]) -> String {
    assert_eq!(replies.len(), 1, "{replies:?}");
    assert_eq!(replies[0]["command"], "error", "{replies:?}");
    replies[0]["payload"]["message"].as_str().unwrap().to_owned()
}

pub(super) fn commands(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(|message| message["command"].as_str().unwrap()).collect()
}

pub(super) fn end(node: &str, port: &str) -> Value {
    json!({ "node": node, "port": port })
}

/// A board whose nodes all pass packets on from out port 0. It panics where firmware would crash.
pub(super) struct Board {
    pub(super) dialect: Dialect,
    pub(super) nodes: BTreeMap<u8, u8>,
    pub(super) edges: BTreeMap<PortRef, PortRef>,
    pub(super) watched: Vec<PortRef>,
    pub(super) running: bool,
    /// Packets of any node may be queued.
    ran: bool,
    queue: VecDeque<(PortRef, Packet)>,
    last_id: u8,
}

impl Default for Board {
    fn default() -> Board {
        Board {
            dialect: Dialect::Flo01,
            nodes: BTreeMap::new(),
            edges: BTreeMap::new(),
            watched: Vec::new(),
            running: false,
            ran: false,
            queue: VecDeque::new(),
            last_id: 0,
        }
    }
}

impl Board {
    pub(super) fn execute(&mut self, command: &Command) -> Outcome {
        Ok(match *command {
            Command::ClearNodes => {
                let running = self.running && self.dialect == Dialect::Microflo1;
                *self = Board { dialect: self.dialect, running, ran: running, ..Board::default() };
                Response::NodesCleared
            }
            Command::CreateComponent { component, parent } => {
                assert!(self.last_id < 49, "the 50th node corrupts memory");
                assert!(!self.running || self.dialect == Dialect::Microflo1, "a node without setup");
                self.last_id += 1;
                self.nodes.insert(self.last_id, component);
                Response::NodeAdded { component, node: self.last_id, parent }
            }
            Command::ConnectNodes(Edge { src, tgt }) => {
                self.must_exist(&[src.node, tgt.node]);
                self.edges.insert(src, tgt);
                Response::NodesConnected(Edge { src, tgt })
            }
            Command::DisconnectNodes(Edge { src, tgt }) => {
                self.must_exist(&[src.node, tgt.node]);
                self.edges.remove(&src);
                self.watched.retain(|port| *port != src);
                Response::NodesDisconnected(Edge { src, tgt })
            }
            Command::SendPacket { target, packet } => {
                self.must_exist(&[target.node]);
                self.queue.push_back((target, packet));
                assert!(self.queue.len() <= 48, "the queue wraps");
                Response::SendPacketDone { target, kind: packet.kind() }
            }
            Command::SubscribeToPort { port, enable } => {
                let Some(component) = self.nodes.get(&port.node) else {
                    return Err(Failure::Refused(DebugPoint::SubscribePortInvalidNode));
                };
                if usize::from(port.port) >= library().by_id(*component).unwrap().out_ports.len() {
                    return Err(Failure::Refused(DebugPoint::SubscribePortInvalidPort));
                }
                self.watched.retain(|it| *it != port);
                self.watched.extend(enable.then_some(port));
                Response::PortSubscriptionChanged { port, enabled: enable }
            }
            Command::RemoveNode { node } => {
                self.must_exist(&[node]);
                assert!(self.edges.values().all(|tgt| tgt.node != node), "a dangling edge");
                let waits = self.queue.iter().any(|(target, _)| target.node == node);
                assert!(!self.ran && !waits, "a packet of a removed node");
                self.nodes.remove(&node);
                self.edges.retain(|src, _| src.node != node);
                Response::NodeRemoved { node }
            }
            Command::StartNetwork => {
                (self.running, self.ran) = (true, true);
                Response::NetworkStarted
            }
            Command::StopNetwork => {
                self.running = false;
                Response::NetworkStopped
            }
            Command::Ping(payload) => Response::Pong(payload),
            _ => return Err(Failure::Refused(DebugPoint::ParserUnknownCommand)),
        })
    }

    /// It runs this since its start.
    pub(super) fn embed(&mut self, components: &[u8], edges: &[(PortRef, PortRef)]) {
        *self = Board { dialect: self.dialect, ..Board::default() };
        self.nodes = (1..).zip(components.iter().copied()).collect();
        self.edges = edges.iter().copied().collect();
        self.last_id = components.len() as u8;
        (self.running, self.ran) = (true, true);
    }

    fn must_exist(&self, nodes: &[u8]) {
        assert!(nodes.iter().all(|node| self.nodes.contains_key(node)), "a wild pointer: {nodes:?}");
    }

    /// Delivers packets, and says what left the watched ports. What circles is dropped in the end.
    pub(super) fn run(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        for _ in 0..1000 {
            if !self.running {
                break;
            }
            let Some((target, packet)) = self.queue.pop_front() else { break };
            let src = PortRef { node: target.node, port: 0 };
            let next = self.edges.get(&src).copied();
            if self.watched.contains(&src) {
                let target = PacketTarget::Port(next.unwrap_or(src));
                events.push(Event::PacketSent { src, target, packet });
            }
            self.queue.extend(next.map(|next| (next, packet)));
        }
        if self.running {
            self.queue.clear();
        }
        events
    }
}

/// The reply to a message that stands alone.
pub(super) fn reply(bench: &mut Bench, text: &str) -> Value {
    bench.got(A);
    bench.text(A, text);
    bench.settle();
    bench.got(A).remove(0)
}
