//! Operations on the board: planned in order, sent without waiting for answers, taken back when they fail.
//!
//! An operation waits only for the ids of the nodes that it names. While one waits, later `addnode`s may pass it,
//! so that a graph sent all at once keeps the line full whatever its order.

use std::collections::VecDeque;
use std::sync::Arc;

use firmware_proto::{Command, Response};
use serde_json::{Map, Value};

use super::client::Asker;
use super::message::{PortName, error, outgoing};
use super::network::Selection;
use super::refusal::Refusal;
use super::{Output, Runtime};
use crate::pure::model::graph::{Edge, Node, NodeKey};
use crate::pure::request::{Failure, Outcome, Request, Ticket};

/// Operations that may wait to be planned, of all clients.
pub(super) const WAITING_OPS: usize = 1024;

/// Requests that may be without an answer. More than the wire needs to stay full, and few enough for everybody's queues.
pub(super) const UNANSWERED_REQUESTS: usize = 128;

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

/// What follows once the board has answered, and what to take back if it refused.
#[derive(Debug)]
pub(super) enum Then {
    Clear,
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

/// An operation that is being carried out.
pub(super) struct Job {
    pub(super) op: Op,
    /// The graph's epoch when it was planned: what came before a clear or restart is not taken back.
    pub(super) epoch: u32,
    pub(super) then: Then,
    stages: VecDeque<Vec<Step>>,
    waiting: usize,
    failure: Option<Refusal>,
    /// What went wrong without making it fail.
    remarks: Vec<String>,
}

/// A request under way.
pub(super) struct Flight {
    job: u64,
    step: Step,
}

impl Runtime {
    /// Plans what can be planned.
    pub(super) fn advance(&mut self, now: u64) {
        let mut at = 0;
        while self.flights.len() < UNANSWERED_REQUESTS && self.barrier.is_none() {
            let passing = at > 0;
            match self.ops.get(at) {
                Some(op) if passing && !self.may_pass(&op.action) => return,
                Some(op) if passing && !matches!(op.action, Action::AddNode { .. }) => {
                    at += 1;
                    continue;
                }
                _ => {}
            }
            let Some(mut op) = self.ops.remove(at) else { return };
            match self.plan(&mut op) {
                Ok(Turn::Wait) => {
                    self.ops.insert(at, op);
                    at += 1;
                }
                Ok(Turn::Go(plan)) => self.begin(op, plan, now),
                Ok(Turn::Done) => self.succeed(&op, vec![], now),
                Ok(Turn::Already) => self.confirm(&op, vec![], now),
                Err(refusal) => self.refuse(&op, &refusal, now),
            }
        }
    }

    /// Whether the search for an `addnode` may go beyond or take this operation: new nodes and edges do not disturb each other,
    /// except where adding a node restarts the network.
    fn may_pass(&self, action: &Action) -> bool {
        matches!(action, Action::AddNode { .. } | Action::AddEdge { .. } | Action::AddInitial { .. })
            && !self.device.skips_setup()
    }

    fn plan(&mut self, op: &mut Op) -> Result<Turn, Refusal> {
        if let Some(reason) = &self.down {
            return Err(Refusal::Down(reason.clone()));
        }
        if !matches!(op.action, Action::Start | Action::Stop) && self.library.is_none() {
            return Err(Refusal::NoLibrary);
        }
        if !matches!(op.action, Action::Clear { .. }) {
            self.check_graph(op.graph.as_deref())?;
            let anyway = matches!(op.action, Action::Start | Action::Stop);
            if !anyway && !self.device.is_known() {
                return Err(Refusal::Lost);
            }
        }
        self.plan_action(op)
    }

    /// Whether a message names the one graph that there is.
    pub(super) fn check_graph(&self, graph: Option<&str>) -> Result<(), Refusal> {
        match graph {
            None => Err(Refusal::NoGraph),
            Some(name) if name == self.graph.name() => Ok(()),
            Some(_) => Err(Refusal::OtherGraph),
        }
    }

    fn begin(&mut self, op: Op, plan: Plan, now: u64) {
        self.next_serial += 1;
        let id = self.next_serial;
        let epoch = self.graph.epoch();
        let job = Job { op, epoch, then: plan.then, stages: plan.stages, waiting: 0, failure: None, remarks: vec![] };
        self.jobs.insert(id, job);
        self.next_stage(id, now);
    }

    /// Sends a job's next stage, or finishes it.
    fn next_stage(&mut self, id: u64, now: u64) {
        loop {
            let Some(job) = self.jobs.get_mut(&id) else { return };
            let stage = if job.failure.is_none() { job.stages.pop_front() } else { None };
            let last = job.stages.is_empty() || job.failure.is_some();
            self.barrier = if last { self.barrier.filter(|barrier| *barrier != id) } else { Some(id) };
            let Some(steps) = stage else { return self.finish(id, now) };
            self.before_stage(id);
            for step in steps {
                self.send(id, step);
            }
            if self.jobs.get(&id).is_some_and(|job| job.waiting > 0) {
                return;
            }
        }
    }

    /// A node leaves the graph when its removal is sent: its edges have gone by then.
    fn before_stage(&mut self, id: u64) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        if let Then::RemoveNode { key, removed, .. } = &mut job.then
            && job.stages.is_empty()
        {
            *removed = self.graph.remove_node(*key);
            self.watches.clear();
        }
    }

