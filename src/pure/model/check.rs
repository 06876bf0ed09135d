//! What must not reach a board.

use firmware_proto::{Command, Packet, PortRef};

use super::danger::{Danger, Purpose};
use super::device::{Device, Node};
use super::library::{Direction, Library};

/// Command ids that firmware carries out whatever the padding holds.
const KNOWN_COMMANDS: std::ops::RangeInclusive<u8> = 10..=25;

/// The component that may have children.
const SUBGRAPH: &str = "SubGraph";

impl Device {
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
            | Command::GetNetworkStatus
            | Command::Describe(_) => Ok(()),
            Command::Unknown { id, .. } if KNOWN_COMMANDS.contains(&id) => Err(Danger::Padding { id }),
            Command::Unknown { .. } => Ok(()),
            _ if !self.is_known() => Err(Danger::NotKnown),
            Command::CreateComponent { parent, .. } => self.check_create(parent, library),
            Command::ConnectNodes(edge) | Command::DisconnectNodes(edge) => {
                self.check_port(edge.src, Direction::Out, Purpose::Connect, library)?;
                self.check_port(edge.tgt, Direction::In, Purpose::Connect, library)
            }
            Command::SendPacket { target, packet } => {
                self.check_port(target, Direction::In, Purpose::Send, library)?;
                check_packet(packet)?;
                if self.queue_room() == 0 { Err(Danger::QueueFull(self.limits().packets)) } else { Ok(()) }
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
        let limit = self.limits().nodes;
        if self.ids_taken() >= limit {
            return Err(Danger::TooManyNodes(limit));
        }
        if self.skips_setup() { Err(Danger::NoSetup) } else { Ok(()) }
    }

    fn check_remove(&self, node: u8) -> Result<(), Danger> {
        self.node(node, Purpose::Remove)?;
        if let Some((src, _)) = self.edges().iter().find(|(_, tgt)| tgt.node == node) {
            return Err(Danger::EdgeLeft { node, src: *src });
        }
        match self.nodes().iter().find(|(_, other)| other.parent == node) {
            Some((child, _)) => Err(Danger::ChildLeft { node, child: *child }),
            None if self.may_hold_packets_of(node) => Err(Danger::PacketsLeft { node }),
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
        self.nodes().get(&node).copied().ok_or(Danger::NoSuchNode { node, purpose })
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
