//! The graph by its names: what clients see and edit.
//!
//! Nodes have a key that survives renaming. What is being sent to the board is already in here; whoever sends it takes
//! it back when the board does not carry it out.

use std::collections::{BTreeMap, HashMap};

use firmware_proto::{Packet, PortRef};
use serde_json::{Map, Value};

use super::library::Direction;

mod exports;
mod groups;

pub use exports::{Export, Exports};
pub use groups::{Group, Groups};

/// The graph's name until a client gives it one.
pub const DEFAULT_NAME: &str = "main";

/// Metadata of a node or an edge, as clients gave it.
pub type Metadata = Map<String, Value>;

/// Names a node for as long as it exists, in order of creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeKey(u32);

/// A named graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    name: String,
    title: Option<String>,
    nodes: BTreeMap<NodeKey, Node>,
    by_name: HashMap<String, NodeKey>,
    edges: Vec<Edge>,
    initials: Vec<Initial>,
    inports: Exports,
    outports: Exports,
    groups: Groups,
    next_key: u32,
    next_serial: u64,
    epoch: u32,
}

/// A node.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Component id.
    pub component: u8,
    /// What clients keep with it.
    pub metadata: Metadata,
    /// Its id on the board, once the board has said so.
    pub device: Option<u8>,
}

/// A node's port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Port {
    /// The node.
    pub node: NodeKey,
    /// Port id.
    pub port: u8,
}

/// An edge.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    /// The out port.
    pub src: Port,
    /// The in port.
    pub tgt: Port,
    /// What clients keep with it.
    pub metadata: Metadata,
}

/// An initial packet.
#[derive(Clone, Debug, PartialEq)]
pub struct Initial {
    /// Tells it from others on the same port.
    pub serial: u64,
    /// The in port.
    pub tgt: Port,
    /// The value, as the client gave it.
    pub data: Value,
    /// What clients keep with it.
    pub metadata: Metadata,
    /// The value as it goes to the board.
    pub packets: Vec<Packet>,
    /// Whether the board has consumed it: the next start has to send it again.
    pub consumed: bool,
}

/// A node that was removed, and what went with it, but for its edges.
#[derive(Clone, Debug, PartialEq)]
pub struct TakenNode {
    key: NodeKey,
    node: Node,
    initials: Vec<Initial>,
    exports: [Vec<Export>; 2],
    groups: Vec<String>,
}

impl Default for Graph {
    fn default() -> Self {
        Graph {
            name: DEFAULT_NAME.to_owned(),
            title: None,
            nodes: BTreeMap::new(),
            by_name: HashMap::new(),
            edges: Vec::new(),
            initials: Vec::new(),
            inports: Exports::default(),
            outports: Exports::default(),
            groups: Groups::default(),
            next_key: 1,
            next_serial: 1,
            epoch: 0,
        }
    }
}

impl Graph {
    /// Its name, by which messages refer to it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Gives it another name.
    pub fn rename(&mut self, name: String) {
        self.name = name;
    }

    /// Whether it has no nodes.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Its title, for people.
    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// Changes whenever everything before became void.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Starts an empty graph of that name.
    pub fn clear(&mut self, name: String, title: Option<String>) {
        let (next_key, next_serial, epoch) = (self.next_key, self.next_serial, self.epoch + 1);
        *self = Graph { name, title, next_key, next_serial, epoch, ..Graph::default() };
    }

    /// Forgets all that the board has; nodes that are being created stay, as they come after the clear.
    pub fn forget_created(&mut self) {
        let gone: Vec<NodeKey> = self.nodes().filter(|(_, node)| node.device.is_some()).map(|(key, _)| key).collect();
        for key in gone {
            self.remove_node(key);
        }
        self.epoch += 1;
    }

    /// The board was cleared: no node has an id there.
    pub fn forget_devices(&mut self) {
        self.nodes.values_mut().for_each(|node| node.device = None);
    }

    /// The board has these ids for the nodes, in their order.
    pub fn set_devices(&mut self, ids: impl Iterator<Item = u8>) {
        self.nodes.values_mut().zip(ids).for_each(|(node, id)| node.device = Some(id));
    }

