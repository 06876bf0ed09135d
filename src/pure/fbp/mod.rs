//! The FBP network protocol for one board: messages in, commands to the board and messages out.
//!
//! Nothing in here waits or knows the time: call a `handle_` method when something happened, then take what is to be done from
//! [`Runtime::poll`] until there is nothing left. `now` is always in milliseconds since 1970.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use firmware_proto::{PortRef, Response};
use serde_json::Value;
use uuid::Uuid;

use crate::pure::model::build::Build;
use crate::pure::model::device::Device;
use crate::pure::model::graph::{Graph, NodeKey};
use crate::pure::model::library::Library;
use crate::pure::request::{Request, Ticket};

mod boot;
mod client;
mod component;
mod data;
mod draft;
mod engine;
mod exports;
mod graph;
mod groups;
mod message;
mod metadata;
mod mirror;
mod naming;
mod network;
mod op;
mod permission;
mod plan;
mod rebuild;
mod refusal;
mod runtime;
mod saved;
mod settle;
mod trace;
mod upload;
mod value;

#[cfg(test)]
mod tests;

use boot::Had;
pub use client::ClientId;
use client::Clients;
use data::Watch;
use engine::{Flight, Job, WAITING_OPS};
use message::{Incoming, Malformed, error, outgoing};
use op::{Action, Op};
use permission::Permission;
use refusal::Refusal;
use runtime::Description;
use saved::Left;
use trace::Trace;
pub use upload::{UploadId, UploadStep};

/// Who the board is to its clients.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// The stable id, the same as in the registry.
    pub id: Uuid,
    /// What people call it.
    pub label: String,
    /// What a client must know. An empty one opens nothing.
    pub secret: String,
    /// What a client must know that may only look. An empty one opens nothing.
    pub read_secret: String,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("id", &self.id).field("label", &self.label).finish_non_exhaustive()
    }
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// A command for the board. Its outcome comes back by [`Runtime::handle_outcome`], once.
    Request(Request),
    /// A message for a client.
    Send {
        /// The client.
        to: ClientId,
        /// The JSON text.
        text: Arc<str>,
    },
    /// How far an upload is.
    Upload(UploadId, UploadStep),
    /// Something that has happened to the board, for the log: clients, if there are any, are told too.
    Log(String),
    /// All nodes get other numbers than before.
    Renumbered,
}

/// One board's runtime: its clients, the graph as they see it and the board's mirror.
pub struct Runtime {
    identity: Identity,
    library: Option<Library>,
    description: Description,
    clients: Clients,
    output: VecDeque<Output>,

    graph: Graph,
    device: Device,
    /// Why the board does not answer, while it does not.
    down: Option<String>,
    /// The embedded graph got initial packets that the bridge has not seen.
    unknown_initials: bool,
    /// What the board said when it started, where that was heard.
    chatter: Option<Vec<Response>>,
    /// A fingerprint of what it said when it started last, by this bridge or another run of it.
    booted: Option<String>,
    /// The graph that the firmware runs at boot, in FBP's JSON format: its names.
    embedded: Option<Arc<Value>>,
    /// The graph is to be named anew once nothing is under way.
    names_due: bool,
    /// Somebody has changed what the board runs since it started.
    edited: bool,
    /// A client has asked to keep the graph.
    kept: bool,
    /// The setting: whether a board gets its graph back after a start.
    restore: bool,
    /// What was saved of the board, until it has shown what it has.
    left: Option<Left>,
    /// The graph that the board is to get back.
    wanted: Option<Had>,
    /// Something that is saved may have changed.
    touched: bool,
    /// What was saved last says what the board has.
    vouched: bool,
    /// What was saved could not be read: it stays as it is until somebody edits the board's graph.
    unread: bool,
    /// What was saved last.
    last_saved: String,
    /// When the network started, while it runs.
    started_at: Option<u64>,
    /// How long it ran before it stopped, in seconds.
    ran_for: u64,
    watches: HashMap<PortRef, Watch>,
    /// A client has started the network to see all that flows: that goes on while nobody is there.
    watched: bool,
    trace: Trace,
    /// Nodes that got an integer of more bits than the dialect's reports carry.
    wide: BTreeSet<NodeKey>,
    /// The exported ports may have changed since clients were told.
    ports_changed: bool,
    /// What clients were told last of the exported ports.
    ports_told: String,

    ops: VecDeque<Op>,
    jobs: BTreeMap<u64, Job>,
    flights: HashMap<Ticket, Flight>,
    /// The job that nothing may be planned behind.
    barrier: Option<u64>,
    next_ticket: u64,
    next_serial: u64,
}

impl Runtime {
    /// A runtime for a board that has not answered yet.
    pub fn new(identity: Identity, build: Option<Build>) -> Runtime {
        let mut runtime = Runtime {
            identity,
            library: None,
            description: Description::default(),
            clients: Clients::new(),
            output: VecDeque::new(),
            graph: Graph::default(),
            device: Device::default(),
            down: Some("it has not answered yet".to_owned()),
            unknown_initials: false,
            chatter: None,
            booted: None,
            embedded: None,
            names_due: false,
            edited: false,
            kept: false,
            restore: false,
            left: None,
            wanted: None,
            touched: false,
            vouched: false,
            unread: false,
            last_saved: String::new(),
            started_at: None,
            ran_for: 0,
            watches: HashMap::new(),
            watched: false,
            trace: Trace::default(),
            wide: BTreeSet::new(),
            ports_changed: false,
            ports_told: String::new(),
            ops: VecDeque::new(),
            jobs: BTreeMap::new(),
            flights: HashMap::new(),
            barrier: None,
            next_ticket: 0,
            next_serial: 0,
        };
        runtime.set_build(build);
        runtime
    }

