//! Messages: board → host, responses and events.

use crate::debug::DebugPoint;
use crate::descriptor::Reply;
use crate::descriptor::exchange::{IDENTITY, WRITTEN};
use crate::dialect::{Dialect, Frame};
use crate::packet::Packet;
use crate::{Edge, PortRef};

/// A frame from a board.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Message {
    /// The id of the request that it answers; 0 for events and throughout the 8-byte dialect.
    pub request_id: u8,
    /// What it says.
    pub body: Body,
}

/// A response or an event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Body {
    /// Answers a command (or, after a reset, a command of the board's embedded graph).
    Response(Response),
    /// Sent unasked.
    Event(Event),
}

/// What a board answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response {
    /// The magic was understood (19).
    CommunicationOpen,
    /// Answers `StopNetwork` (100).
    NetworkStopped,
    /// Answers `CreateComponent` (101).
    NodeAdded {
        /// Component id, echoed.
        component: u8,
        /// The new node's id.
        node: u8,
        /// The parent, echoed.
        parent: u8,
    },
    /// Answers `ConnectNodes` (102).
    NodesConnected(Edge),
    /// Answers `StartNetwork` (104).
    NetworkStarted,
    /// Answers `ConfigureDebug` (105).
    DebugChanged {
        /// The level, echoed.
        level: u8,
    },
    /// Answers `SubscribeToPort` (107).
    PortSubscriptionChanged {
        /// The out port, echoed.
        port: PortRef,
        /// On or off, echoed.
        enabled: bool,
    },
    /// Answers `ConnectSubgraphPort` (108).
    SubgraphPortConnected([u8; 8]),
    /// Answers `Ping` (109). The 8-byte dialect does not echo the payload.
    Pong([u8; 8]),
    /// The command failed (110); 10-byte dialect only.
    Error(DebugPoint),
    /// Answers `End` (111).
    TransmissionEnded,
    /// Answers `SetIoValue` on simulators (112).
    SetIoValueCompleted([u8; 8]),
    /// Answers `SendPacket` (114): the packet was queued.
    SendPacketDone {
        /// The in port, echoed.
        target: PortRef,
        /// The packet type, echoed (or `Void` where the firmware could not carry it).
        kind: u8,
    },
    /// Answers `ClearNodes` (115).
    NodesCleared,
    /// Answers `DisconnectNodes` (116).
    NodesDisconnected(Edge),
    /// Answers `RemoveNode` (117).
    NodeRemoved {
        /// The node, echoed.
        node: u8,
    },
    /// Answers `GetNetworkStatus` (118).
    NetworkStatus {
        /// Whether the network runs.
        running: bool,
    },
    /// Answers `Describe` on self-describing boards (196 to 199).
    Describe(Reply),
}

/// What a board sends unasked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    /// A packet left a subscribed out port (103).
    PacketSent {
        /// The out port.
        src: PortRef,
        /// Where it went, as far as the dialect says.
        target: PacketTarget,
        /// The packet, as far as the dialect carries it.
        packet: Packet,
    },
    /// Something happened in the firmware (106).
    Debug {
        /// A [`crate::DebugLevel`] as a number.
        level: u8,
        /// Where.
        point: DebugPoint,
    },
    /// An IO value changed (113).
    IoValueChanged([u8; 8]),
}

/// Where a reported packet went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PacketTarget {
    /// To this in port (8-byte dialect; an unconnected port names its own node).
    Port(PortRef),
    /// Somewhere (`true`) or nowhere (`false`): the 10-byte dialect says no more.
    Connected(bool),
}

const COMMUNICATION_OPEN: u8 = 19;

