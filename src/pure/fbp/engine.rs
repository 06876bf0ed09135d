//! The order of operations: planned in turn, sent without waiting for answers, taken back when they fail.
//!
//! An operation waits only for the ids of the nodes that it names. While one waits, later `addnode`s may pass it,
//! so that a graph sent all at once keeps the line full whatever its order.

use std::collections::VecDeque;

use firmware_proto::{Command, Response};

use super::op::{Action, Need, Op, Plan, Stage, Step, Then, Turn};
use super::refusal::Refusal;
use super::{Output, Runtime, naming};
use crate::pure::request::{Failure, Outcome, Request, Ticket};

/// Operations that may wait to be planned, of all clients.
pub(super) const WAITING_OPS: usize = 1024;

/// Requests that may be without an answer. More than the wire needs to stay full, and few enough for everybody's queues.
pub(super) const UNANSWERED_REQUESTS: usize = 128;

/// An operation that is being carried out.
pub(super) struct Job {
    pub(super) op: Op,
    /// The graph's epoch when it was planned: what came before a clear or restart is not taken back.
    pub(super) epoch: u32,
    pub(super) then: Then,
    stages: VecDeque<Stage>,
    waiting: usize,
    pub(super) failure: Option<Refusal>,
    /// What went wrong without making it fail.
    pub(super) remarks: Vec<String>,
}

/// A request under way.
pub(super) struct Flight {
    job: u64,
    step: Step,
}

impl Runtime {
    /// Plans what can be planned, and tells what came of it.
    pub(super) fn advance(&mut self, now: u64) {
        self.past.touched = true;
        if self.past.names_due {
            self.name_again();
        }
        self.plan_waiting(now);
        self.tell_ports();
    }

    fn plan_waiting(&mut self, now: u64) {
        let mut at = 0;
        while self.flights.len() < UNANSWERED_REQUESTS && self.barrier.is_none() && self.raw.is_over() {
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
                    let passable = self.may_pass(&op.action);
                    self.ops.insert(at, op);
                    if !passable {
                        return;
                    }
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
        match op.action {
            Action::Upload { .. } | Action::Verify => return self.plan_action(op),
            Action::Start | Action::Stop | Action::Keep => {}
            _ if self.library.is_none() => return Err(Refusal::NoLibrary),
            _ => {}
        }
        if !matches!(op.action, Action::Clear { .. } | Action::Keep) {
            self.check_graph(op.graph.as_deref())?;
            if !matches!(op.action, Action::Start | Action::Stop) && !self.device.is_known() {
                return Err(Refusal::Lost);
            }
        }
        if op.is_on_paper() && !self.jobs.is_empty() {
            return Ok(Turn::Wait);
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
            let steps = stage.map(|stage| self.steps(id, stage));
            let more = |job: &Job| job.failure.is_none() && !job.stages.is_empty();
            let bars = |job: &Job| more(job) || (steps.is_some() && job.then.concerns_all());
            let bars = self.jobs.get(&id).is_some_and(bars);
            self.barrier = if bars { Some(id) } else { self.barrier.filter(|barrier| *barrier != id) };
            let Some(steps) = steps else { return self.finish(id, now) };
            self.before_stage(id);
            for step in steps {
                self.send(id, step);
            }
            if self.jobs.get(&id).is_some_and(|job| job.waiting > 0) {
                return;
            }
        }
    }

    /// A stage's commands. What does not fit into it becomes the next ones.
    fn steps(&mut self, id: u64, stage: Stage) -> Vec<Step> {
        let stages = match stage {
            Stage::These(steps) => [steps].into(),
            Stage::Nodes { clear } => [clear.into_iter().chain(self.create_all()).collect()].into(),
            Stage::Wiring { start } => self.wiring(start),
        };
        let parts = |steps: Vec<Step>| steps.chunks(UNANSWERED_REQUESTS).map(<[Step]>::to_vec).collect::<Vec<_>>();
        let mut stages: VecDeque<Vec<Step>> = stages.into_iter().flat_map(parts).collect();
        let first = stages.pop_front().unwrap_or_default();
        if let Some(job) = self.jobs.get_mut(&id) {
            stages.into_iter().rev().for_each(|steps| job.stages.push_front(Stage::These(steps)));
        }
        first
    }

    /// A node leaves the graph when its removal is sent: its edges have gone by then.
    fn before_stage(&mut self, id: u64) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        if let Then::RemoveNode { key, removed, .. } = &mut job.then
            && job.stages.is_empty()
        {
            self.ports_changed |= self.graph.is_exported(*key);
            *removed = self.graph.take_node(*key).map(Box::new);
            self.watches.clear();
        }
    }

    fn send(&mut self, id: u64, step: Step) {
        let checked = match step.need {
            Need::Refused(_) => Ok(()),
            Need::Done | Need::Tried => self.device.check(&step.command, self.library.as_ref()),
        };
        let Some(job) = self.jobs.get_mut(&id) else { return };
        if job.failure.is_some() && step.need == Need::Tried {
            return;
        }
        if let Err(danger) = checked {
            let refusal = Refusal::Danger { what: job.op.what(), danger };
            if step.need == Need::Done {
                job.failure.get_or_insert(refusal);
            } else {
                job.remarks.push(refusal.to_string());
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
        self.settle_device(&step.command, &outcome);
        self.note(id, &step, &outcome, now);
        if let Some(job) = self.jobs.get_mut(&id) {
            job.waiting -= 1;
            let refusal = |failure| Refusal::Failed { what: job.op.what(), failure };
            match (step.need, outcome) {
                (Need::Done | Need::Tried, Ok(_)) => {}
                (Need::Refused(point), Err(Failure::Refused(said))) if point == said => {}
                (Need::Tried, Err(failure)) => job.remarks.push(format!("{} ({:?})", refusal(failure), step.command)),
                (Need::Refused(_), Ok(_)) => _ = job.failure.get_or_insert(Refusal::AnotherGraph),
                (Need::Done | Need::Refused(_), Err(failure)) => _ = job.failure.get_or_insert(refusal(failure)),
            }
            if job.waiting == 0 {
                self.next_stage(id, now);
            }
        }
        self.advance(now);
    }

    /// What an answer means at once, whatever becomes of the rest of the operation.
    fn note(&mut self, id: u64, step: &Step, outcome: &Outcome, now: u64) {
        let Ok(response) = outcome else { return };
        self.note_progress(id, response);
        match response {
            Response::NodeAdded { node, .. } => {
                if let Some(key) = step.node {
                    self.graph.set_device(key, *node);
                }
            }
            Response::NetworkStarted => self.started(now),
            Response::NetworkStopped => self.stopped(now),
            Response::NodesCleared if !self.device.is_running() => self.stopped(now),
            _ => {}
        }
        let Some(job) = self.jobs.get_mut(&id) else { return };
        match (&mut job.then, step.command, response) {
            (Then::Clear { cleared }, _, Response::NodesCleared) => *cleared = true,
            (Then::RemoveNode { edges, .. }, Command::DisconnectNodes(edge), _) if job.epoch == self.graph.epoch() => {
                let gone = self.graph.port(edge.src).and_then(|src| self.graph.remove_edge(src));
                edges.extend(gone.map(|edge| naming::edge(&self.graph, self.library.as_ref(), &edge)));
                self.watches.clear();
            }
            _ => {}
        }
    }
}
