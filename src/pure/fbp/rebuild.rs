//! Building the graph anew on a cleared board: for what firmware cannot do in place without danger.
//!
//! A removed node's packets may still be in the firmware's queue, and it crashes of them. Only a clear empties the queue.

use std::collections::VecDeque;

use firmware_proto::Command;
use firmware_proto::limits::QUEUED_PACKETS_WHILE_STOPPED;

use super::op::{Plan, Stage, Step, Then, Turn};
use super::refusal::Refusal;
use super::{Output, Runtime, naming};
use crate::pure::model::graph::NodeKey;

impl Runtime {
    /// Takes a node out of the graph and builds the rest again. Nothing else may be under way meanwhile.
    pub(super) fn plan_removal_by_rebuild(&mut self, key: NodeKey, name: &str) -> Result<Turn, Refusal> {
        let has_children = self.device.nodes().values().any(|node| node.parent != 0);
        if self.unknown_initials || has_children {
            return Err(Refusal::RebuildLoses(name.to_owned()));
        }
        if self.device.is_settling() || !self.flights.is_empty() {
            return Ok(Turn::Wait);
        }
        let edges =
            self.graph.edges_of(key).map(|edge| naming::edge(&self.graph, self.library.as_ref(), edge)).collect();
        self.ports_changed |= self.graph.is_exported(key);
        self.graph.remove_node(key);
        self.watches.clear();
        let running = self.device.is_running();
        let stop = running.then_some(Step::must(Command::StopNetwork));
        let clear = stop.into_iter().chain([Step::must(Command::ClearNodes)]).collect();
        let stages = [Stage::These(clear), Stage::Nodes, Stage::Wiring { start: running }].into();
        Ok(Turn::Go(Plan { stages, then: Then::Rebuild { edges, running } }))
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
            return self.start_stages(steps, QUEUED_PACKETS_WHILE_STOPPED);
        }
        for initial in self.graph.initials().iter().filter(|initial| !initial.consumed) {
            let Some(target) = self.graph.port_ref(initial.tgt) else { continue };
            let packets = initial.packets.iter().map(|packet| Command::SendPacket { target, packet: *packet });
            steps.extend(packets.map(Step::must));
        }
        [steps].into()
    }
}
