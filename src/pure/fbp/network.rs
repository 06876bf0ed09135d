//! `network`: start, stop, status, which edges are watched, and the data on them.

use std::collections::{BTreeSet, VecDeque};

use firmware_proto::{Command, PortRef};
use serde_json::{Value, json};

use super::Runtime;
use super::client::ClientId;
use super::message::{Incoming, PortName};
use super::naming;
use super::op::{Action, Plan, Stage, Step, Then, Turn, go};
use super::refusal::Refusal;
use crate::pure::model::graph::Port;
use crate::pure::model::library::Direction;
use crate::pure::time::UnixMillis;

/// Edges that one message may select.
const SELECTED_EDGES: usize = 256;

/// The edges that a client wants to watch, by out port; without a selection all are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Selection {
    pub(super) client: ClientId,
    pub(super) ports: Vec<Port>,
}

/// Reads a network message.
pub(super) fn parse(message: &Incoming) -> Result<(Action, Value), Refusal> {
    match message.command.as_str() {
        "start" => Ok((Action::Start, Value::Null)),
        "stop" => Ok((Action::Stop, Value::Null)),
        "edges" => edges(message).map_err(Refusal::Malformed),
        _ => {
            let (protocol, command) = (message.protocol.clone(), message.command.clone());
            Err(Refusal::Unsupported { protocol, command })
        }
    }
}

fn edges(message: &Incoming) -> Result<(Action, Value), String> {
    let list = message.payload.get("edges").and_then(Value::as_array).ok_or("`edges` must be an array")?;
    if list.len() > SELECTED_EDGES {
        return Err(format!("`edges` has more than {SELECTED_EDGES} entries"));
    }
    let mut edges = Vec::with_capacity(list.len());
    for entry in list {
        edges.push((PortName::parse(entry.get("src"))?, PortName::parse(entry.get("tgt"))?));
    }
    let echo: Vec<Value> = edges.iter().map(|(src, tgt)| json!({ "src": src.json(), "tgt": tgt.json() })).collect();
    let graph = message.payload.get("graph").cloned().unwrap_or_default();
    Ok((Action::Edges(edges), json!({ "graph": graph, "edges": echo })))
}

impl Runtime {
    pub(super) fn plan_start(&mut self) -> Turn {
        if self.device.is_settling() {
            return Turn::Wait;
        }
        if self.device.is_running() {
            let missing = self.missing_subscriptions();
            return if missing.is_empty() { Turn::Already } else { go(missing, Then::Watch) };
        }
        let stages = if self.device.is_known() {
            self.start_stages(vec![], self.device.queue_room())
        } else {
            [vec![Step::must(Command::StartNetwork)]].into()
        };
        Turn::Go(Plan { stages: stages.into_iter().map(Stage::These).collect(), then: Then::Start })
    }

    pub(super) fn plan_stop(&mut self) -> Turn {
        go(vec![Step::must(Command::StopNetwork)], Then::Stop)
    }

    /// A start: what comes `first`, what is not watched yet, the initial packets that the board consumed before (a start sets
    /// nodes up again, which resets what those had set), then the start. What the stopped board has no `room` for follows.
    pub(super) fn start_stages(&self, first: Vec<Step>, room: usize) -> VecDeque<Vec<Step>> {
        let mut start = first;
        start.extend(self.missing_subscriptions());
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for initial in self.graph.initials().iter().filter(|initial| initial.consumed) {
            let Some(target) = self.graph.port_ref(initial.tgt) else { continue };
            let packets = initial.packets.iter();
            let packets = packets.map(|packet| Step::may(Command::SendPacket { target, packet: *packet }));
            // In order: once one has to follow the start, so do all after it.
            let fits = after.is_empty() && before.len() + initial.packets.len() <= room;
            if fits { before.extend(packets) } else { after.extend(packets) }
        }
        start.append(&mut before);
        start.push(Step::must(Command::StartNetwork));
        if after.is_empty() { [start].into() } else { [start, after].into() }
    }

    fn missing_subscriptions(&self) -> Vec<Step> {
        let wanted = self.wanted_ports();
        let missing = wanted.difference(self.device.subscriptions());
        missing.map(|port| Step::may(Command::SubscribeToPort { port: *port, enable: true })).collect()
    }

    /// The connected out ports that are to be watched.
    fn wanted_ports(&self) -> BTreeSet<PortRef> {
        let chosen = |port: &Port| self.selection.as_ref().is_none_or(|selection| selection.ports.contains(port));
        let ports = self.graph.edges().iter().map(|edge| edge.src).filter(chosen);
        ports.filter_map(|port| self.graph.port_ref(port)).collect()
    }

    pub(super) fn plan_edges(&mut self, edges: &[(PortName, PortName)], client: ClientId) -> Result<Turn, Refusal> {
        let mut selection = Selection { client, ports: Vec::new() };
        let mut wanted = BTreeSet::new();
        for (src, tgt) in edges {
            let from = self.port_named(src, Direction::Out)?;
            let to = self.port_named(tgt, Direction::In)?;
            if self.graph.edge_from(from).is_none_or(|edge| edge.tgt != to) {
                return Err(Refusal::NoEdge(naming::arrow(src, tgt)));
            }
            let Some(port) = self.graph.port_ref(from) else { return Ok(Turn::Wait) };
            wanted.insert(port);
            selection.ports.push(from);
        }
        let watched = self.device.subscriptions();
        let subscribe = |enable| move |port: &PortRef| Step::must(Command::SubscribeToPort { port: *port, enable });
        let off = watched.difference(&wanted).map(subscribe(false));
        let on = wanted.difference(watched).map(subscribe(true));
        Ok(go(off.chain(on).collect(), Then::Edges(selection)))
    }

    /// The board has started its network.
    pub(super) fn started(&mut self, now: u64) {
        self.started_at = Some(now);
        self.graph.consume_initials();
    }

    /// The board has stopped its network.
    pub(super) fn stopped(&mut self, now: u64) {
        if let Some(since) = self.started_at.take() {
            self.ran_for = seconds_between(since, now);
        }
    }

    pub(super) fn started_payload(&self, now: u64) -> Value {
        json!({ "graph": self.graph.name(), "time": UnixMillis::from(now).to_string(), "started": true, "running": true })
    }

    pub(super) fn stopped_payload(&self, now: u64) -> Value {
        let (graph, time) = (self.graph.name(), UnixMillis::from(now).to_string());
        json!({ "graph": graph, "time": time, "uptime": self.ran_for, "started": false, "running": false })
    }

    /// `{graph, running, started}`, while it runs with `uptime` in seconds. `running` and `started` are the same: a
    /// MicroFlo network never completes.
    pub(super) fn status_payload(&self, now: u64) -> Value {
        let running = self.device.is_running() && self.down.is_none();
        let mut status = json!({ "graph": self.graph.name(), "running": running, "started": running });
        if let Some(since) = self.started_at.filter(|_| running) {
            status["uptime"] = json!(seconds_between(since, now));
        }
        status
    }
}

/// Whole seconds between two times in milliseconds.
fn seconds_between(from: u64, to: u64) -> u64 {
    to.saturating_sub(from) / 1000
}