    /// Gives the board another label.
    pub fn set_label(&mut self, label: String) {
        self.identity.label = label;
        self.forget_names();
    }

    /// Says what the board's firmware is made of. Clients see its components when they ask again.
    pub fn set_build(&mut self, build: Option<Build>) {
        (self.library, self.embedded) = match build {
            Some(build) => (Some(build.library), build.graph),
            None => (None, None),
        };
        self.forget_names();
        self.name_again();
    }

    /// Whether the board is to get back, after a start, the graph that it had before.
    pub fn set_restore(&mut self, restore: bool) {
        self.restore = restore;
    }

    /// Forgets every text that was made from names.
    fn forget_names(&mut self) {
        self.description = Description::default();
        self.watches.clear();
    }

    /// A client is there.
    pub fn connect(&mut self, client: ClientId) {
        self.clients.entry(client).or_default();
    }

    /// A client is gone. What it asked for is still done.
    pub fn disconnect(&mut self, client: ClientId) {
        self.clients.remove(&client);
    }

    /// What is to be done next.
    pub fn poll(&mut self) -> Option<Output> {
        self.output.pop_front()
    }

    /// The board's mirror.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The graph in FBP's JSON format.
    pub fn graph_json(&self) -> Value {
        naming::fbp_json(&self.graph, self.library.as_ref())
    }

    /// Takes a client's message. Every one is answered.
    pub fn handle_text(&mut self, client: ClientId, text: &str, now: u64) {
        let message = match Incoming::parse(text) {
            Ok(message) => message,
            Err(Malformed { protocol, request_id, text }) => {
                return self.reply(client, error(&protocol, &text, request_id.as_deref()), now);
            }
        };
        let permission = Permission::of(&message.secret, &self.identity);
        if let Some(client) = self.clients.get_mut(&client) {
            client.may = client.may.max(permission);
        }
        let needed = Permission::needed(&message.protocol, &message.command);
        let read = match (message.protocol.as_str(), message.command.as_str()) {
            _ if permission < needed => {
                Err(if permission == Permission::Nothing { Refusal::Secret } else { Refusal::ReadOnly })
            }
            ("runtime", "getruntime")
            | ("component", "list" | "getsource")
            | ("network", "getstatus")
            | ("trace", "start" | "stop" | "clear" | "dump") => {
                return self.ask(client, message, permission, now);
            }
            ("graph", _) => graph::parse(&message).map(|read| ("graph", read)),
            ("network", _) => network::parse(&message).map(|read| ("network", read)),
            ("runtime", "packet") => exports::parse_packet(&message).map(|read| ("runtime", read)),
            (protocol, command) => {
                Err(Refusal::Unsupported { protocol: protocol.to_owned(), command: command.to_owned() })
            }
        };
        match read {
            Ok((protocol, read)) => self.enqueue(client, protocol, message, read, now),
            Err(refusal) => {
                let text = refusal.text(&self.identity.label);
                let text = error(&message.protocol, &text, message.request_id.as_deref());
                self.reply(client, text, now);
            }
        }
    }

    fn enqueue(
        &mut self,
        client: ClientId,
        protocol: &'static str,
        message: Incoming,
        (action, echo): (Action, Value),
        now: u64,
    ) {
        let graph = message.payload.get("graph").and_then(Value::as_str).map(str::to_owned);
        let room = self.ops.len() < WAITING_OPS;
        let asker = if room { self.wait(client, message.request_id.clone()) } else { None };
        let Some(asker) = asker else {
            let text = error(protocol, &self.overload(), message.request_id.as_deref());
            return self.reply(client, text, now);
        };
        self.ops.push_back(Op { asker, protocol, command: message.command, graph, echo, action });
        self.advance(now);
    }

    fn overload(&self) -> String {
        format!("too many messages wait for board {}; wait for replies before sending more", self.identity.label)
    }

    /// Answers a question whose turn has come: all that its asker sent before is done.
    fn question(&mut self, message: &Incoming, permission: Permission, now: u64) -> Vec<Arc<str>> {
        let id = message.request_id.as_deref();
        let (command, payload) = match (message.protocol.as_str(), message.command.as_str()) {
            ("runtime", _) => return self.describe(message, permission),
            ("component", "list") => return self.component_list(message),
            ("component", _) => ("source", self.component_source(message)),
            ("trace", command) => (command, self.trace(message)),
            _ => ("status", self.named_graph(message).map(|()| self.status_payload(now))),
        };
        match payload {
            Ok(payload) => vec![outgoing(&message.protocol, command, &payload, id)],
            Err(refusal) => vec![error(&message.protocol, &refusal.text(&self.identity.label), id)],
        }
    }

    fn named_graph(&self, message: &Incoming) -> Result<(), Refusal> {
        self.check_graph(message.payload.get("graph").and_then(Value::as_str))
    }
}