    fn send(&mut self, id: u64, step: Step) {
        let checked = self.device.check(&step.command, self.library.as_ref());
        let Some(job) = self.jobs.get_mut(&id) else { return };
        if job.failure.is_some() && !step.essential {
            return;
        }
        if let Err(danger) = checked {
            if step.essential && job.failure.is_none() {
                job.failure = Some(Refusal::Danger { what: job.op.what(), danger });
            }
            return;
        }
        job.waiting += 1;
        self.device.sent(&step.command);
        self.next_ticket += 1;
        let ticket = Ticket(self.next_ticket);
        self.flights.insert(ticket, Flight { job: id, step });
        self.output.push_back(Output::Request(Request { ticket, command: step.command }));
    }

    /// Takes the answer to one of this runtime's requests. Each is answered once; unknown tickets are ignored.
    pub fn handle_outcome(&mut self, ticket: Ticket, outcome: Outcome, now: u64) {
        let Some(Flight { job: id, step }) = self.flights.remove(&ticket) else { return };
        let outcome = match outcome {
            Ok(Response::Error(point)) => Err(Failure::Refused(point)),
            outcome => outcome,
        };
        if outcome == Err(Failure::Lost) {
            self.graph_lost();
        }
        self.device.settle(&step.command, &outcome);
        self.note(id, &step.command, &outcome, now);
        if let Some(job) = self.jobs.get_mut(&id) {
            job.waiting -= 1;
            if let Err(failure) = outcome {
                let refusal = Refusal::Failed { what: job.op.what(), failure };
                if !step.essential {
                    job.remarks.push(format!("{refusal} ({:?})", step.command));
                } else if job.failure.is_none() {
                    job.failure = Some(refusal);
                }
            }
            if job.waiting == 0 {
                self.next_stage(id, now);
            }
        }
        self.advance(now);
    }

    /// What an answer means at once, whatever becomes of the rest of the operation.
    fn note(&mut self, id: u64, command: &Command, outcome: &Outcome, now: u64) {
        let Ok(response) = outcome else { return };
        match response {
            Response::NetworkStarted => self.started(now),
            Response::NetworkStopped => self.stopped(now),
            Response::NodesCleared if !self.device.is_running() => self.stopped(now),
            _ => {}
        }
        let Some(job) = self.jobs.get_mut(&id) else { return };
        match (&mut job.then, command, response) {
            (Then::AddNode { key, .. }, _, Response::NodeAdded { node, .. }) => {
                self.graph.set_device(*key, *node);
            }
            (Then::RemoveNode { edges, .. }, Command::DisconnectNodes(edge), _) if job.epoch == self.graph.epoch() => {
                let gone = self.graph.port(edge.src).and_then(|src| self.graph.remove_edge(src));
                edges.extend(gone.map(|edge| super::naming::edge(&self.graph, self.library.as_ref(), &edge)));
                self.watches.clear();
            }
            _ => {}
        }
    }

    fn finish(&mut self, id: u64, now: u64) {
        let Some(job) = self.jobs.remove(&id) else { return };
        let current = job.epoch == self.graph.epoch();
        match job.failure {
            None => {
                let announcements = self.complete(&job.then);
                self.succeed(&job.op, announcements, now);
                self.after(&job.op, &job.then);
            }
            Some(refusal) => {
                for text in self.take_back(job.then, current) {
                    self.tell(&text);
                }
                self.refuse(&job.op, &refusal, now);
            }
        }
        for remark in job.remarks {
            self.remark(&format!("{remark} (board {})", self.identity.label));
        }
    }

    /// Confirms an operation to its asker, and tells everybody else what changed. Announcements come before.
    fn succeed(&mut self, op: &Op, announcements: Vec<Arc<str>>, now: u64) {
        if !matches!(op.action, Action::Edges(_)) && self.clients.len() > 1 {
            for announcement in &announcements {
                self.tell_except(Some(op.asker.client), announcement);
            }
            let change = outgoing(op.protocol, op.reply_command(), &self.reply_payload(op, now), None);
            self.tell_except(Some(op.asker.client), &change);
        }
        self.confirm(op, announcements, now);
    }

    fn confirm(&mut self, op: &Op, announcements: Vec<Arc<str>>, now: u64) {
        let payload = self.reply_payload(op, now);
        let reply = outgoing(op.protocol, op.reply_command(), &payload, op.asker.request_id.as_deref());
        self.answered(&op.asker, announcements.into_iter().chain([reply]).collect(), now);
    }

    fn reply_payload(&self, op: &Op, now: u64) -> Value {
        match op.action {
            Action::Start => self.started_payload(now),
            Action::Stop => self.stopped_payload(now),
            _ => op.echo.clone(),
        }
    }

    fn refuse(&mut self, op: &Op, refusal: &Refusal, now: u64) {
        let text = error(op.protocol, &refusal.text(&self.identity.label), op.asker.request_id.as_deref());
        self.answered(&op.asker, vec![text], now);
    }
}

impl Op {
    /// What it is about, for errors.
    fn what(&self) -> String {
        let command = &self.command;
        match &self.action {
            Action::AddNode { name, component, .. } => format!("{command} {name} ({component})"),
            Action::RemoveNode { name } | Action::RenameNode { from: name, .. } => format!("{command} {name}"),
            Action::AddEdge { src, tgt, .. } | Action::RemoveEdge { src, tgt } => {
                format!("{command} {}", super::naming::arrow(src, tgt))
            }
            Action::AddInitial { tgt, .. } | Action::RemoveInitial { tgt, .. } => {
                format!("{command} to port {} of node {}", tgt.port, tgt.node)
            }
            Action::Clear { .. } | Action::Start | Action::Stop | Action::Edges(_) => {
                format!("{}:{command}", self.protocol)
            }
        }
    }

    fn reply_command(&self) -> &str {
        match self.action {
            Action::Start => "started",
            Action::Stop => "stopped",
            _ => &self.command,
        }
    }
}
