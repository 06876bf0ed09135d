//! What an edit takes: names looked up, impossible things refused, commands for the rest.

use std::collections::VecDeque;

use firmware_proto::{Command, Edge as Wire};
use serde_json::{Map, Value, json};

use super::Runtime;
use super::engine::Job;
use super::message::PortName;
use super::naming::{self, Match};
use super::network::subscribe;
use super::op::{Action, Op, Plan, Stage, Step, Then, Turn, go};
use super::refusal::{INITIALS, Refusal};
use super::value::to_packets;
use crate::pure::model::danger::Danger;
use crate::pure::model::graph::{Edge, Node, NodeKey, Port};
use crate::pure::model::library::Direction;

impl Runtime {
    /// Looks names up, refuses what cannot be, and says which commands it takes.
    pub(super) fn plan_action(&mut self, op: &mut Op) -> Result<Turn, Refusal> {
        match &mut op.action {
            Action::Clear { name, title } => Ok(self.plan_clear(name, title.as_deref())),
            Action::AddNode { name, component, metadata } => self.plan_add_node(name, component, metadata),
            Action::RemoveNode { name } => self.plan_remove_node(name),
            Action::RenameNode { from, to } => self.rename_node(from, to),
            Action::AddEdge { src, tgt, metadata } => self.plan_add_edge(src, tgt, metadata),
            Action::RemoveEdge { src, tgt } => self.plan_remove_edge(src, tgt),
            Action::AddInitial { tgt, data, metadata } => self.plan_add_initial(tgt, data, metadata),
            Action::RemoveInitial { tgt, data } => {
                let removed = self.remove_initial(tgt, data.as_ref())?;
                op.echo["src"] = json!({ "data": removed });
                Ok(Turn::Done)
            }
            Action::AddPort { direction, public, port, metadata } => {
                self.plan_add_port(*direction, public, port, metadata)
            }
            Action::RemovePort { direction, public } => self.plan_remove_port(*direction, public),
            Action::RenamePort { direction, from, to } => self.rename_port(*direction, from, to),
            Action::AddGroup { name, nodes, metadata } => self.add_group(name, nodes, metadata),
            Action::RemoveGroup { name } => self.remove_group(name),
            Action::RenameGroup { from, to } => self.rename_group(from, to),
            Action::Change { subject, metadata } => {
                op.echo = self.change_metadata(subject, metadata)?;
                Ok(Turn::Done)
            }
            Action::Packet { port, packet } => self.plan_packet(port, packet),
            Action::Start => Ok(self.plan_start()),
            Action::Stop => Ok(self.plan_stop()),
            Action::Edges(edges) => self.plan_edges(edges, op.asker.client),
            Action::Keep => {
                self.past.kept = true;
                Ok(Turn::Done)
            }
            Action::Upload { graph, start, purpose } => Ok(self.plan_upload(graph, *start, *purpose)),
            Action::Verify => Ok(self.plan_verify()),
        }
    }

    fn plan_clear(&mut self, name: &str, title: Option<&str>) -> Turn {
        self.leave_graph();
        self.graph.clear(name.to_owned(), title.map(str::to_owned));
        self.forget_names();
        self.past.unknown_initials = false;
        self.past.kept = false;
        let stop = self.device.runs_through_clear().then_some(Step::must(Command::StopNetwork));
        go(stop.into_iter().chain([Step::must(Command::ClearNodes)]).collect(), Then::Clear { cleared: false })
    }

