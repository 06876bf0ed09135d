//! Exported ports: the graph as a component of another network. `runtime:packet` goes in and comes out there.

use std::sync::Arc;

use firmware_proto::{Command, Packet};
use serde_json::{Map, Value, json};

use super::message::{Incoming, PortName, outgoing};
use super::network::subscribe;
use super::op::{Action, PortPacket, Step, Then, Turn, go};
use super::permission::Permission;
use super::refusal::{EXPORTS, Refusal};
use super::trace::Trace;
use super::value::to_packets;
use super::{Runtime, naming};
use crate::pure::model::danger::Danger;
use crate::pure::model::graph::Export;
use crate::pure::model::library::Direction;

/// Reads `runtime:packet`.
pub(super) fn parse_packet(message: &Incoming) -> Result<(Action, Value), Refusal> {
    let read = || -> Result<(Action, Value), String> {
        let port = message.name("port")?;
        let packet = match message.name("event")?.as_str() {
            "data" => PortPacket::Data(message.payload.get("payload").cloned().unwrap_or_default()),
            "begingroup" => PortPacket::BeginGroup,
            "endgroup" => PortPacket::EndGroup,
            "connect" | "disconnect" => PortPacket::Nothing,
            other => {
                return Err(format!(
                    "`event` is `{other}`; it must be connect, begingroup, data, endgroup or disconnect"
                ));
            }
        };
        Ok((Action::Packet { port, packet }, Value::Object(message.payload.clone())))
    };
    read().map_err(Refusal::Malformed)
}

impl Runtime {
    pub(super) fn plan_add_port(
        &mut self,
        direction: Direction,
        public: &str,
        inner: &PortName,
        metadata: &Map<String, Value>,
    ) -> Result<Turn, Refusal> {
        let port = self.port_named(inner, direction)?;
        let exports = self.graph.exports(direction);
        if exports.find(public).is_some() {
            return Err(Refusal::ExportExists { direction, port: public.to_owned() });
        }
        if exports.len() >= EXPORTS {
            return Err(Refusal::TooManyExports { direction });
        }
        let Some(device) = self.graph.port_ref(port) else { return Ok(Turn::Wait) };
        self.graph.exports_mut(direction).add(Export { public: public.to_owned(), port, metadata: metadata.clone() });
        self.exports_changed();
        if direction == Direction::In || self.device.subscriptions().contains(&device) {
            return Ok(Turn::Done);
        }
        Ok(go(vec![Step::may(subscribe(device, true))], Then::Done))
    }

    pub(super) fn plan_remove_port(&mut self, direction: Direction, public: &str) -> Result<Turn, Refusal> {
        let removed = self.graph.exports_mut(direction).remove(public);
        let port = removed.ok_or_else(|| self.no_export(direction, public))?.port;
        self.exports_changed();
        let device = self.graph.port_ref(port).filter(|device| self.device.subscriptions().contains(device));
        match device {
            Some(device) if direction == Direction::Out && !self.is_wanted(port) => {
                Ok(go(vec![Step::may(subscribe(device, false))], Then::Done))
            }
            _ => Ok(Turn::Done),
        }
    }

    pub(super) fn rename_port(&mut self, direction: Direction, from: &str, to: &str) -> Result<Turn, Refusal> {
        if self.graph.exports(direction).find(from).is_none() {
            return Err(self.no_export(direction, from));
        }
        if !self.graph.exports_mut(direction).rename(from, to) {
            return Err(Refusal::ExportExists { direction, port: to.to_owned() });
        }
        self.exports_changed();
        Ok(Turn::Done)
    }

    fn no_export(&self, direction: Direction, port: &str) -> Refusal {
        let known: Vec<&str> = self.graph.exports(direction).iter().map(|export| export.public.as_str()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Refusal::NoExport { direction, port: port.to_owned(), known }
    }

    /// A packet for an exported in port.
    pub(super) fn plan_packet(&mut self, public: &str, packet: &PortPacket) -> Result<Turn, Refusal> {
        let export = self.graph.exports(Direction::In).find(public);
        let port = export.ok_or_else(|| self.no_export(Direction::In, public))?.port;
        let inner = naming::port(&self.graph, self.library.as_ref(), port, Direction::In);
        let packets = match packet {
            PortPacket::Nothing => return Ok(Turn::Done),
            PortPacket::BeginGroup => vec![Packet::BracketStart],
            PortPacket::EndGroup => vec![Packet::BracketEnd],
            PortPacket::Data(data) => to_packets(data, naming::kind(&self.graph, self.library.as_ref(), port))
                .map_err(|error| {
                    let (node, port) = (inner.node.clone(), inner.port.clone());
                    Refusal::Value { node, port, error }
                })?,
        };
        let Some(target) = self.graph.port_ref(port) else { return Ok(Turn::Wait) };
        if self.device.is_settling() {
            return Ok(Turn::Wait);
        }
        if packets.len() > self.device.queue_room() {
            let what = format!("the packet for exported port {public}");
            return Err(Refusal::Danger { what, danger: Danger::QueueFull(self.device.limits().packets) });
        }
        self.note_width(port, &packets);
        let steps = packets.iter().map(|packet| Step::must(Command::SendPacket { target, packet: *packet })).collect();
        Ok(go(steps, Then::Done))
    }

    pub(super) fn has_exports(&self) -> bool {
        Direction::BOTH.into_iter().any(|direction| !self.graph.exports(direction).is_empty())
    }

    /// Another graph follows: what belongs to this one is forgotten.
    pub(super) fn leave_graph(&mut self) {
        self.forget_selections();
        self.wide.clear();
        self.watched = false;
        self.trace = Trace::default();
        self.ports_changed |= self.has_exports();
    }

    pub(super) fn exports_changed(&mut self) {
        self.ports_changed = true;
        self.watches.clear();
    }

    /// Tells whoever may use them which ports are exported, if that has changed.
    pub(super) fn tell_ports(&mut self) {
        // Nobody has heard yet of a graph that is being built.
        if self.barrier.is_some() || !std::mem::take(&mut self.ports_changed) || self.library.is_none() {
            return;
        }
        let ports = self.ports_message();
        if *ports != *self.ports_told {
            self.ports_told = ports.to_string();
            self.tell_except(None, Permission::Full, &ports);
        }
    }

    /// `runtime:ports`.
    pub(super) fn ports_message(&self) -> Arc<str> {
        let list = |direction| -> Value {
            self.graph.exports(direction).iter().map(|it| self.port_entry(it, direction)).collect()
        };
        let (ins, outs) = (list(Direction::In), list(Direction::Out));
        outgoing("runtime", "ports", &json!({ "graph": self.graph.name(), "inPorts": ins, "outPorts": outs }), None)
    }

    fn port_entry(&self, export: &Export, direction: Direction) -> Value {
        let component = self.graph.node(export.port.node).and_then(|node| self.library.as_ref()?.by_id(node.component));
        let known = component.and_then(|component| component.port_by_id(direction, export.port.port));
        let (kind, description) = known.map_or(("all", ""), |known| (known.kind.as_str(), known.description.as_str()));
        json!({ "id": export.public, "type": kind, "description": description, "addressable": false, "required": false })
    }
}
