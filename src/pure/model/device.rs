//! The mirror of a board in its own numbers: what is on it, assuming that what was sent will be carried out.
//!
//! Every command passes [`Device::check`], is noted with [`Device::sent`] and settled with its outcome, once each.
//! Counting what is under way is what makes it safe to send without waiting for answers.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use firmware_proto::limits::{QUEUED_PACKETS_WHILE_STOPPED, SAFE_NODES};
use firmware_proto::{Command, Dialect, Edge, Packet, PortRef, Response};

use super::danger::{Danger, Purpose};
use super::library::{Direction, Library};
use crate::pure::request::{Failure, Outcome};

/// Command ids that firmware carries out whatever the padding holds.
const KNOWN_COMMANDS: std::ops::RangeInclusive<u8> = 10..=25;

/// The component that may have children.
const SUBGRAPH: &str = "SubGraph";

/// What is on a board.
#[derive(Clone, Debug, Default)]
pub struct Device {
    dialect: Option<Dialect>,
    known: bool,
    nodes: BTreeMap<u8, Node>,
    /// The highest node id since the last clear: ids are not reused.
    highest: u8,
    /// Nodes that are being created.
    creating: usize,
    /// One target per out port: firmware keeps no more.
    edges: BTreeMap<PortRef, PortRef>,
    subscriptions: BTreeSet<PortRef>,
    running: bool,
    /// Packets waiting in the stopped network.
    queued: usize,
    /// Clears sent so far. What was sent before the last one has no effect any more.
    epoch: u32,
    flights: VecDeque<Flight>,
}

/// A node on a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// Component id.
    pub component: u8,
    /// The node that it is a child of; 0 for none.
    pub parent: u8,
}

/// A command under way, and how to take it back.
#[derive(Clone, Debug)]
struct Flight {
    command: Command,
    epoch: u32,
    undo: Undo,
}

#[derive(Clone, Debug)]
enum Undo {
    Nothing,
    Created,
    Node(u8, Node),
    Target(PortRef, Option<PortRef>),
    Subscription(PortRef, bool),
    Running(bool),
    Packet,
    Cleared,
}

impl Device {
    /// The dialect decides what clearing does and whether late nodes are set up.
    pub fn set_dialect(&mut self, dialect: Dialect) {
        self.dialect = Some(dialect);
    }

    /// Whether the mirror can be relied upon.
    pub fn is_known(&self) -> bool {
        self.known
    }

    /// Whether the network runs, as far as is known.
    pub fn is_running(&self) -> bool {
        self.running
    }

    /// Whether nodes added now would miss their setup: a running network in the 8-byte dialect.
    pub fn skips_setup(&self) -> bool {
        self.running && self.dialect == Some(Dialect::Flo01)
    }

    /// Whether clearing leaves the network running.
    pub fn runs_through_clear(&self) -> bool {
        self.dialect == Some(Dialect::Microflo1)
    }

    /// How many more packets the stopped network keeps; any number while it runs.
    pub fn queue_room(&self) -> usize {
        if self.running { usize::MAX } else { QUEUED_PACKETS_WHILE_STOPPED.saturating_sub(self.queued) }
    }

    /// The nodes, by id.
    pub fn nodes(&self) -> &BTreeMap<u8, Node> {
        &self.nodes
    }

    /// The edges, by out port.
    pub fn edges(&self) -> &BTreeMap<PortRef, PortRef> {
        &self.edges
    }

    /// The out ports whose packets the board reports.
    pub fn subscriptions(&self) -> &BTreeSet<PortRef> {
        &self.subscriptions
    }

    /// Marks the mirror as unknown until a clear succeeds or the board boots.
    pub fn lose(&mut self) {
        *self = Device { dialect: self.dialect, running: self.running, epoch: self.epoch + 1, ..Device::default() };
    }

    /// Rebuilds the mirror from what a board said while it booted. An empty board says nothing: `&[]`.
    pub fn boot(&mut self, chatter: &[Response]) {
        *self = Device { dialect: self.dialect, known: true, epoch: self.epoch + 1, ..Device::default() };
        for response in chatter {
            match *response {
                Response::NodesCleared => self.clear(),
                Response::NodeAdded { component, node, parent } => self.add(node, Node { component, parent }),
                Response::NodesConnected(edge) => _ = self.edges.insert(edge.src, edge.tgt),
                Response::NodesDisconnected(edge) => self.disconnect(edge),
                Response::NodeRemoved { node } => self.remove(node),
                Response::PortSubscriptionChanged { port, enabled } => self.subscribe(port, enabled),
                Response::SendPacketDone { .. } if !self.running => self.queued += 1,
                Response::NetworkStarted => self.set_running(true),
                Response::NetworkStopped => self.set_running(false),
                Response::NetworkStatus { running } => self.running = running,
                _ => {}
            }
        }
    }