    /// Puts another graph in place of this one.
    pub fn replace(&mut self, other: Graph) {
        *self = Graph { epoch: self.epoch + 1, ..other };
    }

    /// Takes the names, metadata, exported ports and groups of a graph that has the same nodes and edges.
    pub fn take_names(&mut self, other: &Graph) {
        let initials = std::mem::take(&mut self.initials);
        let keys: HashMap<NodeKey, NodeKey> = self.nodes.keys().copied().zip(other.nodes.keys().copied()).collect();
        let there = |port: Port| Some(Port { node: *keys.get(&port.node)?, ..port });
        let initials = initials.into_iter().filter_map(|it| Some(Initial { tgt: there(it.tgt)?, ..it })).collect();
        *self = Graph { initials, ..other.clone() };
    }

    /// The nodes, in order of creation.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeKey, &Node)> {
        self.nodes.iter().map(|(key, node)| (*key, node))
    }

    /// The edges, in order of creation.
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// The initial packets, in order of creation.
    pub fn initials(&self) -> &[Initial] {
        &self.initials
    }

    /// The node of that key, while it exists.
    pub fn node(&self, key: NodeKey) -> Option<&Node> {
        self.nodes.get(&key)
    }

    /// The node of that key, to change its metadata.
    pub fn node_mut(&mut self, key: NodeKey) -> Option<&mut Node> {
        self.nodes.get_mut(&key)
    }

    /// The node of that name.
    pub fn find(&self, name: &str) -> Option<NodeKey> {
        self.by_name.get(name).copied()
    }

    /// The node of that id on the board.
    pub fn find_device(&self, device: u8) -> Option<NodeKey> {
        self.nodes().find(|(_, node)| node.device == Some(device)).map(|(key, _)| key)
    }

    /// A port in the board's numbers, once its node has one.
    pub fn port_ref(&self, port: Port) -> Option<PortRef> {
        Some(PortRef { node: self.node(port.node)?.device?, port: port.port })
    }

    /// A port of the board's in the graph's terms.
    pub fn port(&self, port: PortRef) -> Option<Port> {
        Some(Port { node: self.find_device(port.node)?, port: port.port })
    }

    /// Adds a node; a name that is taken gets a number behind it.
    pub fn add_node(&mut self, node: Node) -> NodeKey {
        let key = NodeKey(self.next_key);
        self.next_key += 1;
        self.insert(key, node);
        key
    }

    fn insert(&mut self, key: NodeKey, mut node: Node) {
        let wanted = node.name.clone();
        let mut number = 2;
        while self.by_name.contains_key(&node.name) {
            node.name = format!("{wanted}_{number}");
            number += 1;
        }
        self.by_name.insert(node.name.clone(), key);
        self.nodes.insert(key, node);
    }

    /// Notes a node's id on the board.
    pub fn set_device(&mut self, key: NodeKey, device: u8) {
        if let Some(node) = self.nodes.get_mut(&key) {
            node.device = Some(device);
        }
    }

    /// Gives a node another name, which must be free. `false` if it is not, or the node does not exist.
    pub fn rename_node(&mut self, key: NodeKey, name: &str) -> bool {
        let Some(node) = self.nodes.get_mut(&key).filter(|_| !self.by_name.contains_key(name)) else { return false };
        self.by_name.remove(&node.name);
        node.name = name.to_owned();
        self.by_name.insert(name.to_owned(), key);
        true
    }

    /// Removes a node, its edges, initial packets and exported ports.
    pub fn remove_node(&mut self, key: NodeKey) -> Option<Node> {
        self.take_node(key).map(|taken| taken.node)
    }

    /// The same, with what [`put_back`](Self::put_back) needs.
    pub fn take_node(&mut self, key: NodeKey) -> Option<TakenNode> {
        let node = self.nodes.remove(&key)?;
        self.by_name.remove(&node.name);
        self.edges.retain(|edge| edge.src.node != key && edge.tgt.node != key);
        let initials = self.initials.extract_if(.., |initial| initial.tgt.node == key).collect();
        let exports = [self.inports.take_node(key), self.outports.take_node(key)];
        Some(TakenNode { key, node, initials, exports, groups: self.groups.take_node(key) })
    }

    /// Takes a removal back, but for the edges. A name that is taken meanwhile gets a number behind it.
    pub fn put_back(&mut self, taken: TakenNode) {
        let TakenNode { key, node, initials, exports: [ins, outs], groups } = taken;
        self.insert(key, node);
        self.initials.extend(initials);
        ins.into_iter().for_each(|export| _ = self.inports.add(export));
        outs.into_iter().for_each(|export| _ = self.outports.add(export));
        self.groups.put_back(key, &groups);
    }

    /// The exported ports of one side.
    pub fn exports(&self, direction: Direction) -> &Exports {
        match direction {
            Direction::In => &self.inports,
            Direction::Out => &self.outports,
        }
    }

    /// The exported ports of one side, to change them.
    pub fn exports_mut(&mut self, direction: Direction) -> &mut Exports {
        match direction {
            Direction::In => &mut self.inports,
            Direction::Out => &mut self.outports,
        }
    }

    /// Whether a node has an exported port.
    pub fn is_exported(&self, key: NodeKey) -> bool {
        self.inports.iter().chain(self.outports.iter()).any(|export| export.port.node == key)
    }

    /// The groups.
    pub fn groups(&self) -> &Groups {
        &self.groups
    }

    /// The groups, to change them.
    pub fn groups_mut(&mut self) -> &mut Groups {
        &mut self.groups
    }

    /// The edge that leaves an out port: there is at most one.
    pub fn edge_from(&self, src: Port) -> Option<&Edge> {
        self.edges.iter().find(|edge| edge.src == src)
    }

    /// The edge between two ports, to change its metadata.
    pub fn edge_mut(&mut self, src: Port, tgt: Port) -> Option<&mut Edge> {
        self.edges.iter_mut().find(|edge| edge.src == src && edge.tgt == tgt)
    }

    /// The edges that begin or end at a node.
    pub fn edges_of(&self, key: NodeKey) -> impl Iterator<Item = &Edge> {
        self.edges.iter().filter(move |edge| edge.src.node == key || edge.tgt.node == key)
    }

    /// Adds an edge in place of the one that left that out port, which is returned.
    /// Without its nodes it is not added.
    pub fn add_edge(&mut self, edge: Edge) -> Option<Edge> {
        if !self.nodes.contains_key(&edge.src.node) || !self.nodes.contains_key(&edge.tgt.node) {
            return None;
        }
        let replaced = self.remove_edge(edge.src);
        self.edges.push(edge);
        replaced
    }

    /// Removes the edge that leaves an out port.
    pub fn remove_edge(&mut self, src: Port) -> Option<Edge> {
        let at = self.edges.iter().position(|edge| edge.src == src)?;
        Some(self.edges.remove(at))
    }

    /// Adds an initial packet and returns its serial.
    pub fn add_initial(
        &mut self,
        tgt: Port,
        data: Value,
        metadata: Metadata,
        packets: Vec<Packet>,
        consumed: bool,
    ) -> u64 {
        let serial = self.next_serial;
        self.next_serial += 1;
        self.initials.push(Initial { serial, tgt, data, metadata, packets, consumed });
        serial
    }

    /// Removes an initial packet.
    pub fn remove_initial(&mut self, serial: u64) -> Option<Initial> {
        let at = self.initials.iter().position(|initial| initial.serial == serial)?;
        Some(self.initials.remove(at))
    }

    /// Forgets the initial packets.
    pub fn forget_initials(&mut self) {
        self.initials.clear();
    }

    /// Notes that the board has consumed every initial packet but those, by their place.
    pub fn consume_initials_but(&mut self, waiting: &[usize]) {
        for (place, initial) in self.initials.iter_mut().enumerate() {
            initial.consumed = !waiting.contains(&place);
        }
    }

    /// Notes that a start made the board consume every initial packet that waited on it.
    pub fn consume_initials(&mut self) {
        for initial in &mut self.initials {
            initial.consumed = true;
        }
    }
}
