//! Commands: host → board.

use crate::descriptor::{QUERY, Query};
use crate::dialect::{Dialect, Frame};
use crate::packet::Packet;
use crate::{Edge, PortRef};

/// What a host asks of a board. Payload bytes beyond a command's arguments are zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Command {
    /// Removes all nodes and edges (id 10). Does not stop a running network.
    ClearNodes,
    /// Adds a node (11); answered with its id.
    CreateComponent {
        /// Component id, from the component map.
        component: u8,
        /// The node that it is a child of; 0 for none.
        parent: u8,
    },
    /// Connects two ports (12). The numbers must be valid: firmware checks nothing.
    ConnectNodes(Edge),
    /// Sends a packet to an in port (13).
    SendPacket {
        /// The in port.
        target: PortRef,
        /// What to send.
        packet: Packet,
    },
    /// Closes the session (14); the board then waits for the magic.
    End,
    /// Sets how much the board reports (15): a [`crate::DebugLevel`] as a number.
    ConfigureDebug {
        /// The level.
        level: u8,
    },
    /// Asks for a `PacketSent` event for every packet that leaves an out port (16).
    SubscribeToPort {
        /// The out port.
        port: PortRef,
        /// On or off.
        enable: bool,
    },
    /// Exports a child's port on a subgraph (17).
    ConnectSubgraphPort {
        /// Out port if true.
        is_output: bool,
        /// The subgraph's port.
        subgraph: PortRef,
        /// The child's port.
        child: PortRef,
    },
    /// Asks for a `Pong` (18); the 10-byte dialect echoes the payload, the 8-byte dialect has 7 bytes of it.
    Ping([u8; 8]),
    /// Starts the network (20).
    StartNetwork,
    /// Sets an IO value (21); only simulators answer.
    SetIoValue([u8; 8]),
    /// Stops the network (22).
    StopNetwork,
    /// Removes an edge (23).
    DisconnectNodes(Edge),
    /// Removes a node (24). Its edges must have gone before.
    RemoveNode {
        /// The node.
        node: u8,
    },
    /// Asks whether the network runs (25); the 8-byte dialect does not know it.
    GetNetworkStatus,
    /// Asks a self-describing board about itself (68); for all others an unknown command.
    Describe(Query),
    /// Any other id, as it came: a board answers it with `ParserUnknownCommand`.
    Unknown {
        /// The command id.
        id: u8,
        /// The payload; the 8-byte dialect has 7 bytes of it.
        payload: [u8; 8],
    },
}

/// The id of [`Command::End`], which is also the byte that [`Dialect::resync_bytes`] counts.
pub const END: u8 = 14;

impl Command {
    /// The command id on the wire.
    pub const fn id(&self) -> u8 {
        match self {
            Command::ClearNodes => 10,
            Command::CreateComponent { .. } => 11,
            Command::ConnectNodes(_) => 12,
            Command::SendPacket { .. } => 13,
            Command::End => END,
            Command::ConfigureDebug { .. } => 15,
            Command::SubscribeToPort { .. } => 16,
            Command::ConnectSubgraphPort { .. } => 17,
            Command::Ping(_) => 18,
            Command::StartNetwork => 20,
            Command::SetIoValue(_) => 21,
            Command::StopNetwork => 22,
            Command::DisconnectNodes(_) => 23,
            Command::RemoveNode { .. } => 24,
            Command::GetNetworkStatus => 25,
            Command::Describe(_) => QUERY,
            Command::Unknown { id, .. } => *id,
        }
    }

    /// The frame on the wire; `request_id` is used by [`Dialect::Microflo1`] only.
    pub fn encode(&self, dialect: Dialect, request_id: u8) -> Frame {
        let frame = Frame::start(dialect, request_id, self.id());
        match *self {
            Command::CreateComponent { component, parent } => frame.with(dialect, &[component, parent]),
            Command::ConnectNodes(edge) | Command::DisconnectNodes(edge) => {
                frame.with(dialect, &[edge.src.node, edge.tgt.node, edge.src.port, edge.tgt.port])
            }
            Command::SendPacket { target, packet } => {
                let [a, b, c, d] = packet.data();
                frame.with(dialect, &[target.node, target.port, packet.kind(), a, b, c, d])
            }
            Command::ConfigureDebug { level } => frame.with(dialect, &[level]),
            Command::SubscribeToPort { port, enable } => frame.with(dialect, &[port.node, port.port, u8::from(enable)]),
            Command::ConnectSubgraphPort { is_output, subgraph, child } => {
                frame.with(dialect, &[u8::from(is_output), subgraph.node, subgraph.port, child.node, child.port])
            }
            Command::Ping(payload) | Command::SetIoValue(payload) | Command::Unknown { payload, .. } => {
                frame.with(dialect, &payload)
            }
            Command::RemoveNode { node } => frame.with(dialect, &[node]),
            Command::Describe(query) => frame.with(dialect, &query.payload()),
            Command::ClearNodes
            | Command::End
            | Command::StartNetwork
            | Command::StopNetwork
            | Command::GetNetworkStatus => frame,
        }
    }

    /// Reads a frame: its request id (0 where the dialect has none) and the command.
    ///
    /// Frames with bytes where the command has none are [`Command::Unknown`], so that every frame encodes back to itself.
    pub fn decode(dialect: Dialect, frame: &Frame) -> (u8, Command) {
        let (request_id, command) = Command::decode_leniently(dialect, frame);
        if command.encode(dialect, request_id) == *frame {
            return (request_id, command);
        }
        let (_, id, payload) = frame.split(dialect);
        (request_id, Command::Unknown { id, payload: padded(payload) })
    }

    /// Reads a frame as firmware does: bytes beyond a command's arguments are not looked at.
    pub fn decode_leniently(dialect: Dialect, frame: &Frame) -> (u8, Command) {
        let (request_id, id, payload) = frame.split(dialect);
        (request_id, Command::from_payload(id, padded(payload)))
    }

    fn from_payload(id: u8, p: [u8; 8]) -> Command {
        let edge = Edge { src: PortRef { node: p[0], port: p[2] }, tgt: PortRef { node: p[1], port: p[3] } };
        match id {
            10 => Command::ClearNodes,
            11 => Command::CreateComponent { component: p[0], parent: p[1] },
            12 => Command::ConnectNodes(edge),
            13 => Command::SendPacket {
                target: PortRef { node: p[0], port: p[1] },
                packet: Packet::from_wire(p[2], [p[3], p[4], p[5], p[6]]),
            },
            END => Command::End,
            15 => Command::ConfigureDebug { level: p[0] },
            16 => Command::SubscribeToPort { port: PortRef { node: p[0], port: p[1] }, enable: p[2] != 0 },
            17 => Command::ConnectSubgraphPort {
                is_output: p[0] != 0,
                subgraph: PortRef { node: p[1], port: p[2] },
                child: PortRef { node: p[3], port: p[4] },
            },
            18 => Command::Ping(p),
            20 => Command::StartNetwork,
            21 => Command::SetIoValue(p),
            22 => Command::StopNetwork,
            23 => Command::DisconnectNodes(edge),
            24 => Command::RemoveNode { node: p[0] },
            25 => Command::GetNetworkStatus,
            QUERY if let Some(query) = Query::from_payload(p) => Command::Describe(query),
            _ => Command::Unknown { id, payload: p },
        }
    }
}

fn padded(payload: &[u8]) -> [u8; 8] {
    let mut all = [0; 8];
    all[..payload.len()].copy_from_slice(payload);
    all
}