    /// Refuses what firmware would carry out although it kills or corrupts the board.
    ///
    /// Without a library, or for a component that it lacks, ports cannot be checked and are let through.
    pub fn check(&self, command: &Command, library: Option<&Library>) -> Result<(), Danger> {
        match *command {
            Command::ClearNodes
            | Command::End
            | Command::ConfigureDebug { .. }
            | Command::Ping(_)
            | Command::StartNetwork
            | Command::StopNetwork
            | Command::SetIoValue(_)
            | Command::GetNetworkStatus => Ok(()),
            Command::Unknown { id, .. } if KNOWN_COMMANDS.contains(&id) => Err(Danger::Padding { id }),
            Command::Unknown { .. } => Ok(()),
            _ if !self.known => Err(Danger::NotKnown),
            Command::CreateComponent { parent, .. } => self.check_create(parent, library),
            Command::ConnectNodes(edge) | Command::DisconnectNodes(edge) => {
                self.check_port(edge.src, Direction::Out, Purpose::Connect, library)?;
                self.check_port(edge.tgt, Direction::In, Purpose::Connect, library)
            }
            Command::SendPacket { target, packet } => {
                self.check_port(target, Direction::In, Purpose::Send, library)?;
                check_packet(packet)?;
                if self.queue_room() == 0 { Err(Danger::QueueFull) } else { Ok(()) }
            }
            Command::SubscribeToPort { port, .. } => self.check_port(port, Direction::Out, Purpose::Subscribe, library),
            Command::ConnectSubgraphPort { subgraph, child, is_output } => {
                let node = self.node(child.node, Purpose::Subgraph)?;
                self.check_subgraph(subgraph.node, Purpose::Subgraph, library)?;
                if node.parent == 0 {
                    return Err(Danger::NotAChild { node: child.node });
                }
                let direction = if is_output { Direction::Out } else { Direction::In };
                self.check_port(child, direction, Purpose::Subgraph, library)
            }
            Command::RemoveNode { node } => self.check_remove(node),
        }
    }

    fn check_create(&self, parent: u8, library: Option<&Library>) -> Result<(), Danger> {
        if parent != 0 {
            self.check_subgraph(parent, Purpose::Parent, library)?;
        }
        if usize::from(self.highest) + self.creating >= SAFE_NODES {
            return Err(Danger::TooManyNodes);
        }
        if self.skips_setup() { Err(Danger::NoSetup) } else { Ok(()) }
    }

    fn check_remove(&self, node: u8) -> Result<(), Danger> {
        self.node(node, Purpose::Remove)?;
        if let Some((src, _)) = self.edges.iter().find(|(src, tgt)| tgt.node == node && src.node != node) {
            return Err(Danger::EdgeLeft { node, src: *src });
        }
        match self.nodes.iter().find(|(_, other)| other.parent == node) {
            Some((child, _)) => Err(Danger::ChildLeft { node, child: *child }),
            None => Ok(()),
        }
    }

    fn check_port(
        &self,
        port: PortRef,
        direction: Direction,
        purpose: Purpose,
        library: Option<&Library>,
    ) -> Result<(), Danger> {
        let node = self.node(port.node, purpose)?;
        match library.and_then(|library| library.by_id(node.component)) {
            Some(component) if component.port_by_id(direction, port.port).is_none() => {
                Err(Danger::NoSuchPort { port, direction, component: component.name.clone() })
            }
            _ => Ok(()),
        }
    }

    fn check_subgraph(&self, node: u8, purpose: Purpose, library: Option<&Library>) -> Result<(), Danger> {
        let component = self.node(node, purpose)?.component;
        match library.and_then(|library| library.by_id(component)) {
            Some(component) if component.name != SUBGRAPH => {
                Err(Danger::NotASubgraph { node, component: component.name.clone() })
            }
            _ => Ok(()),
        }
    }

    fn node(&self, node: u8, purpose: Purpose) -> Result<Node, Danger> {
        self.nodes.get(&node).copied().ok_or(Danger::NoSuchNode { node, purpose })
    }

