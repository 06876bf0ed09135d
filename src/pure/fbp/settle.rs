//! How operations end: confirmed to their askers and told to others, or refused and taken back.

use std::sync::Arc;

use serde_json::{Value, json};

use super::client::ClientId;
use super::message::{error, outgoing};
use super::op::{Action, Op, Then};
use super::permission::Permission;
use super::refusal::Refusal;
use super::{Runtime, naming};
use crate::pure::request::Failure;

impl Runtime {
    /// All of a job's commands are answered.
    pub(super) fn finish(&mut self, id: u64, now: u64) {
        let Some(job) = self.jobs.remove(&id) else { return };
        let current = job.epoch == self.graph.epoch();
        match job.failure {
            None => {
                let announcements = self.complete(&job.then, job.op.asker.client, current);
                self.succeed(&job.op, announcements, now);
                self.after(&job.op, &job.then, now);
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
    pub(super) fn succeed(&mut self, op: &Op, announcements: Vec<Arc<str>>, now: u64) {
        if op.is_edit() {
            self.past.edited = true;
            self.past.wanted = None;
        }
        if op.is_change() && self.clients.len() > 1 {
            for announcement in &announcements {
                self.tell_except(Some(op.asker.client), Permission::Read, announcement);
            }
            let change = outgoing(op.protocol, op.reply_command(), &self.reply_payload(op, now), None);
            self.tell_except(Some(op.asker.client), Permission::Read, &change);
        }
        self.confirm(op, announcements, now);
    }

    pub(super) fn confirm(&mut self, op: &Op, announcements: Vec<Arc<str>>, now: u64) {
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

    pub(super) fn refuse(&mut self, op: &Op, refusal: &Refusal, now: u64) {
        match &op.action {
            Action::Upload { purpose, .. } => return self.uploaded(*purpose, Err(refusal.text(&self.identity.label))),
            Action::Verify => {
                let gone = matches!(refusal, Refusal::Failed { failure: Failure::Gone | Failure::Lost, .. });
                return if gone || self.down.is_some() { self.not_verified() } else { self.differs(now) };
            }
            _ => {}
        }
        let text = error(op.protocol, &refusal.text(&self.identity.label), op.asker.request_id.as_deref());
        self.answered(&op.asker, vec![text], now);
    }

    /// Changes that are certain now; returns what is announced before the confirmation.
    fn complete(&mut self, then: &Then, asker: ClientId, current: bool) -> Vec<Arc<str>> {
        match then {
            Then::RemoveNode { edges, .. } | Then::Rebuild { edges, .. } => {
                edges.iter().map(|edge| outgoing("graph", "removeedge", edge, None)).collect()
            }
            Then::Verify => {
                self.past.left = None;
                vec![]
            }
            // Those of a graph that is no more say nothing of the next one.
            Then::Edges(chosen) if current => {
                if let Some(client) = self.clients.get_mut(&asker) {
                    client.selection = Some(chosen.clone());
                }
                vec![]
            }
            _ => vec![],
        }
    }

    /// Takes a failed operation back (what a clear or restart made void since stays void), and returns what everybody has to know of what remained of it.
    fn take_back(&mut self, then: Then, current: bool) -> Vec<Arc<str>> {
        self.watches.clear();
        match then {
            Then::AddNode { key, .. } => match self.graph.node(key).filter(|node| node.device.is_some()) {
                Some(node) => {
                    let node = naming::node(&self.graph, self.library.as_ref(), node);
                    return vec![outgoing("graph", "addnode", &node, None)];
                }
                None => _ = self.graph.remove_node(key),
            },
            Then::RemoveNode { removed, edges, .. } => {
                if let Some(taken) = removed.filter(|_| current) {
                    self.graph.put_back(*taken);
                    self.ports_changed |= self.has_exports();
                }
                return edges.iter().map(|edge| outgoing("graph", "removeedge", edge, None)).collect();
            }
            Then::AddEdge { edge } => {
                if self.graph.edge_from(edge.src) == Some(&edge) {
                    self.graph.remove_edge(edge.src);
                }
            }
            Then::RemoveEdge { edge } if current && self.graph.edge_from(edge.src).is_none() => {
                _ = self.graph.add_edge(edge)
            }
            Then::AddInitial { serial } => _ = self.graph.remove_initial(serial),
            // Only the stop before it failed.
            Then::Clear { cleared: true } => {
                return vec![outgoing("graph", "clear", &json!({ "id": self.graph.name() }), None)];
            }
            Then::Rebuild { .. } | Then::Upload { .. } | Then::Clear { cleared: false } => self.graph_lost(),
            Then::Verify
            | Then::RemoveEdge { .. }
            | Then::Start
            | Then::Watch
            | Then::Stop
            | Then::Edges(_)
            | Then::Done => {}
        }
        vec![]
    }
}
