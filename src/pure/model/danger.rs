//! What firmware would carry out although it kills or corrupts the board.

use firmware_proto::{DebugPoint, PortRef};

use super::library::Direction;

/// Why a command must not reach the board.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Danger {
    /// What is on the board is not known, so no number can be checked.
    #[error("what is on the board is not known; clear its graph and upload it again")]
    NotKnown,
    /// Firmware would follow a wild pointer.
    #[error("there is no node {node} on the board")]
    NoSuchNode {
        /// The number asked for.
        node: u8,
        /// What for.
        purpose: Purpose,
    },
    /// Firmware would write beyond the component's ports.
    #[error("node {} is a {component}, which has no {direction} port {}", port.node, port.port)]
    NoSuchPort {
        /// The numbers asked for.
        port: PortRef,
        /// Which side.
        direction: Direction,
        /// What the node is.
        component: String,
    },
    /// The next node would overwrite firmware memory.
    #[error("the board takes at most {0} nodes between two clears (removing one frees no place); clear the graph")]
    TooManyNodes(usize),
    /// The firmware's queue would wrap and lose packets.
    #[error("the board keeps at most {0} packets while its network is stopped; start the network, then send more")]
    QueueFull(usize),
    /// Firmware would deliver something else.
    #[error("firmware cannot carry packets of type {kind}; it would deliver an empty packet instead")]
    PacketType {
        /// The packet's type byte.
        kind: u8,
    },
    /// A packet would run into a node that is no more.
    #[error("node {node} still receives from out port {} of node {}; disconnect it first", src.port, src.node)]
    EdgeLeft {
        /// The node to be removed.
        node: u8,
        /// The out port that feeds it.
        src: PortRef,
    },
    /// Firmware would deliver a packet to or from a node that is no more.
    #[error(
        "packets of node {node} may still be on their way, and firmware crashes of them once it is removed; clear the graph"
    )]
    PacketsLeft {
        /// The node to be removed.
        node: u8,
    },
    /// A child would point to a parent that is no more.
    #[error("node {node} is the parent of node {child}; remove the child first")]
    ChildLeft {
        /// The node to be removed.
        node: u8,
        /// Its child.
        child: u8,
    },
    /// Firmware would take the node for a subgraph.
    #[error("node {node} is a {component}, not a subgraph")]
    NotASubgraph {
        /// The node.
        node: u8,
        /// What it is.
        component: String,
    },
    /// Firmware would connect a node that has no parent as if it had one.
    #[error("node {node} is not the child of a subgraph")]
    NotAChild {
        /// The node.
        node: u8,
    },
    /// The node would never be set up, and run on whatever its memory held.
    #[error("this firmware does not set up nodes that are added to a running network; stop the network first")]
    NoSetup,
    /// Firmware ignores the padding and would carry out what was not checked.
    #[error("command {id} has bytes where it takes no arguments")]
    Padding {
        /// The command id.
        id: u8,
    },
}

/// What a node is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// An end of an edge.
    Connect,
    /// To receive a packet.
    Send,
    /// To be watched.
    Subscribe,
    /// To be removed.
    Remove,
    /// As a parent.
    Parent,
    /// As part of a subgraph.
    Subgraph,
}

impl Danger {
    /// What the firmware itself would say where it checks.
    pub fn debug_point(&self) -> DebugPoint {
        match self {
            Danger::NoSuchNode { purpose: Purpose::Connect, .. } => DebugPoint::NetworkConnectInvalidNodes,
            Danger::NoSuchNode { purpose: Purpose::Send, .. } => DebugPoint::SendMessageInvalidNode,
            Danger::NoSuchNode { purpose: Purpose::Subscribe, .. } => DebugPoint::SubscribePortInvalidNode,
            Danger::NoSuchNode { purpose: Purpose::Remove, .. } => DebugPoint::RemoveNodeInvalidInstance,
            Danger::NoSuchNode { purpose: Purpose::Parent, .. } => DebugPoint::AddNodeInvalidParent,
            Danger::NoSuchNode { purpose: Purpose::Subgraph, .. } => DebugPoint::SubGraphConnectInvalidNodes,
            Danger::NoSuchPort { .. } => DebugPoint::ComponentSendInvalidPort,
            Danger::TooManyNodes(_) => DebugPoint::AddNodeInvalidInstance,
            Danger::PacketType { .. } => DebugPoint::ParserUnknownPacketType,
            Danger::ChildLeft { .. } => DebugPoint::RemoveNodeInvalidParent,
            Danger::NotASubgraph { .. } | Danger::NotAChild { .. } => DebugPoint::SubGraphConnectNotASubgraph,
            Danger::NotKnown
            | Danger::QueueFull(_)
            | Danger::EdgeLeft { .. }
            | Danger::PacketsLeft { .. }
            | Danger::NoSetup
            | Danger::Padding { .. } => DebugPoint::ParserInvalidCommand,
        }
    }
}
