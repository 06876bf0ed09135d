//! The FBP network protocol for one board: messages in, commands to the board and messages out.
//!
//! Nothing in here waits or knows the time: call a `handle_` method when something happened, then take what is to be done from
//! [`Runtime::poll`] until there is nothing left. `now` is always in milliseconds since 1970.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use firmware_proto::PortRef;
use serde_json::Value;
use uuid::Uuid;

use crate::pure::model::build::Build;
use crate::pure::model::device::Device;
use crate::pure::model::graph::{Graph, NodeKey};
use crate::pure::model::library::Library;
use crate::pure::model::limits::Limits;
use crate::pure::request::{Request, Ticket};

mod boot;
mod client;
mod component;
mod data;
mod dispatch;
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
mod past;
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

pub use client::ClientId;
use client::Clients;
use data::Watch;
use engine::{Flight, Job};
use mirror::RawTurn;
use op::Op;
use past::Past;
use runtime::Description;
pub use saved::left_in;
use trace::Trace;
pub use upload::{UploadId, UploadStep};

/// Reads the source of an embedded graph against the component map of its build, and what that takes: names as people write
/// them, in any case.
pub fn read_source(json: &Value, library: &Library, limits: Limits) -> Result<Graph, String> {
    draft::read(limits, json, Some(library), naming::Match::AnyCase).map_err(|refusal| refusal.to_string())
}

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
    past: Past,
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
    raw: RawTurn,
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
            past: Past::default(),
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
            raw: RawTurn::default(),
            next_ticket: 0,
            next_serial: 0,
        };
        runtime.set_build(build);
        runtime
    }

    /// The board's id.
    pub fn id(&self) -> Uuid {
        self.identity.id
    }

    /// Who the board is to its clients from now on.
    pub fn set_identity(&mut self, identity: Identity) {
        if identity.id != self.identity.id {
            // Nothing was saved under that id.
            self.past.last_saved.clear();
            self.past.touched = true;
        }
        self.identity = identity;
        self.forget_names();
    }

    /// Gives the board another label.
    pub fn set_label(&mut self, label: String) {
        self.identity.label = label;
        self.forget_names();
    }

    /// Says what the board's firmware is made of. Clients see its components when they ask again.
    pub fn set_build(&mut self, build: Option<Build>) {
        (self.library, self.past.embedded) = match build {
            Some(build) => (Some(build.library), build.graph),
            None => (None, None),
        };
        self.forget_names();
        self.name_again();
    }

    /// Says what the board takes.
    pub fn set_limits(&mut self, limits: Limits) {
        self.device.set_limits(limits);
    }

    /// Whether the board is to get back, after a start, the graph that it had before.
    pub fn set_restore(&mut self, restore: bool) {
        self.past.restore = restore;
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
}
