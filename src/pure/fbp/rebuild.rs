//! Building the graph anew on a cleared board: for what firmware cannot do in place without danger.
//!
//! A removed node's packets may still be in the firmware's queue, and it crashes of them. Only a clear empties the queue.

use std::collections::VecDeque;

use firmware_proto::Command;
use serde_json::Value;

use super::op::{Plan, Stage, Step, Then, Turn};
use super::refusal::Refusal;
use super::{Output, Runtime, naming};
use crate::pure::model::danger::Danger;
use crate::pure::model::graph::{Metadata, Node, NodeKey};

impl Runtime {
    /// Takes a node out of the graph and builds the rest again.
    pub(super) fn plan_removal_by_rebuild(&mut self, key: NodeKey, name: &str) -> Result<Turn, Refusal> {
        if !self.may_rebuild() {
            return Err(Refusal::RebuildLoses(name.to_owned()));
        }
        if !self.is_at_rest() {
            return Ok(Turn::Wait);
        }
        let edges =
            self.graph.edges_of(key).map(|edge| naming::edge(&self.graph, self.library.as_ref(), edge)).collect();
        self.ports_changed |= self.graph.is_exported(key);
        self.graph.remove_node(key);
        self.watches.clear();
        Ok(self.rebuild(edges))
    }

    /// Builds the graph again with one node more.
    pub(super) fn plan_addition_by_rebuild(
        &mut self,
        name: &str,
        component: u8,
        metadata: &Metadata,
    ) -> Result<Turn, Refusal> {
        if !self.may_rebuild() {
            let what = format!("node {name}");
            return Err(Refusal::Danger { what, danger: Danger::TooManyNodes(self.device.limits().nodes) });
        }
        if !self.is_at_rest() {
            return Ok(Turn::Wait);
        }
        self.graph.add_node(Node { name: name.to_owned(), component, metadata: metadata.clone(), device: None });
        Ok(self.rebuild(vec![]))
    }

    /// Whether the bridge knows all that it would have to build again.
    pub(super) fn may_rebuild(&self) -> bool {
        !self.past.unknown_initials && self.device.nodes().values().all(|node| node.parent == 0)
    }

    /// Nothing else may be under way while a graph is built.
    pub(super) fn is_at_rest(&self) -> bool {
        !self.device.is_settling() && self.flights.is_empty()
    }

    fn rebuild(&self, edges: Vec<Value>) -> Turn {
        let running = self.device.is_running();
        Turn::Go(Plan { stages: self.build_stages(running), then: Then::Rebuild { edges, running } })
    }

    /// Clears the board, builds the whole graph on it, and starts it or not. Whatever may run is stopped before.
    pub(super) fn build_stages(&self, start: bool) -> VecDeque<Stage> {
        let may_run = self.device.is_running() || self.device.runs_through_clear();
        let stop = may_run.then_some(Step::must(Command::StopNetwork));
        let clear = stop.into_iter().chain([Step::must(Command::ClearNodes)]).collect();
        [Stage::Nodes { clear }, Stage::Wiring { start }].into()
    }

    /// Creates every node of the graph on the cleared board.
    pub(super) fn create_all(&mut self) -> Vec<Step> {
        self.graph.forget_devices();
        self.watches.clear();
        self.output.push_back(Output::Renumbered);
        self.graph.nodes().map(|(key, node)| Step::create(key, node.component)).collect()
    }

    /// Connects all nodes. Then come the packets that had waited, or, with `start`, all initial packets and the start.
    pub(super) fn wiring(&self, start: bool) -> VecDeque<Vec<Step>> {
        let edges = self.graph.edges().iter().filter_map(|edge| self.wire(edge));
        let mut steps: Vec<Step> = edges.map(Command::ConnectNodes).map(Step::must).collect();
        if start {
            return self.start_stages(steps, self.device.limits().packets);
        }
        for initial in self.graph.initials().iter().filter(|initial| !initial.consumed) {
            let Some(target) = self.graph.port_ref(initial.tgt) else { continue };
            let packets = initial.packets.iter().map(|packet| Command::SendPacket { target, packet: *packet });
            steps.extend(packets.map(Step::must));
        }
        [steps].into()
    }
}
