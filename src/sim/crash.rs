//! What makes firmware read or write memory that it does not own.

use firmware_proto::{Edge, PortRef};

/// Why the simulated board fell silent: a real one would have crashed, or gone on with damaged memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Crash {
    /// An edge was made or removed whose source (in the 8-byte dialect also whose target) is no node.
    #[error("node {node} does not exist, but an edge was asked for or removed there")]
    EdgeOfMissingNode {
        /// The missing node.
        node: u8,
    },
    /// An edge uses a port that the node's component does not have.
    #[error("node {} has {ports} such ports, but an edge uses number {}", port.node, port.port)]
    PortOutOfRange {
        /// The port asked for.
        port: PortRef,
        /// How many the component has in that direction.
        ports: usize,
    },
    /// One node more than the firmware has room for.
    #[error("the firmware has room for {} nodes; one more overwrites its memory", limit - 1)]
    TooManyNodes {
        /// The build's limit, of which one is reserved.
        limit: usize,
    },
    /// A packet was sent to a node that does not exist.
    #[error("a packet was sent to node {}, which does not exist", target.node)]
    PacketToMissingNode {
        /// Where it was to go.
        target: PortRef,
    },
    /// A packet ran into an edge whose target was removed.
    #[error("a packet ran into the edge to node {}, which was removed; edges have to be removed first", edge.tgt.node)]
    DanglingEdge {
        /// The edge.
        edge: Edge,
    },
    /// A node was removed while a packet of its was still queued.
    #[error("node {} was removed while a packet from it was queued", src.node)]
    PacketFromMissingNode {
        /// Where it came from.
        src: PortRef,
    },
    /// A component sent on a port that it does not have: a packet was sent to a port number that it took for an output.
    #[error("node {} sent on port {}, which it does not have", src.node, src.port)]
    NoSuchOutPort {
        /// The port.
        src: PortRef,
    },
    /// A node that is no subgraph was used as one.
    #[error("node {node} is no subgraph, but was used as one")]
    NotASubgraph {
        /// The node.
        node: u8,
    },
}
