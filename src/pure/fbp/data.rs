//! `network:data`: what flows, as far as the board reports it, and remarks.

use firmware_proto::{Event, PortRef};
use serde_json::json;

use super::message::{outgoing, outgoing_raw, quoted};
use super::op::{Action, Op, Then};
use super::value::Collector;
use super::{Runtime, naming};
use crate::pure::model::graph::Initial;
use crate::pure::model::library::Direction;

/// An edge that is watched: the message up to its data, and the group that is being collected.
#[derive(Debug)]
pub(super) struct Watch {
    head: Option<String>,
    collector: Collector,
}

impl Runtime {
    /// What follows a confirmed operation: initial packets at a start, remarks.
    pub(super) fn after(&mut self, op: &Op, then: &Then) {
        match then {
            Then::Start => {
                if std::mem::take(&mut self.unknown_initials) {
                    let remark = format!(
                        "board {} has set its nodes up again; the initial packets of its embedded graph, which the bridge cannot \
                         read, have no effect any more until it is reset: add them again where they are needed",
                        self.identity.label
                    );
                    self.remark(&remark);
                }
                self.tell_initials(|_| true);
            }
            Then::AddInitial { serial } => self.tell_initials(|it| it.consumed && it.serial == *serial),
            Then::Rebuild { running, .. } => {
                let Action::RemoveNode { name } = &op.action else { return };
                let remark = format!(
                    "the graph of board {} was built anew without node {name}, as firmware crashes of packets of a removed node; its \
                     nodes begin afresh with their initial packets",
                    self.identity.label
                );
                self.remark(&remark);
                self.tell_initials(|_| *running);
            }
            Then::AddNode { restarted: true, .. } => {
                let Action::AddNode { name, .. } = &op.action else { return };
                let remark = format!(
                    "the network of board {} was restarted to set up node {name}, as its firmware sets nodes up only at a start; \
                     initial packets were sent again",
                    self.identity.label
                );
                self.remark(&remark);
                self.tell_initials(|_| true);
            }
            _ => {}
        }
    }

    /// Something that everybody should know and that answers nothing.
    pub(super) fn remark(&mut self, text: &str) {
        if self.library.is_some() {
            let text = outgoing("network", "output", &json!({ "message": text, "type": "message" }), None);
            self.tell(&text);
        }
    }

    fn tell_initials(&mut self, which: impl Fn(&Initial) -> bool) {
        if self.selection.is_some() || !self.has_audience() {
            return;
        }
        let texts = self.graph.initials().iter().filter(|initial| which(initial)).map(|initial| {
            let tgt = naming::port(&self.graph, self.library.as_ref(), initial.tgt, Direction::In);
            let id = naming::initial_id(&tgt);
            let payload = json!({ "id": id, "graph": self.graph.name(), "tgt": tgt.json(), "data": initial.data });
            outgoing("network", "data", &payload, None)
        });
        for text in texts.collect::<Vec<_>>() {
            self.tell(&text);
        }
    }

    /// Takes an event of the board's: packets on watched edges become `network:data` for everybody who proved the secret.
    pub fn handle_event(&mut self, event: &Event) {
        let Event::PacketSent { src, packet, .. } = event else { return };
        if !self.has_audience() {
            // Nobody sees a group begin: do not show them its end.
            self.watches.clear();
            return;
        }
        if !self.watches.contains_key(src) {
            let watch = Watch { head: self.data_head(*src), collector: Collector::default() };
            self.watches.insert(*src, watch);
        }
        let Some(watch) = self.watches.get_mut(src) else { return };
        let Some(head) = &watch.head else { return };
        if let Some(data) = watch.collector.take(*packet) {
            let text = outgoing_raw("network", "data", &format!("{head}{data}}}"), None);
            self.tell(&text);
        }
    }

    /// The payload of `network:data` up to its data; `None` for ports that are not connected or not selected.
    fn data_head(&self, src: PortRef) -> Option<String> {
        let port = self.graph.port(src)?;
        let edge = self.graph.edge_from(port)?;
        if self.selection.as_ref().is_some_and(|selection| !selection.ports.contains(&port)) {
            return None;
        }
        let src = naming::port(&self.graph, self.library.as_ref(), edge.src, Direction::Out);
        let tgt = naming::port(&self.graph, self.library.as_ref(), edge.tgt, Direction::In);
        let (id, graph) = (quoted(&naming::edge_id(&src, &tgt)), quoted(self.graph.name()));
        Some(format!("{{\"id\":{id},\"graph\":{graph},\"src\":{},\"tgt\":{},\"data\":", src.json(), tgt.json()))
    }
}