    fn plan_add_node(&mut self, name: &str, component: &str, metadata: &Map<String, Value>) -> Result<Turn, Refusal> {
        if self.graph.find(name).is_some() {
            return Err(Refusal::NodeExists(name.to_owned()));
        }
        // One of that name may not be gone for certain.
        let removes = |job: &Job| matches!(&job.op.action, Action::RemoveNode { name: other } if other == name);
        if self.jobs.values().any(removes) {
            return Ok(Turn::Wait);
        }
        let known = self.library.as_ref().and_then(|library| library.by_name(component));
        let component = known.ok_or_else(|| Refusal::NoComponent(component.to_owned()))?.id;
        let create = Command::CreateComponent { component, parent: 0 };
        let restarted = self.device.skips_setup();
        if restarted && self.device.is_settling() {
            return Ok(Turn::Wait);
        }
        match self.device.check(&create, None) {
            Ok(()) | Err(Danger::NoSetup) => {}
            // Removed nodes hold their places until the graph is built anew.
            Err(Danger::TooManyNodes(limit)) if self.graph.nodes().count() < limit => {
                return self.plan_addition_by_rebuild(name, component, metadata);
            }
            Err(danger) => return Err(Refusal::Danger { what: format!("node {name}"), danger }),
        }
        // A node without setup runs on whatever its memory held, and may drive any pin. A start sets all nodes up again, so
        // their initial packets are sent again too.
        if restarted && self.past.unknown_initials {
            return Err(Refusal::RestartLoses(name.to_owned()));
        }
        let node = Node { name: name.to_owned(), component, metadata: metadata.clone(), device: None };
        let key = self.graph.add_node(node);
        let create = vec![Step::create(key, component)];
        let stages: VecDeque<Stage> = if restarted {
            let limits = self.device.limits();
            let room = limits.packets - limits.left_by_a_stop();
            let stop = vec![Step::must(Command::StopNetwork)];
            std::iter::once(stop).chain(self.start_stages(create, room)).map(Stage::These).collect()
        } else {
            [Stage::These(create)].into()
        };
        Ok(Turn::Go(Plan { stages, then: Then::AddNode { key, restarted } }))
    }

    fn plan_remove_node(&mut self, name: &str) -> Result<Turn, Refusal> {
        let key = self.node_named(name)?;
        let Some(device) = self.graph.node(key).and_then(|node| node.device) else { return Ok(Turn::Wait) };
        if self.device.may_hold_packets_of(device) {
            return self.plan_removal_by_rebuild(key, name);
        }
        let edges: Vec<Edge> = self.graph.edges_of(key).cloned().collect();
        let disconnects = edges.iter().filter_map(|edge| self.wire(edge)).map(Command::DisconnectNodes).map(Step::must);
        let stages = [disconnects.collect::<Vec<_>>(), vec![Step::must(Command::RemoveNode { node: device })]];
        let stages = stages.into_iter().filter(|stage| !stage.is_empty()).map(Stage::These).collect();
        Ok(Turn::Go(Plan { stages, then: Then::RemoveNode { key, removed: None, edges: Vec::new() } }))
    }

    fn rename_node(&mut self, from: &str, to: &str) -> Result<Turn, Refusal> {
        let key = self.node_named(from)?;
        if self.graph.node(key).is_none_or(|node| node.device.is_none()) {
            return Ok(Turn::Wait);
        }
        if from != to && !self.graph.rename_node(key, to) {
            return Err(Refusal::NodeExists(to.to_owned()));
        }
        self.watches.clear();
        Ok(Turn::Done)
    }

    fn plan_add_edge(
        &mut self,
        src: &PortName,
        tgt: &PortName,
        metadata: &Map<String, Value>,
    ) -> Result<Turn, Refusal> {
        let from = self.port_named(src, Direction::Out)?;
        let to = self.port_named(tgt, Direction::In)?;
        if let Some(taken) = self.graph.edge_from(from) {
            return Err(naming::taken(&self.graph, self.library.as_ref(), src, taken));
        }
        let edge = Edge { src: from, tgt: to, metadata: metadata.clone() };
        let Some(wire) = self.wire(&edge) else { return Ok(Turn::Wait) };
        let mut steps = vec![Step::must(Command::ConnectNodes(wire))];
        self.graph.add_edge(edge.clone());
        let watched = self.device.subscriptions().contains(&wire.src);
        if self.device.is_running() && !watched && self.is_wanted(from) {
            steps.push(Step::may(subscribe(wire.src, true)));
        }
        self.watches.clear();
        Ok(go(steps, Then::AddEdge { edge }))
    }

