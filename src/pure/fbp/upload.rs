//! A whole graph at once: checked completely, then put in place of the one on the board.

use std::sync::Arc;

use firmware_proto::Response;
use serde_json::{Value, json};

use super::boot::Had;
use super::client::Asker;
use super::message::outgoing;
use super::naming::{self, Match};
use super::op::{Action, Op, Plan, Then, Turn};
use super::refusal::Refusal;
use super::{ClientId, Output, Runtime, draft};
use crate::pure::model::danger::Danger;
use crate::pure::model::graph::{Edge, Graph};
use crate::pure::model::library::Direction;

/// The bridge itself, where clients are named.
pub(super) const BRIDGE: ClientId = ClientId(0);

/// Names an upload. Given by whoever asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UploadId(pub u64);

/// How far an upload is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UploadStep {
    /// That many of the graph's nodes, edges and packets are on the board.
    Progress {
        /// So many.
        done: usize,
        /// Of so many.
        total: usize,
    },
    /// It is over, well or for this reason.
    Ended(Result<(), String>),
}

/// Why a graph is uploaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Somebody asked for it.
    Asked(UploadId),
    /// The board had it before, or was to have it.
    Restore,
}

impl Runtime {
    /// Puts a graph in FBP's JSON format in place of the board's, and starts it or not. What is wrong with it is found before the
    /// board is touched. Ends with one [`UploadStep::Ended`].
    pub fn upload(&mut self, id: UploadId, graph: &Value, start: bool, now: u64) {
        let limits = self.device.limits();
        let draft = match &self.library {
            None => Err(Refusal::NoLibrary),
            Some(library) => draft::read(limits, graph, Some(library), Match::AnyCase),
        };
        let draft = draft.and_then(|graph| if start { Ok(graph) } else { must_fit_queue(graph, limits.packets) });
        let waits = |op: &Op| matches!(op.action, Action::Upload { purpose: Purpose::Asked(_), .. });
        let draft = if self.ops.iter().any(waits) { Err(Refusal::UploadWaits) } else { draft };
        match draft {
            Ok(graph) => self.enqueue_upload(graph, start, Purpose::Asked(id), now),
            Err(refusal) => self.uploaded(Purpose::Asked(id), Err(refusal.text(&self.identity.label))),
        }
    }

    pub(super) fn enqueue_upload(&mut self, graph: Graph, start: bool, purpose: Purpose, now: u64) {
        let action = Action::Upload { graph: Box::new(graph), start, purpose };
        self.ops.push_back(internal("upload", action));
        self.advance(now);
    }

    pub(super) fn plan_upload(&mut self, graph: &mut Graph, start: bool, purpose: Purpose) -> Turn {
        if !self.is_at_rest() {
            return Turn::Wait;
        }
        self.leave_graph();
        self.watched = purpose == Purpose::Restore && self.past.wanted.as_ref().is_some_and(|had| had.watched);
        self.graph.replace(std::mem::take(graph));
        // From here on this is the graph that the board is to have, also if it fails halfway.
        self.past.edited = true;
        let again = self.past.wanted.as_ref().filter(|_| purpose == Purpose::Restore);
        let tries = again.map_or(0, |wanted| wanted.tries);
        self.past.wanted = Some(Had { graph: self.graph.clone(), ran: start, watched: self.watched, tries });
        if start {
            // A start sends what the board had consumed.
            self.graph.consume_initials();
        }
        self.forget_names();
        self.past.unknown_initials = false;
        self.past.kept &= purpose == Purpose::Restore;
        self.note_widths();
        let packets: usize = self.graph.initials().iter().map(|initial| initial.packets.len()).sum();
        let total = self.graph.nodes().count() + self.graph.edges().len() + packets;
        Turn::Go(Plan { stages: self.build_stages(start), then: Then::Upload { purpose, start, done: 0, total } })
    }

    /// Notes what is on the board now.
    pub(super) fn note_progress(&mut self, job: u64, response: &Response) {
        let counts = matches!(
            response,
            Response::NodeAdded { .. } | Response::NodesConnected(_) | Response::SendPacketDone { .. }
        );
        let Some(job) = self.jobs.get_mut(&job).filter(|_| counts) else { return };
        if let Then::Upload { purpose: Purpose::Asked(id), done, total, .. } = &mut job.then {
            *done += 1;
            let step = UploadStep::Progress { done: *done, total: *total };
            self.output.push_back(Output::Upload(*id, step));
        }
    }

    /// An upload is over. Whoever asked hears it; a graph that the board had before concerns all.
    pub(super) fn uploaded(&mut self, purpose: Purpose, result: Result<(), String>) {
        if result.is_ok() {
            self.past.wanted = None;
        }
        match (purpose, result) {
            (Purpose::Asked(id), result) => self.output.push_back(Output::Upload(id, UploadStep::Ended(result))),
            (Purpose::Restore, Ok(())) => {
                self.remark(&format!("board {} has got its graph again", self.identity.label));
            }
            (Purpose::Restore, Err(why)) => {
                let text = format!("the board's graph could not be uploaded again: {why}");
                self.output.push_back(Output::Log(text.clone()));
                let text = outgoing("network", "error", &json!({ "message": text, "graph": self.graph.name() }), None);
                self.tell(&text);
            }
        }
    }

    /// The messages that make a client's graph the same as this one.
    pub(super) fn whole_graph(&self) -> Vec<Arc<str>> {
        let (graph, library) = (&self.graph, self.library.as_ref());
        let mut clear = json!({ "id": graph.name(), "main": true });
        if let Some(title) = graph.title() {
            clear["name"] = json!(title);
        }
        let say = |command: &'static str| move |payload: Value| outgoing("graph", command, &payload, None);
        let nodes = graph.nodes().map(|(_, node)| naming::node(graph, library, node)).map(say("addnode"));
        let edge = |edge: &Edge| {
            let mut payload = naming::edge(graph, library, edge);
            payload["metadata"] = json!(edge.metadata);
            payload
        };
        let edges = graph.edges().iter().map(edge).map(say("addedge"));
        let initials = graph.initials().iter().map(|it| naming::initial(graph, library, it)).map(say("addinitial"));
        let ins = naming::exported(graph, library, Direction::In).into_iter().map(say("addinport"));
        let outs = naming::exported(graph, library, Direction::Out).into_iter().map(say("addoutport"));
        let groups = graph.groups().iter().map(|group| naming::group(graph, group)).map(say("addgroup"));
        let all = nodes.chain(edges).chain(initials).chain(ins).chain(outs).chain(groups);
        std::iter::once(say("clear")(clear)).chain(all).collect()
    }

    /// Tells everybody who may see it the whole graph.
    pub(super) fn tell_whole_graph(&mut self) {
        self.watches.clear();
        if self.library.is_some() && self.has_audience() {
            for text in self.whole_graph() {
                self.tell(&text);
            }
        }
    }
}

/// An operation that no client asked for.
pub(super) fn internal(command: &str, action: Action) -> Op {
    let asker = Asker { client: BRIDGE, serial: 0, request_id: None };
    Op { asker, protocol: "network", command: command.to_owned(), graph: None, echo: Value::Null, action }
}

/// A stopped board keeps few packets.
fn must_fit_queue(graph: Graph, most: usize) -> Result<Graph, Refusal> {
    let packets: usize = graph.initials().iter().map(|initial| initial.packets.len()).sum();
    if packets <= most {
        return Ok(graph);
    }
    Err(Refusal::Danger { what: format!("{packets} initial packets without a start"), danger: Danger::QueueFull(most) })
}
