//! The firmware's network: nodes and edges.

mod delivery;

use std::collections::BTreeMap;

use firmware_proto::{DebugLevel, DebugPoint, Dialect, Edge, Event, Packet, PortRef};

use super::component::{Kind, Logic, Pins};
use super::config::Config;
use super::crash::Crash;
use super::queue::{Queue, Queued, Route};

/// The first node's id; 0 means "no parent".
const FIRST_NODE: usize = 1;

struct Node {
    component: u8,
    kind: &'static Kind,
    logic: Box<dyn Logic>,
    outs: Vec<OutPort>,
}

#[derive(Clone, Copy, Default)]
struct OutPort {
    /// Stays when the target node is removed: firmware keeps the pointer.
    target: Option<PortRef>,
    subscribed: bool,
}

/// Nodes, edges and queued packets; events pile up in [`Network::events`] until they are sent.
pub(super) struct Network {
    dialect: Dialect,
    /// By node id; removed nodes leave a hole.
    nodes: Vec<Option<Node>>,
    node_limit: usize,
    queue: Queue,
    running: bool,
    debug_level: u8,
    reports_bytes: bool,
    /// The board's pins.
    pub pins: Pins,
    /// What the board has to say, in order.
    pub events: Vec<Event>,
}

/// What is on a board: nodes with their components, edges, watched out ports, and whether its network runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    /// Component ids by node id.
    pub nodes: BTreeMap<u8, u8>,
    /// In the order of their out ports.
    pub edges: Vec<Edge>,
    /// Out ports whose packets are reported.
    pub watched: Vec<PortRef>,
    /// Whether the network runs.
    pub running: bool,
}

/// What a request to the network gives: done, refused, or the end of the board.
pub(super) type Done = Result<Result<(), DebugPoint>, Crash>;

impl Network {
    /// An empty, stopped network.
    pub(super) fn new(config: &Config) -> Self {
        Network {
            dialect: config.dialect,
            nodes: std::iter::once(None).collect(),
            node_limit: config.node_limit,
            queue: Queue::new(config.message_limit),
            running: false,
            debug_level: DebugLevel::Error as u8,
            reports_bytes: config.reports_bytes,
            pins: Pins::default(),
            events: Vec::new(),
        }
    }

    /// Whether ticks happen.
    pub(super) fn running(&self) -> bool {
        self.running
    }

    /// What is on the board.
    pub(super) fn graph(&self) -> Graph {
        let mut graph = Graph { running: self.running, ..Graph::default() };
        let nodes = self.nodes.iter().zip(0_u8..).filter_map(|(node, id)| Some((id, node.as_ref()?)));
        for (id, node) in nodes {
            graph.nodes.insert(id, node.component);
            for (out, port) in node.outs.iter().zip(0_u8..) {
                let src = PortRef { node: id, port };
                graph.edges.extend(out.target.map(|tgt| Edge { src, tgt }));
                graph.watched.extend(out.subscribed.then_some(src));
            }
        }
        graph
    }

    /// Packets lost because the queue wrapped, since the nodes were last cleared.
    pub(super) fn lost_packets(&self) -> u64 {
        self.queue.lost()
    }

    /// Sets how much [`debug`](Self::debug) says; without effect in the 8-byte dialect.
    pub(super) fn configure_debug(&mut self, level: u8) {
        if self.dialect == Dialect::Microflo1 {
            self.debug_level = level;
        }
    }

    /// Says something, if the level lets it.
    pub(super) fn debug(&mut self, level: DebugLevel, point: DebugPoint) {
        let level = level as u8;
        if level <= self.debug_level {
            self.events.push(Event::Debug { level, point });
        }
    }

    /// Removes everything; the 8-byte dialect also stops.
    pub(super) fn clear(&mut self) {
        self.nodes.truncate(FIRST_NODE);
        self.queue.clear();
        if self.dialect == Dialect::Flo01 {
            self.running = false;
        }
    }

    /// Starts. With the 8-byte dialect every node gets Setup, also at a second start.
    pub(super) fn start(&mut self, now_ms: u32) {
        self.running = true;
        if self.dialect == Dialect::Flo01 {
            self.for_each_node(now_ms, |logic, io| logic.setup(io));
        }
    }

    /// Stops: no more ticks. Queued packets stay.
    pub(super) fn stop(&mut self) {
        self.running = false;
    }

