//! Operations on the board: what a client wants, and what it takes.

use std::collections::{BTreeSet, VecDeque};

use firmware_proto::{Command, DebugPoint};
use serde_json::{Map, Value};

use super::client::Asker;
use super::message::PortName;
use super::metadata::Subject;
use super::naming;
use super::upload::Purpose;
use crate::pure::model::graph::{Edge, Graph, NodeKey, Port, TakenNode};
use crate::pure::model::library::Direction;

/// What a client wants, its names not yet looked up.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Op {
    pub(super) asker: Asker,
    pub(super) protocol: &'static str,
    pub(super) command: String,
    /// The graph that it names.
    pub(super) graph: Option<String>,
    /// The payload that confirms it.
    pub(super) echo: Value,
    pub(super) action: Action,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Action {
    Clear {
        name: String,
        title: Option<String>,
    },
    AddNode {
        name: String,
        component: String,
        metadata: Map<String, Value>,
    },
    RemoveNode {
        name: String,
    },
    RenameNode {
        from: String,
        to: String,
    },
    AddEdge {
        src: PortName,
        tgt: PortName,
        metadata: Map<String, Value>,
    },
    RemoveEdge {
        src: PortName,
        tgt: PortName,
    },
    AddInitial {
        tgt: PortName,
        data: Value,
        metadata: Map<String, Value>,
    },
    RemoveInitial {
        tgt: PortName,
        data: Option<Value>,
    },
    AddPort {
        direction: Direction,
        public: String,
        port: PortName,
        metadata: Map<String, Value>,
    },
    RemovePort {
        direction: Direction,
        public: String,
    },
    RenamePort {
        direction: Direction,
        from: String,
        to: String,
    },
    AddGroup {
        name: String,
        nodes: Vec<String>,
        metadata: Map<String, Value>,
    },
    RemoveGroup {
        name: String,
    },
    RenameGroup {
        from: String,
        to: String,
    },
    Change {
        subject: Subject,
        metadata: Map<String, Value>,
    },
    Packet {
        port: String,
        packet: PortPacket,
    },
    Start,
    Stop,
    Edges(Vec<(PortName, PortName)>),
    Keep,
    Upload {
        graph: Box<Graph>,
        start: bool,
        purpose: Purpose,
    },
    /// A board whose session goes on is asked whether it is as it was left.
    Verify,
}

/// What comes in at an exported port.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum PortPacket {
    Data(Value),
    BeginGroup,
    EndGroup,
    /// `connect` and `disconnect`, which mean nothing to a board.
    Nothing,
}

/// What became of an operation's turn.
pub(super) enum Turn {
    /// A node that it names has no id yet.
    Wait,
    /// These stages of commands; each waits for the one before.
    Go(Plan),
    /// Done without the board.
    Done,
    /// It was so before.
    Already,
}

/// The commands of an operation and what to do when they are answered.
pub(super) struct Plan {
    pub(super) stages: VecDeque<Stage>,
    pub(super) then: Then,
}

/// Commands that are sent together; the next stage waits for their answers.
#[derive(Clone, Debug)]
pub(super) enum Stage {
    These(Vec<Step>),
    /// Those that clear the board, and create all nodes of the graph on it.
    Nodes {
        clear: Vec<Step>,
    },
    /// Those that connect them and send what has to wait on them; after `start` the network runs.
    Wiring {
        start: bool,
    },
}

/// What a command's answer means for its operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// The operation fails with it.
    Done,
    /// Where it fails, only a remark is made.
    Tried,
    /// The board must refuse it like this: it asks what the board has, and may name what it lacks.
    Refused(DebugPoint),
}

/// A command of an operation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) command: Command,
    pub(super) need: Need,
    /// The node that it creates.
    pub(super) node: Option<NodeKey>,
}

impl Step {
    pub(super) fn must(command: Command) -> Step {
        Step { command, need: Need::Done, node: None }
    }

    pub(super) fn may(command: Command) -> Step {
        Step { command, need: Need::Tried, node: None }
    }

    pub(super) fn refused(command: Command, point: DebugPoint) -> Step {
        Step { command, need: Need::Refused(point), node: None }
    }

    /// Creates that node.
    pub(super) fn create(node: NodeKey, component: u8) -> Step {
        let command = Command::CreateComponent { component, parent: 0 };
        Step { command, need: Need::Done, node: Some(node) }
    }
}

