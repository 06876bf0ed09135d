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

/// Reads a network message.
pub(super) fn parse(message: &Incoming) -> Result<(Action, Value), Refusal> {
    match message.command.as_str() {
        "start" => Ok((Action::Start, Value::Null)),
        "stop" => Ok((Action::Stop, Value::Null)),
        "persist" => Ok((Action::Keep, json!({}))),
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
        self.watched = true;
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
        let wanted = self.wanted_ports(None);
        let missing = wanted.difference(self.device.subscriptions());
        missing.map(|port| Step::may(subscribe(*port, true))).collect()
    }

    /// The out ports that are to be watched: the exported ones, and those whose edges anybody (but `except`) watches.
    pub(super) fn wanted_ports(&self, except: Option<ClientId>) -> BTreeSet<PortRef> {
        let exported = self.graph.exports(Direction::Out).iter().map(|export| export.port);
        let edges = self.graph.edges().iter().map(|edge| edge.src).filter(|src| self.is_watched(*src, except));
        exported.chain(edges).filter_map(|port| self.graph.port_ref(port)).collect()
    }

    /// Whether anybody (but `except`) watches the edge that leaves that port. Where nobody is there, it stays as it was.
    fn is_watched(&self, src: Port, except: Option<ClientId>) -> bool {
        let mut others = self.readers().filter(|(id, _)| Some(*id) != except).peekable();
        (except.is_none() && others.peek().is_none() && self.watched) || others.any(|(_, client)| client.watches(src))
    }

    /// Whether the board's reports from that out port are of use to anybody.
    pub(super) fn is_wanted(&self, src: Port) -> bool {
        self.graph.exports(Direction::Out).contains(src)
            || (self.graph.edge_from(src).is_some() && self.is_watched(src, None))
    }

    pub(super) fn plan_edges(&mut self, edges: &[(PortName, PortName)], client: ClientId) -> Result<Turn, Refusal> {
        let mut chosen = BTreeSet::new();
        let mut wanted = self.wanted_ports(Some(client));
        for (src, tgt) in edges {
            let from = self.port_named(src, Direction::Out)?;
            let to = self.port_named(tgt, Direction::In)?;
            if self.graph.edge_from(from).is_none_or(|edge| edge.tgt != to) {
                return Err(Refusal::NoEdge(naming::arrow(src, tgt)));
            }
            let Some(port) = self.graph.port_ref(from) else { return Ok(Turn::Wait) };
            wanted.insert(port);
            chosen.insert(from);
        }
        let watched = self.device.subscriptions();
        let step = |enable| move |port: &PortRef| Step::must(subscribe(*port, enable));
        let off = watched.difference(&wanted).map(step(false));
        let on = wanted.difference(watched).map(step(true));
        Ok(go(off.chain(on).collect(), Then::Edges(chosen)))
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

/// The command that makes the board report an out port's packets, or not.
pub(super) fn subscribe(port: PortRef, enable: bool) -> Command {
    Command::SubscribeToPort { port, enable }
}

/// Whole seconds between two times in milliseconds.
fn seconds_between(from: u64, to: u64) -> u64 {
    to.saturating_sub(from) / 1000
}