impl Message {
    /// The frame on the wire.
    pub fn encode(&self, dialect: Dialect) -> Frame {
        let frame = |id: u8, payload: &[u8]| Frame::start(dialect, self.request_id, id).with(dialect, payload);
        let edge = |e: Edge| [e.src.node, e.src.port, e.tgt.node, e.tgt.port];
        match self.body {
            Body::Response(response) => match response {
                Response::CommunicationOpen => frame(COMMUNICATION_OPEN, &[]),
                Response::NetworkStopped => frame(100, &[]),
                Response::NodeAdded { component, node, parent } => frame(101, &[component, node, parent]),
                Response::NodesConnected(e) => frame(102, &edge(e)),
                Response::NetworkStarted => frame(104, &[]),
                Response::DebugChanged { level } => frame(105, &[level]),
                Response::PortSubscriptionChanged { port, enabled } => {
                    frame(107, &[port.node, port.port, u8::from(enabled)])
                }
                Response::SubgraphPortConnected(payload) => frame(108, &payload),
                Response::Pong(payload) => frame(109, &payload),
                Response::Error(point) => frame(110, &[point.0]),
                Response::TransmissionEnded => frame(111, &[]),
                Response::SetIoValueCompleted(payload) => frame(112, &payload),
                Response::SendPacketDone { target, kind } => frame(114, &[target.node, target.port, kind]),
                Response::NodesCleared => frame(115, &[]),
                Response::NodesDisconnected(e) => frame(116, &edge(e)),
                Response::NodeRemoved { node } => frame(117, &[node]),
                Response::NetworkStatus { running } => frame(118, &[u8::from(running)]),
                Response::Describe(reply) => frame(reply.id(), &reply.payload()),
            },
            Body::Event(event) => match event {
                Event::PacketSent { src, target, packet } => {
                    let (kind, d) = (packet.kind(), packet.data());
                    match (dialect, target) {
                        (Dialect::Flo01, target) => {
                            let tgt = match target {
                                PacketTarget::Port(port) => port,
                                PacketTarget::Connected(_) => PortRef { node: src.node, port: 0 },
                            };
                            frame(103, &[src.node, src.port, tgt.node, tgt.port, kind, d[0], d[1]])
                        }
                        (Dialect::Microflo1, target) => {
                            let has_target = match target {
                                PacketTarget::Connected(connected) => connected,
                                PacketTarget::Port(port) => port.node != src.node,
                            };
                            frame(103, &[src.node, src.port, u8::from(has_target), kind, d[0], d[1], d[2], d[3]])
                        }
                    }
                }
                Event::Debug { level, point } => frame(106, &[level, point.0]),
                Event::IoValueChanged(payload) => frame(113, &payload),
            },
        }
    }

    /// Reads a frame strictly: `None` unless it is exactly what firmware can have sent (known id, zero padding, booleans 0 or 1).
    ///
    /// Strictness is what finds lost bytes: a board that lost count, or a frame with a hole, rarely passes.
    pub fn decode(dialect: Dialect, frame: &Frame) -> Option<Message> {
        let (request_id, id, payload) = frame.split(dialect);
        let mut p = [0; 8];
        p[..payload.len()].copy_from_slice(payload);
        let message = Message { request_id, body: Body::from_payload(dialect, id, p)? };
        let exact = message.encode(dialect) == *frame;
        let event_is_unasked = !matches!(message.body, Body::Event(_)) || request_id == 0;
        (exact && event_is_unasked).then_some(message)
    }
}

impl Body {
    /// Whether a board sends frames with that id.
    pub(crate) const fn has_id(id: u8) -> bool {
        matches!(id, COMMUNICATION_OPEN | 100..=118 | IDENTITY..=WRITTEN)
    }

    fn from_payload(dialect: Dialect, id: u8, p: [u8; 8]) -> Option<Body> {
        let port = |at: usize| PortRef { node: p[at], port: p[at + 1] };
        let edge = Edge { src: port(0), tgt: port(2) };
        let response = match id {
            COMMUNICATION_OPEN => Response::CommunicationOpen,
            100 => Response::NetworkStopped,
            101 => Response::NodeAdded { component: p[0], node: p[1], parent: p[2] },
            102 => Response::NodesConnected(edge),
            104 => Response::NetworkStarted,
            105 => Response::DebugChanged { level: p[0] },
            107 => Response::PortSubscriptionChanged { port: port(0), enabled: p[2] != 0 },
            108 => Response::SubgraphPortConnected(p),
            109 => Response::Pong(p),
            110 => Response::Error(DebugPoint(p[0])),
            111 => Response::TransmissionEnded,
            112 => Response::SetIoValueCompleted(p),
            114 => Response::SendPacketDone { target: port(0), kind: p[2] },
            115 => Response::NodesCleared,
            116 => Response::NodesDisconnected(edge),
            117 => Response::NodeRemoved { node: p[0] },
            118 => Response::NetworkStatus { running: p[0] != 0 },
            103 | 106 | 113 => return Some(Body::Event(Event::from_payload(dialect, id, p))),
            _ => Response::Describe(Reply::from_payload(id, p)?),
        };
        Some(Body::Response(response))
    }
}

impl Event {
    fn from_payload(dialect: Dialect, id: u8, p: [u8; 8]) -> Event {
        let port = |at: usize| PortRef { node: p[at], port: p[at + 1] };
        match (id, dialect) {
            (103, Dialect::Flo01) => Event::PacketSent {
                src: port(0),
                target: PacketTarget::Port(port(2)),
                packet: Packet::from_event(dialect, p[4], &p[5..7]),
            },
            (103, Dialect::Microflo1) => Event::PacketSent {
                src: port(0),
                target: PacketTarget::Connected(p[2] != 0),
                packet: Packet::from_event(dialect, p[3], &p[4..8]),
            },
            (106, _) => Event::Debug { level: p[0], point: DebugPoint(p[1]) },
            _ => Event::IoValueChanged(p),
        }
    }
}