    /// Adds a node and returns its id.
    pub(super) fn add(&mut self, component: u8, parent: u8) -> Result<Result<u8, DebugPoint>, Crash> {
        self.debug(DebugLevel::Detailed, DebugPoint::ComponentCreateStart);
        let kind = Kind::by_id(self.dialect, component);
        self.debug(DebugLevel::Detailed, DebugPoint::ComponentCreateEnd);
        let Some(kind) = kind else { return Ok(Err(DebugPoint::AddNodeInvalidInstance)) };
        // Also the next free id passes for a parent.
        if usize::from(parent) > self.nodes.len() {
            return Ok(Err(DebugPoint::AddNodeInvalidParent));
        }
        let id = u8::try_from(self.nodes.len()).ok().filter(|id| usize::from(*id) < self.node_limit);
        let Some(id) = id else { return Err(Crash::TooManyNodes { limit: self.node_limit }) };
        let outs = vec![OutPort::default(); kind.out_ports()];
        self.nodes.push(Some(Node { component, kind, logic: kind.make(self.dialect), outs }));
        Ok(Ok(id))
    }

    /// Removes a node, but neither edges to it nor packets from it.
    pub(super) fn remove(&mut self, node: u8) -> Result<(), DebugPoint> {
        let slot = self.nodes.get_mut(usize::from(node));
        slot.and_then(Option::take).map(|_| ()).ok_or(DebugPoint::RemoveNodeInvalidInstance)
    }

    /// Connects an out port, which forgets where it led before.
    pub(super) fn connect(&mut self, edge: Edge) -> Done {
        self.debug(DebugLevel::Detailed, DebugPoint::ConnectNodesStart);
        let target_ports = self.node(edge.tgt.node).map(|node| node.kind.in_ports());
        self.set_target(edge, target_ports, target_ports.map(|_| edge.tgt))
    }

    /// Disconnects an out port, wherever it led, and ends its subscription.
    pub(super) fn disconnect(&mut self, edge: Edge) -> Done {
        let any_port = self.node(edge.tgt.node).map(|_| usize::MAX);
        self.set_target(edge, any_port, None)
    }

    fn set_target(&mut self, edge: Edge, target_ports: Option<usize>, target: Option<PortRef>) -> Done {
        if !self.passes_for_node(edge.src.node) || !self.passes_for_node(edge.tgt.node) {
            return Ok(Err(DebugPoint::NetworkConnectInvalidNodes));
        }
        match target_ports {
            Some(ports) if usize::from(edge.tgt.port) >= ports => {
                return Err(Crash::PortOutOfRange { port: edge.tgt, ports });
            }
            None if self.dialect == Dialect::Flo01 => return Err(Crash::EdgeOfMissingNode { node: edge.tgt.node }),
            _ => {}
        }
        let Some(source) = self.node_mut(edge.src.node) else {
            return Err(Crash::EdgeOfMissingNode { node: edge.src.node });
        };
        let ports = source.outs.len();
        let Some(out) = source.outs.get_mut(usize::from(edge.src.port)) else {
            return Err(Crash::PortOutOfRange { port: edge.src, ports });
        };
        out.subscribed &= target.is_some();
        out.target = target;
        Ok(Ok(()))
    }

    /// Queues a packet from the host.
    pub(super) fn send_to(&mut self, target: PortRef, packet: Packet) -> Result<(), DebugPoint> {
        if !self.passes_for_node(target.node) {
            return Err(DebugPoint::SendMessageInvalidNode);
        }
        self.queue.push(Queued { packet, route: Route::To(target) });
        Ok(())
    }

    /// Switches the reporting of an out port's packets.
    pub(super) fn subscribe(&mut self, port: PortRef, enable: bool) -> Result<(), DebugPoint> {
        let node = self.node_mut(port.node).ok_or(DebugPoint::SubscribePortInvalidNode)?;
        let out = node.outs.get_mut(usize::from(port.port)).ok_or(DebugPoint::SubscribePortInvalidPort)?;
        out.subscribed = enable;
        Ok(())
    }

    /// Asks for a port of a subgraph; no stock build has subgraphs.
    pub(super) fn connect_subgraph(&mut self, subgraph: u8, child: u8) -> Done {
        if !self.passes_for_node(subgraph) || !self.passes_for_node(child) {
            return Ok(Err(DebugPoint::SubGraphConnectInvalidNodes));
        }
        let both_exist = self.node(subgraph).is_some() && self.node(child).is_some();
        match self.dialect {
            Dialect::Microflo1 if both_exist => Ok(Err(DebugPoint::SubGraphConnectNotASubgraph)),
            _ => Err(Crash::NotASubgraph { node: subgraph }),
        }
    }

    /// The firmware's check of node ids, which lets the next free one and removed ones pass.
    fn passes_for_node(&self, node: u8) -> bool {
        (FIRST_NODE..=self.nodes.len()).contains(&usize::from(node))
    }

    fn node(&self, id: u8) -> Option<&Node> {
        self.nodes.get(usize::from(id))?.as_ref()
    }

    fn node_mut(&mut self, id: u8) -> Option<&mut Node> {
        self.nodes.get_mut(usize::from(id))?.as_mut()
    }
}
