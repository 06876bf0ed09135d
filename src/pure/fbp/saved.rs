//! What is saved of a board, so that another run of the bridge, or a board that was away, goes on with it.
//!
//! A board whose session still answers where it was left has not restarted: its graph is taken up again once some questions have
//! shown that it has the same nodes. A board that has restarted has said so itself.

use std::collections::BTreeSet;

use firmware_proto::{Command, DebugPoint, Dialect, PortRef};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::naming::{self, Match};
use super::network::subscribe;
use super::op::{Action, Op, Plan, Stage, Step, Then, Turn};
use super::upload::internal;
use super::{Runtime, draft};
use crate::pure::model::graph::{Graph, NodeKey};
use crate::pure::view::Firmware;

/// The version of the format. Others are ignored: the board's own graph is shown then.
const VERSION: u32 = 1;

/// A board as it was.
#[derive(Debug, Serialize, Deserialize)]
struct Saved {
    version: u32,
    /// The dialect by its name on the wire.
    dialect: String,
    baud: u32,
    /// The graph's name; its title is in its properties.
    name: String,
    /// In FBP's JSON format.
    graph: Value,
    /// The ids of its nodes, in their order; none where it was not known what the board had.
    devices: Option<Vec<u8>>,
    /// The highest id since the last clear.
    highest: u8,
    /// Packets that waited in the stopped network, at most.
    queued: usize,
    /// Initial packets that wait for a start, by their place.
    waiting: Vec<usize>,
    running: bool,
    watched: bool,
    edited: bool,
    kept: bool,
    unknown_initials: bool,
    /// A fingerprint of what the board said when it started.
    booted: Option<String>,
}

/// What of it counts until the board has shown what it has.
#[derive(Debug)]
pub(super) struct Left {
    firmware: Firmware,
    devices: Option<Vec<u8>>,
    highest: u8,
    queued: usize,
    running: bool,
}

/// How the board was spoken to when this was saved of it, if its session may still be there.
pub fn left_in(saved: &str) -> Option<Firmware> {
    let saved: Saved = serde_json::from_str(saved).ok()?;
    let dialect = dialect_of(&saved)?;
    saved.devices.is_some().then_some(Firmware { dialect, baud: saved.baud })
}

fn dialect_of(saved: &Saved) -> Option<Dialect> {
    Dialect::ALL.into_iter().find(|dialect| dialect.name() == saved.dialect)
}

impl Runtime {
    /// Takes up what was saved. False if it cannot be read any more, or not with this component map: it is ignored then.
    pub fn load(&mut self, saved: &str) -> bool {
        self.past.unread = !self.read_saved(saved);
        !self.past.unread
    }

    fn read_saved(&mut self, saved: &str) -> bool {
        let Ok(saved) = serde_json::from_str::<Saved>(saved) else { return false };
        let Some(dialect) = dialect_of(&saved) else { return false };
        let Ok(mut graph) = draft::read(self.device.limits(), &saved.graph, self.library.as_ref(), Match::Own) else {
            return false;
        };
        if saved.version != VERSION {
            return false;
        }
        graph.rename(saved.name);
        graph.consume_initials_but(&saved.waiting);
        self.graph.replace(graph);
        (self.past.edited, self.past.kept, self.past.unknown_initials) =
            (saved.edited, saved.kept, saved.unknown_initials);
        (self.watched, self.past.booted) = (saved.watched, saved.booted);
        let firmware = Firmware { dialect, baud: saved.baud };
        let (highest, queued, running) = (saved.highest, saved.queued, saved.running);
        let devices = saved.devices;
        self.past.vouched = devices.is_some();
        self.past.left = Some(Left { firmware, devices, highest, queued, running });
        self.forget_names();
        true
    }

    /// Whether something that is saved may have changed.
    pub fn is_touched(&self) -> bool {
        self.past.touched && self.is_worth_saving()
    }

    /// Whether what is known of the board is better than what was saved before.
    fn is_worth_saving(&self) -> bool {
        let readable = !self.past.unread || self.past.edited;
        readable && self.down.is_none() && self.past.left.is_none() && self.past.wanted.is_none()
    }

    /// Whether a change is under way that what was saved last knows nothing of: save at once, so that a bridge that is killed now
    /// does not take it for true.
    pub fn is_exposed(&self) -> bool {
        self.past.vouched && self.is_worth_saving() && !self.is_settled()
    }

    /// Whether nothing is under way that alters what is saved.
    fn is_settled(&self) -> bool {
        let harmless = |op: &Op| {
            matches!(
                op.action,
                Action::Edges(_) | Action::Packet { .. } | Action::AddPort { .. } | Action::RemovePort { .. }
            )
        };
        self.jobs.values().all(|job| harmless(&job.op)) && self.device.is_at_rest()
    }