/// One stage of commands.
pub(super) fn go(steps: Vec<Step>, then: Then) -> Turn {
    Turn::Go(Plan { stages: [Stage::These(steps)].into(), then })
}

/// What follows once the board has answered, and what to take back if it refused.
#[derive(Debug)]
pub(super) enum Then {
    Clear {
        cleared: bool,
    },
    AddNode {
        key: NodeKey,
        restarted: bool,
    },
    RemoveNode {
        key: NodeKey,
        removed: Option<Box<TakenNode>>,
        edges: Vec<Value>,
    },
    /// The graph is built anew without a node and these edges of its.
    Rebuild {
        edges: Vec<Value>,
        running: bool,
    },
    AddEdge {
        edge: Edge,
    },
    RemoveEdge {
        edge: Edge,
    },
    AddInitial {
        serial: u64,
    },
    Start,
    /// It runs already; only watching begins.
    Watch,
    Stop,
    /// A client watches these out ports from now on.
    Edges(BTreeSet<Port>),
    /// The graph on the board is another one.
    Upload {
        purpose: Purpose,
        start: bool,
        done: usize,
        total: usize,
    },
    /// The board is as it was left.
    Verify,
    /// Nothing to be done, or taken back.
    Done,
}

impl Then {
    /// Whether everybody may be told the whole graph in the end: nothing else may be on its way to the board then.
    pub(super) fn concerns_all(&self) -> bool {
        matches!(self, Then::Upload { .. } | Then::Verify)
    }
}

impl Op {
    /// What it is about, for errors.
    pub(super) fn what(&self) -> String {
        let command = &self.command;
        match &self.action {
            Action::AddNode { name, component, .. } => format!("{command} {name} ({component})"),
            Action::RemoveNode { name } | Action::RenameNode { from: name, .. } => format!("{command} {name}"),
            Action::AddEdge { src, tgt, .. } | Action::RemoveEdge { src, tgt } => {
                format!("{command} {}", naming::arrow(src, tgt))
            }
            Action::AddInitial { tgt, .. } | Action::RemoveInitial { tgt, .. } => {
                format!("{command} to port {} of node {}", tgt.port, tgt.node)
            }
            Action::AddPort { public: name, .. }
            | Action::RemovePort { public: name, .. }
            | Action::RenamePort { from: name, .. }
            | Action::AddGroup { name, .. }
            | Action::RemoveGroup { name }
            | Action::RenameGroup { from: name, .. } => format!("{command} {name}"),
            Action::Packet { port, .. } => format!("{command} to exported port {port}"),
            Action::Change { .. } | Action::Upload { .. } | Action::Verify => command.clone(),
            Action::Clear { .. } | Action::Start | Action::Stop | Action::Edges(_) | Action::Keep => {
                format!("{}:{command}", self.protocol)
            }
        }
    }

    /// Whether it concerns the graph only, not the board. Such a change is made once all before it is certain: it would be told before
    /// what it is about, and in old names.
    pub(super) fn is_on_paper(&self) -> bool {
        matches!(
            self.action,
            Action::RenameNode { .. }
                | Action::RemoveInitial { .. }
                | Action::AddPort { .. }
                | Action::RemovePort { .. }
                | Action::RenamePort { .. }
                | Action::AddGroup { .. }
                | Action::RemoveGroup { .. }
                | Action::RenameGroup { .. }
                | Action::Change { .. }
        )
    }

    /// Whether others are told that it was done.
    pub(super) fn is_change(&self) -> bool {
        !matches!(
            self.action,
            Action::Edges(_) | Action::Packet { .. } | Action::Keep | Action::Upload { .. } | Action::Verify
        )
    }

    /// Whether what is on the board, or goes to it at a start, is another graph then.
    pub(super) fn is_edit(&self) -> bool {
        matches!(
            self.action,
            Action::Clear { .. }
                | Action::AddNode { .. }
                | Action::RemoveNode { .. }
                | Action::AddEdge { .. }
                | Action::RemoveEdge { .. }
                | Action::AddInitial { .. }
                | Action::RemoveInitial { .. }
                | Action::Upload { .. }
        )
    }

    pub(super) fn reply_command(&self) -> &str {
        match self.action {
            Action::Start => "started",
            Action::Stop => "stopped",
            Action::Packet { .. } => "packetsent",
            _ => &self.command,
        }
    }
}
