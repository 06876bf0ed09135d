//! A board that has just started: what its chatter says it runs, under the names that are known for it.

use firmware_proto::{Body, Dialect, Message, PortRef, Response};
use sha2::{Digest, Sha256};

use super::naming::Match;
use super::upload::Purpose;
use super::{Runtime, draft};
use crate::pure::model::graph::{DEFAULT_NAME, Edge, Graph, Metadata, Node};
use crate::pure::model::library::Direction;

/// How often in a row a board gets a graph back. One that does not survive it is left with what it runs by itself.
const TRIES: u8 = 5;

/// A graph that a board had.
#[derive(Clone, Debug)]
pub(super) struct Had {
    pub(super) graph: Graph,
    /// It ran.
    pub(super) ran: bool,
    /// All its edges were watched.
    pub(super) watched: bool,
    /// How often it was to get it back since it last had it.
    pub(super) tries: u8,
}

impl Runtime {
    /// The board (re)started and said this while it ran its embedded graph; `&[]` if it has none. Whatever was on it is gone.
    pub fn handle_boot(&mut self, chatter: &[Response], now: u64) {
        let hindrance = self.hinders_restore(chatter);
        self.past.booted = Some(fingerprint(chatter));
        let had = self.had();
        self.past.left = None;
        self.device.boot(chatter);
        self.past.chatter = Some(chatter.to_vec());
        self.started_at = self.device.is_running().then_some(now);
        self.leave_graph();
        self.adopt_boot(&had.graph);
        self.tell_whole_graph();
        self.tell_running(now);
        let restore = std::mem::take(&mut self.past.edited) && self.restores();
        self.past.wanted = None;
        match (restore, hindrance) {
            (true, None) => self.bring_back(had, now),
            (true, Some(why)) => self.uploaded(Purpose::Restore, Err(why.to_owned())),
            (false, _) => self.past.kept = false,
        }
        self.advance(now);
    }