    /// What is to be saved, if it has changed since the last time. Nothing while the board is not up.
    pub fn take_saved(&mut self, firmware: Option<Firmware>) -> Option<String> {
        let firmware = firmware.filter(|_| self.is_worth_saving())?;
        if !std::mem::take(&mut self.past.touched) {
            return None;
        }
        let flat = self.device.nodes().values().all(|node| node.parent == 0);
        let known = self.device.is_known() && self.is_settled() && flat;
        let devices: Option<Vec<u8>> = self.graph.nodes().map(|(_, node)| node.device).collect();
        let devices = devices.filter(|_| known);
        self.past.vouched = devices.is_some();
        let waiting = self.graph.initials().iter().enumerate().filter(|(_, it)| !it.consumed).map(|(at, _)| at);
        let saved = Saved {
            version: VERSION,
            dialect: firmware.dialect.name().to_owned(),
            baud: firmware.baud,
            name: self.graph.name().to_owned(),
            graph: naming::fbp_json(&self.graph, self.library.as_ref()),
            devices,
            highest: u8::try_from(self.device.ids_taken()).unwrap_or(u8::MAX),
            queued: self.device.limits().packets.saturating_sub(self.device.queue_room()),
            waiting: waiting.collect(),
            running: self.device.is_running(),
            watched: self.watched,
            edited: self.past.edited,
            kept: self.past.kept,
            // Nor are the parents of nodes in it.
            unknown_initials: self.past.unknown_initials || !flat,
            booted: self.past.booted.clone(),
        };
        let text = serde_json::to_string(&saved).ok().filter(|text| *text != self.past.last_saved)?;
        self.past.last_saved.clone_from(&text);
        Some(text)
    }

    /// How the board was spoken to when it was left, if its session may still be there.
    pub fn left(&self) -> Option<Firmware> {
        self.past.left.as_ref().filter(|left| left.devices.is_some()).map(|left| left.firmware)
    }

    /// Whether the network ran, also where the board was left by another run.
    pub(super) fn ran(&self) -> bool {
        self.past.left.as_ref().map_or(self.started_at.is_some(), |left| left.running)
    }

    /// The board's session goes on where it was left.
    pub fn resume(&mut self, dialect: Dialect, now: u64) {
        let left = self.past.left.as_ref().and_then(|left| Some((left, left.devices.as_ref()?)));
        let left = left.filter(|(_, devices)| devices.len() == self.graph.nodes().count());
        let Some((left, devices)) = left else { return self.unknown(now) };
        self.device.set_dialect(dialect);
        self.graph.set_devices(devices.iter().copied());
        let components = self.graph.nodes().filter_map(|(_, node)| Some((node.device?, node.component)));
        let edges = self.graph.edges().iter();
        let edges = edges.filter_map(|edge| Some((self.graph.port_ref(edge.src)?, self.graph.port_ref(edge.tgt)?)));
        let (components, edges) = (components.collect::<Vec<_>>(), edges.collect::<Vec<_>>());
        let waiting = self.graph.initials().iter().filter(|initial| !initial.consumed);
        let waiting =
            waiting.map(|initial| initial.packets.len()).sum::<usize>() + self.device.limits().left_by_a_stop();
        self.device.resume(&components, &edges, left.highest, left.running, waiting.max(left.queued));
        self.started_at = left.running.then_some(now);
        self.ops.push_front(internal("verify", Action::Verify));
    }

    /// The board answers, and what is on it is not known: somebody else may have had it, or bytes were lost.
    pub fn unknown(&mut self, now: u64) {
        let (had, left) = (self.had(), self.past.left.take());
        self.graph_lost();
        if self.may_bring_back() {
            return self.bring_back(had, now);
        }
        self.past.wanted = None;
        if left.is_some() {
            self.forget_graph();
            self.tell_whole_graph();
        }
    }

    /// Whether a board that has lost its graph gets it back.
    fn may_bring_back(&self) -> bool {
        self.past.edited && self.restores() && !self.past.unknown_initials
    }

    /// Nothing of the graph is true any more.
    pub(super) fn forget_graph(&mut self) {
        self.past.wanted = None;
        self.leave_graph();
        self.graph.replace(Graph::default());
        self.forget_names();
        (self.past.edited, self.past.kept, self.past.unknown_initials) = (false, false, false);
    }

    /// Asks for each node whether it is there with as many out ports as its component has, and that there is none behind the last.
    pub(super) fn plan_verify(&mut self) -> Turn {
        let wanted = self.wanted_ports(None);
        let mut steps: Vec<Step> = self.graph.nodes().flat_map(|(key, _)| self.questions(key, &wanted)).collect();
        if let Ok(next) = u8::try_from(self.device.ids_taken() + 1) {
            let port = PortRef { node: next, port: 0 };
            steps.push(Step::refused(subscribe(port, false), DebugPoint::SubscribePortInvalidNode));
        }
        let watch: Vec<Step> = wanted.iter().map(|port| Step::may(subscribe(*port, true))).collect();
        Turn::Go(Plan { stages: [Stage::These(steps), Stage::These(watch)].into(), then: Then::Verify })
    }

    fn questions(&self, key: NodeKey, wanted: &BTreeSet<PortRef>) -> Vec<Step> {
        let component =
            self.graph.node(key).and_then(|node| Some((node.device?, self.library.as_ref()?.by_id(node.component)?)));
        let Some((node, component)) = component else { return Vec::new() };
        let Ok(ports) = u8::try_from(component.out_ports.len()) else { return Vec::new() };
        let port = |port| PortRef { node, port };
        let last = ports.checked_sub(1).map(port);
        let there = last.map(|last| Step::must(subscribe(last, wanted.contains(&last))));
        let behind: Command = subscribe(port(ports), false);
        there.into_iter().chain([Step::refused(behind, DebugPoint::SubscribePortInvalidPort)]).collect()
    }

    /// The board went before it had said whether it is as it was left: that is asked again, or it says itself that it has started.
    pub(super) fn not_verified(&mut self) {
        self.device.lose();
    }

    /// The board is not as it was left.
    pub(super) fn differs(&mut self, now: u64) {
        let had = self.had();
        self.past.left = None;
        self.device.lose();
        if self.may_bring_back() {
            return self.bring_back(had, now);
        }
        self.forget_graph();
        self.tell_whole_graph();
    }
}
