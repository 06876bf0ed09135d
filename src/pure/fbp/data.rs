//! `network:data`: what flows, as far as the board reports it, and remarks.

use firmware_proto::{Event, Packet, PortRef};
use serde_json::{Value, json};

use super::client::ClientId;
use super::message::{outgoing, outgoing_raw, quoted};
use super::op::{Action, Op, Then};
use super::permission::Permission;
use super::value::Collector;
use super::{Output, Runtime, naming};
use crate::pure::model::graph::{Export, Initial, NodeKey, Port};
use crate::pure::model::library::Direction;

/// An out port that is watched, and the group that is being collected there.
#[derive(Debug)]
pub(super) struct Watch {
    port: Port,
    /// `network:data` of its edge up to the data.
    edge: Option<String>,
    /// `runtime:packet` of each exported port up to the data.
    exports: Vec<String>,
    collector: Collector,
}

impl Runtime {
    /// What follows a confirmed operation: initial packets at a start, remarks.
    pub(super) fn after(&mut self, op: &Op, then: &Then, now: u64) {
        match then {
            Then::Upload { purpose, start, .. } => {
                self.tell_whole_graph();
                self.ports_changed |= self.has_exports();
                self.tell_running(now);
                self.uploaded(*purpose, Ok(()));
                self.tell_initials(now, |_| *start);
            }
            Then::Start => {
                if std::mem::take(&mut self.past.unknown_initials) {
                    let remark = format!(
                        "board {} has set its nodes up again; the initial packets of its embedded graph, which the bridge cannot \
                         read, have no effect any more until it is reset: add them again where they are needed",
                        self.identity.label
                    );
                    self.remark(&remark);
                }
                self.tell_initials(now, |_| true);
            }
            Then::AddInitial { serial } => self.tell_initials(now, |it| it.consumed && it.serial == *serial),
            Then::Rebuild { running, .. } => {
                let why = match &op.action {
                    Action::RemoveNode { name } => {
                        format!("without node {name}, as firmware crashes of packets of a removed node")
                    }
                    Action::AddNode { name, .. } => {
                        format!("with node {name}, as removed nodes had held their places on it")
                    }
                    _ => return,
                };
                let remark = format!(
                    "the graph of board {} was built anew {why}; its nodes begin afresh with their initial packets",
                    self.identity.label
                );
                self.remark(&remark);
                self.tell_initials(now, |_| *running);
            }
            Then::AddNode { restarted: true, .. } => {
                let Action::AddNode { name, .. } = &op.action else { return };
                let remark = format!(
                    "the network of board {} was restarted to set up node {name}, as its firmware sets nodes up only at a start; \
                     initial packets were sent again",
                    self.identity.label
                );
                self.remark(&remark);
                self.tell_initials(now, |_| true);
            }
            _ => {}
        }
    }

    /// Something that everybody should know and that answers nothing.
    pub(super) fn remark(&mut self, text: &str) {
        self.output.push_back(Output::Log(text.to_owned()));
        if self.library.is_some() {
            let text = outgoing("network", "output", &json!({ "message": text, "type": "message" }), None);
            self.tell(&text);
        }
    }

    fn tell_initials(&mut self, now: u64, which: impl Fn(&Initial) -> bool) {
        let payloads = self.graph.initials().iter().filter(|initial| which(initial)).map(|initial| {
            let tgt = naming::port(&self.graph, self.library.as_ref(), initial.tgt, Direction::In);
            let id = naming::initial_id(&tgt);
            json!({ "id": id, "graph": self.graph.name(), "tgt": tgt.json(), "data": initial.data })
        });
        let payloads: Vec<Value> = payloads.collect();
        if self.trace.is_on() {
            payloads.iter().for_each(|payload| self.trace.keep("data", &payload.to_string(), now));
        }
        let watching: Vec<ClientId> =
            self.readers().filter(|(_, it)| it.selection.is_none()).map(|(id, _)| id).collect();
        for payload in payloads {
            let text = outgoing("network", "data", &payload, None);
            self.output.extend(watching.iter().map(|to| Output::Send { to: *to, text: text.clone() }));
        }
    }