    /// Why the graph that the board had cannot be put on it again, now that it has started like this.
    fn hinders_restore(&self, chatter: &[Response]) -> Option<&'static str> {
        if !self.may_rebuild() {
            return Some("it has initial packets or subgraphs that the bridge cannot read");
        }
        // Numbers of components and ports differ per build: with another one they would mean something else.
        let other = self.past.booted.as_ref().is_some_and(|before| *before != fingerprint(chatter));
        other.then_some("the board starts otherwise than before, so it has other firmware; upload the graph again")
    }

    /// Takes the graph that the board has said it runs, with names from the firmware's own graph and from `before`, where they fit.
    fn adopt_boot(&mut self, before: &Graph) {
        let Some(chatter) = self.past.chatter.take() else { return };
        let sent: Vec<(PortRef, u8)> = chatter.iter().filter_map(sent_packet).collect();
        let embedded = self
            .past
            .embedded
            .as_deref()
            .and_then(|json| draft::read(self.device.limits(), json, self.library.as_ref(), Match::AnyCase).ok());
        let embedded = embedded.and_then(|graph| self.fitted(graph));
        // A graph that somebody has edited is another one, however alike.
        let before = self.fitted(before.clone()).filter(|_| !self.past.edited);
        self.past.unknown_initials = !sent.is_empty();
        let graph = match (embedded, before) {
            (Some(mut embedded), before) => {
                if self.packets_of(&embedded) == sent {
                    self.past.unknown_initials = false;
                    embedded.consume_initials();
                } else {
                    embedded.forget_initials();
                }
                if let Some(before) = before.filter(is_named) {
                    embedded.take_names(&before);
                }
                embedded
            }
            (None, Some(mut before)) => {
                before.forget_initials();
                before
            }
            (None, None) => self.unnamed(),
        };
        self.graph.replace(graph);
        self.forget_names();
        self.ports_changed |= self.has_exports();
        self.past.chatter = Some(chatter);
    }

    /// The board's component map or its embedded graph's names have changed: names the graph anew if nobody has edited it.
    pub(super) fn name_again(&mut self) {
        // What is under way belongs to the graph as it is.
        self.past.names_due = !self.jobs.is_empty() || !self.device.is_at_rest();
        if !self.past.names_due && self.past.chatter.is_some() && !self.past.edited && self.device.is_known() {
            let before = self.graph.clone();
            self.leave_graph();
            self.adopt_boot(&before);
            self.tell_whole_graph();
            self.past.touched = true;
        }
    }

    /// A graph with the numbers of the board's nodes, if it has the same nodes and edges.
    fn fitted(&self, mut graph: Graph) -> Option<Graph> {
        let (nodes, edges) = (self.device.nodes(), self.device.edges());
        let same = graph.nodes().count() == nodes.len()
            && graph
                .nodes()
                .zip(nodes)
                .all(|((_, named), (_, node))| named.component == node.component && node.parent == 0);
        if !same || nodes.is_empty() || graph.edges().len() != edges.len() {
            return None;
        }
        graph.set_devices(nodes.keys().copied());
        let fits = |edge: &Edge| {
            let ends = graph.port_ref(edge.src).zip(graph.port_ref(edge.tgt));
            ends.is_some_and(|(src, tgt)| edges.get(&src) == Some(&tgt))
        };
        graph.edges().iter().all(fits).then_some(graph)
    }

    /// What its initial packets are on the wire: where they go, and of which type.
    fn packets_of(&self, graph: &Graph) -> Vec<(PortRef, u8)> {
        let packets =
            graph.initials().iter().filter_map(|initial| Some((graph.port_ref(initial.tgt)?, &initial.packets)));
        packets.flat_map(|(port, packets)| packets.iter().map(move |packet| (port, packet.kind()))).collect()
    }

    /// The board's graph, its nodes called by their numbers.
    fn unnamed(&self) -> Graph {
        let mut graph = Graph::default();
        graph.clear(DEFAULT_NAME.to_owned(), None);
        for (id, node) in self.device.nodes() {
            let (name, metadata) = (default_name(*id), Metadata::new());
            graph.add_node(Node { name, component: node.component, metadata, device: Some(*id) });
        }
        for (src, tgt) in self.device.edges() {
            if let (Some(src), Some(tgt)) = (graph.port(*src), graph.port(*tgt)) {
                graph.add_edge(Edge { src, tgt, metadata: Metadata::new() });
            }
        }
        graph
    }

    /// Whether a board gets back what it had before.
    pub(super) fn restores(&self) -> bool {
        self.past.restore || self.past.kept
    }

    /// The graph that the board had, or was to have, and whether it ran.
    pub(super) fn had(&self) -> Had {
        let had = || Had { graph: self.graph.clone(), ran: self.ran(), watched: self.watched, tries: 0 };
        self.past.wanted.clone().unwrap_or_else(had)
    }

    /// Uploads a graph again that the board has lost, once it is up.
    pub(super) fn bring_back(&mut self, mut had: Had, now: u64) {
        if had.tries >= TRIES {
            (self.past.wanted, self.past.edited, self.past.kept) = (None, false, false);
            if !self.device.is_known() {
                self.forget_graph();
                self.tell_whole_graph();
            }
            return self.uploaded(Purpose::Restore, Err(format!("that failed {TRIES} times in a row")));
        }
        had.tries += 1;
        had.graph.forget_devices();
        self.past.edited = true;
        self.past.wanted = Some(had);
        if self.down.is_none() {
            self.upload_wanted(now);
        }
    }

    pub(super) fn upload_wanted(&mut self, now: u64) {
        if let Some(Had { graph, ran, .. }) = self.past.wanted.clone() {
            self.enqueue_upload(graph, ran, Purpose::Restore, now);
        }
    }
}

/// Whether somebody gave it names or anything else to keep.
fn is_named(graph: &Graph) -> bool {
    let kept = |node: &Node| !node.metadata.is_empty() || node.device.is_none_or(|id| node.name != default_name(id));
    graph.nodes().any(|(_, node)| kept(node))
        || graph.edges().iter().any(|edge| !edge.metadata.is_empty())
        || Direction::BOTH.into_iter().any(|direction| !graph.exports(direction).is_empty())
        || !graph.groups().is_empty()
}

/// What a node is called that nobody has named.
pub(super) fn default_name(id: u8) -> String {
    format!("node{id}")
}

/// Tells one build's boot chatter from another's.
fn fingerprint(chatter: &[Response]) -> String {
    let mut hash = Sha256::new();
    for response in chatter {
        let message = Message { request_id: 0, body: Body::Response(*response) };
        hash.update(message.encode(Dialect::Flo01).as_bytes());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sent_packet(response: &Response) -> Option<(PortRef, u8)> {
    match response {
        Response::SendPacketDone { target, kind } => Some((*target, *kind)),
        _ => None,
    }
}
