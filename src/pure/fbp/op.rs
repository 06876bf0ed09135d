//! Operations on the board: what a client wants, and what it takes.

use std::collections::VecDeque;

use firmware_proto::Command;
use serde_json::{Map, Value};

use super::client::Asker;
use super::message::PortName;
use super::naming;
use super::network::Selection;
use crate::pure::model::graph::{Edge, Node, NodeKey};

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
    Clear { name: String, title: Option<String> },
    AddNode { name: String, component: String, metadata: Map<String, Value> },
    RemoveNode { name: String },
    RenameNode { from: String, to: String },
    AddEdge { src: PortName, tgt: PortName, metadata: Map<String, Value> },
    RemoveEdge { src: PortName, tgt: PortName },
    AddInitial { tgt: PortName, data: Value, metadata: Map<String, Value> },
    RemoveInitial { tgt: PortName, data: Option<Value> },
    Start,
    Stop,
    Edges(Vec<(PortName, PortName)>),
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
    pub(super) stages: VecDeque<Vec<Step>>,
    pub(super) then: Then,
}

/// A command of an operation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) command: Command,
    /// The operation fails with it; else only a remark is made.
    pub(super) essential: bool,
}

impl Step {
    pub(super) fn must(command: Command) -> Step {
        Step { command, essential: true }
    }

    pub(super) fn may(command: Command) -> Step {
        Step { command, essential: false }
    }
}

/// One stage of commands.
pub(super) fn go(steps: Vec<Step>, then: Then) -> Turn {
    Turn::Go(Plan { stages: [steps].into(), then })
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
        removed: Option<Node>,
        edges: Vec<Value>,
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
    Edges(Selection),
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
            Action::Clear { .. } | Action::Start | Action::Stop | Action::Edges(_) => {
                format!("{}:{command}", self.protocol)
            }
        }
    }

    pub(super) fn reply_command(&self) -> &str {
        match self.action {
            Action::Start => "started",
            Action::Stop => "stopped",
            _ => &self.command,
        }
    }
}