    /// Takes an event of the board's: packets on watched edges become `network:data`, those from exported ports `runtime:packet`.
    pub fn handle_event(&mut self, event: &Event, now: u64) {
        let Event::PacketSent { src, packet, .. } = event else { return };
        if !self.has_audience() && !self.trace.is_on() {
            // Nobody sees a group begin: do not show them its end.
            self.watches.clear();
            return;
        }
        if !self.watches.contains_key(src) {
            let Some(watch) = self.watch(*src) else { return };
            self.watches.insert(*src, watch);
        }
        let Some(watch) = self.watches.get_mut(src) else { return };
        let Some(data) = watch.collector.take(*packet).map(|data| data.to_string()) else { return };
        if let Some(head) = &watch.edge {
            let payload = format!("{head}{data}}}");
            if self.trace.is_on() {
                self.trace.keep("data", &payload, now);
            }
            let text = outgoing_raw("network", "data", &payload, None);
            let port = watch.port;
            let watching = self.clients.iter().filter(|(_, it)| it.may >= Permission::Read && it.watches(port));
            self.output.extend(watching.map(|(to, _)| Output::Send { to: *to, text: text.clone() }));
        }
        for head in &watch.exports {
            let text = outgoing_raw("runtime", "packet", &format!("{head}{data}}}"), None);
            let allowed = self.clients.iter().filter(|(_, client)| client.may >= Permission::Full);
            self.output.extend(allowed.map(|(to, _)| Output::Send { to: *to, text: text.clone() }));
        }
    }

    /// What becomes of the packets from a port; `None` for a node that is not known.
    fn watch(&self, src: PortRef) -> Option<Watch> {
        let port = self.graph.port(src)?;
        let exports = self.graph.exports(Direction::Out).iter().filter(|export| export.port == port);
        let graph = quoted(self.graph.name());
        let head = |export: &Export| {
            format!("{{\"port\":{},\"event\":\"data\",\"graph\":{graph},\"payload\":", quoted(&export.public))
        };
        let exports = exports.map(head).collect();
        Some(Watch { port, edge: self.edge_head(port), exports, collector: Collector::new(self.is_cut(port)) })
    }

    /// The payload of `network:data` up to its data; `None` for a port that is not connected.
    fn edge_head(&self, port: Port) -> Option<String> {
        let edge = self.graph.edge_from(port)?;
        let src = naming::port(&self.graph, self.library.as_ref(), edge.src, Direction::Out);
        let tgt = naming::port(&self.graph, self.library.as_ref(), edge.tgt, Direction::In);
        let (id, graph) = (quoted(&naming::edge_id(&src, &tgt)), quoted(self.graph.name()));
        Some(format!("{{\"id\":{id},\"graph\":{graph},\"src\":{},\"tgt\":{},\"data\":", src.json(), tgt.json()))
    }

    /// Notes that a node gets integers that the dialect's reports cut.
    pub(super) fn note_width(&mut self, port: Port, packets: &[Packet]) {
        let cut = |packet: &Packet| matches!(packet, Packet::Integer(value) if i16::try_from(*value).is_err());
        if self.device.cuts_reports() && packets.iter().any(cut) && self.wide.insert(port.node) {
            self.wide.retain(|node| self.graph.node(*node).is_some());
            self.watches.clear();
        }
    }

    /// The same for all initial packets of the graph.
    pub(super) fn note_widths(&mut self) {
        let initials: Vec<Initial> = self.graph.initials().to_vec();
        initials.iter().for_each(|initial| self.note_width(initial.tgt, &initial.packets));
    }

    /// Whether integers from that port may have been cut: wide ones went in there or upstream of it.
    fn is_cut(&self, port: Port) -> bool {
        let mut reached = self.wide.clone();
        loop {
            let before = reached.len();
            let flows = self.graph.edges().iter().filter(|edge| reached.contains(&edge.src.node));
            let further: Vec<NodeKey> = flows.map(|edge| edge.tgt.node).collect();
            reached.extend(further);
            if reached.len() == before {
                return reached.contains(&port.node);
            }
        }
    }
}