    fn plan_remove_edge(&mut self, src: &PortName, tgt: &PortName) -> Result<Turn, Refusal> {
        let from = self.port_named(src, Direction::Out)?;
        let to = self.port_named(tgt, Direction::In)?;
        let found = self.graph.edge_from(from).filter(|edge| edge.tgt == to).cloned();
        let edge = found.ok_or_else(|| Refusal::NoEdge(naming::arrow(src, tgt)))?;
        let Some(wire) = self.wire(&edge) else { return Ok(Turn::Wait) };
        self.graph.remove_edge(from);
        self.watches.clear();
        let mut steps = vec![Step::must(Command::DisconnectNodes(wire))];
        // Firmware forgets the subscription with the edge.
        if self.graph.exports(Direction::Out).contains(from) {
            steps.push(Step::may(subscribe(wire.src, true)));
        }
        Ok(go(steps, Then::RemoveEdge { edge }))
    }

    fn plan_add_initial(
        &mut self,
        tgt: &PortName,
        data: &Value,
        metadata: &Map<String, Value>,
    ) -> Result<Turn, Refusal> {
        let to = self.port_named(tgt, Direction::In)?;
        let packets = to_packets(data, naming::kind(&self.graph, self.library.as_ref(), to)).map_err(|error| {
            let (node, port) = (tgt.node.clone(), tgt.port.clone());
            Refusal::Value { node, port, error }
        })?;
        let Some(target) = self.graph.port_ref(to) else { return Ok(Turn::Wait) };
        if self.device.is_settling() {
            return Ok(Turn::Wait);
        }
        if packets.len() > self.device.queue_room() {
            let what = format!("the initial packet for port {} of node {}", tgt.port, tgt.node);
            return Err(Refusal::Danger { what, danger: Danger::QueueFull(self.device.limits().packets) });
        }
        if self.graph.initials().len() >= INITIALS {
            return Err(Refusal::TooManyInitials);
        }
        let steps = packets.iter().map(|packet| Step::must(Command::SendPacket { target, packet: *packet })).collect();
        self.note_width(to, &packets);
        let serial = self.graph.add_initial(to, data.clone(), metadata.clone(), packets, self.device.is_running());
        Ok(go(steps, Then::AddInitial { serial }))
    }

    /// A packet that was sent cannot be called back: it is only not sent again.
    fn remove_initial(&mut self, tgt: &PortName, data: Option<&Value>) -> Result<Value, Refusal> {
        let to = self.port_named(tgt, Direction::In)?;
        let mut there = self.graph.initials().iter().filter(|initial| initial.tgt == to).collect::<Vec<_>>();
        there.sort_by_key(|initial| data != Some(&initial.data));
        let Some(initial) = there.first() else {
            return Err(Refusal::NoInitial { node: tgt.node.clone(), port: tgt.port.clone() });
        };
        let (serial, data) = (initial.serial, initial.data.clone());
        self.graph.remove_initial(serial);
        Ok(data)
    }

    fn node_named(&self, name: &str) -> Result<NodeKey, Refusal> {
        self.graph.find(name).ok_or_else(|| Refusal::NoNode(name.to_owned()))
    }

    pub(super) fn port_named(&self, name: &PortName, direction: Direction) -> Result<Port, Refusal> {
        naming::find_port(&self.graph, self.library.as_ref(), name, direction, Match::Exact)
    }

    /// An edge in the board's numbers, once both nodes have ids.
    pub(super) fn wire(&self, edge: &Edge) -> Option<Wire> {
        Some(Wire { src: self.graph.port_ref(edge.src)?, tgt: self.graph.port_ref(edge.tgt)? })
    }
}