    /// Notes a command that goes to the board. Each is settled once.
    pub fn sent(&mut self, command: &Command) {
        let undo = match *command {
            Command::ClearNodes => {
                self.epoch += 1;
                self.clear();
                self.known = true;
                Undo::Cleared
            }
            Command::CreateComponent { .. } => {
                self.creating += 1;
                Undo::Created
            }
            Command::ConnectNodes(edge) => Undo::Target(edge.src, self.edges.insert(edge.src, edge.tgt)),
            Command::DisconnectNodes(edge) => {
                let undo = Undo::Target(edge.src, self.edges.get(&edge.src).copied());
                self.disconnect(edge);
                undo
            }
            Command::RemoveNode { node } => {
                let undo = self.nodes.get(&node).map_or(Undo::Nothing, |it| Undo::Node(node, *it));
                self.remove(node);
                undo
            }
            Command::SubscribeToPort { port, enable } => {
                let undo = Undo::Subscription(port, self.subscriptions.contains(&port));
                self.subscribe(port, enable);
                undo
            }
            Command::StartNetwork | Command::StopNetwork => {
                let undo = Undo::Running(self.running);
                self.set_running(*command == Command::StartNetwork);
                undo
            }
            Command::SendPacket { .. } if !self.running => {
                self.queued += 1;
                Undo::Packet
            }
            Command::GetNetworkStatus => Undo::Nothing,
            _ => return,
        };
        self.flights.push_back(Flight { command: *command, epoch: self.epoch, undo });
    }

    /// Settles a command that was [`sent`](Self::sent).
    pub fn settle(&mut self, command: &Command, outcome: &Outcome) {
        let Some(at) = self.flights.iter().position(|flight| flight.command == *command) else { return };
        let Some(flight) = self.flights.remove(at) else { return };
        match outcome {
            Err(Failure::Lost) => self.lose(),
            _ if flight.epoch != self.epoch => {}
            Ok(Response::Error(_)) | Err(_) => self.take_back(flight.undo),
            Ok(Response::NodeAdded { component, node, parent }) => {
                self.creating = self.creating.saturating_sub(1);
                self.add(*node, Node { component: *component, parent: *parent });
            }
            Ok(Response::NetworkStatus { running }) => self.running = *running,
            Ok(_) => {}
        }
    }

    fn take_back(&mut self, undo: Undo) {
        match undo {
            Undo::Nothing => {}
            Undo::Created => self.creating = self.creating.saturating_sub(1),
            Undo::Node(id, node) => self.add(id, node),
            Undo::Target(src, Some(tgt)) => _ = self.edges.insert(src, tgt),
            Undo::Target(src, None) => _ = self.edges.remove(&src),
            Undo::Subscription(port, before) => self.subscribe(port, before),
            Undo::Running(before) => {
                // How many packets wait is no longer known: take no more until a start or a clear succeeds.
                self.queued = QUEUED_PACKETS_WHILE_STOPPED;
                self.running = before;
            }
            Undo::Packet => self.queued = self.queued.saturating_sub(1),
            Undo::Cleared => self.lose(),
        }
    }

    fn clear(&mut self) {
        self.nodes.clear();
        self.edges.clear();
        self.subscriptions.clear();
        (self.highest, self.creating, self.queued) = (0, 0, 0);
        self.running &= self.runs_through_clear();
    }

    fn add(&mut self, id: u8, node: Node) {
        self.nodes.insert(id, node);
        self.highest = self.highest.max(id);
    }

    fn remove(&mut self, node: u8) {
        self.nodes.remove(&node);
        self.edges.retain(|src, _| src.node != node);
        self.subscriptions.retain(|port| port.node != node);
    }

    /// Firmware looks at the out port only, and forgets its subscription too.
    fn disconnect(&mut self, edge: Edge) {
        self.edges.remove(&edge.src);
        self.subscriptions.remove(&edge.src);
    }

    fn subscribe(&mut self, port: PortRef, enable: bool) {
        if enable {
            self.subscriptions.insert(port);
        } else {
            self.subscriptions.remove(&port);
        }
    }

    fn set_running(&mut self, running: bool) {
        self.running = running;
        self.queued = 0;
    }
}

fn check_packet(packet: Packet) -> Result<(), Danger> {
    match packet {
        Packet::Void
        | Packet::Byte(_)
        | Packet::Boolean(_)
        | Packet::Integer(_)
        | Packet::BracketStart
        | Packet::BracketEnd
        | Packet::Error(_) => Ok(()),
        Packet::Invalid | Packet::Setup | Packet::Tick | Packet::Float(_) | Packet::Other { .. } => {
            Err(Danger::PacketType { kind: packet.kind() })
        }
    }
}
