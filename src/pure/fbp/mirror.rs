//! What happens to the board apart from its FBP clients: it comes, restarts, goes, and raw clients change it.

use firmware_proto::{Command, DebugPoint, Dialect, Response};
use serde_json::{Value, json};

use super::boot::default_name;
use super::message::outgoing;
use super::{Output, Runtime, naming};
use crate::pure::model::graph::{Edge, Metadata, Node};
use crate::pure::request::Outcome;

/// What raw clients have under way.
#[derive(Debug, Default)]
pub(super) struct RawTurn {
    /// Commands that change the graph.
    changes: usize,
    /// Somebody's command waits.
    waits: bool,
}

impl RawTurn {
    /// Whether operations may begin.
    pub(super) fn is_over(&self) -> bool {
        self.changes == 0 && !self.waits
    }
}

fn changes_graph(command: &Command) -> bool {
    matches!(
        command,
        Command::ClearNodes
            | Command::CreateComponent { .. }
            | Command::ConnectNodes(_)
            | Command::DisconnectNodes(_)
            | Command::RemoveNode { .. }
    )
}

impl Runtime {
    /// The board answers, in this dialect. Before it, [`handle_boot`](Self::handle_boot) or [`graph_lost`](Self::graph_lost) has said
    /// what has become of its graph.
    pub fn board_up(&mut self, dialect: Dialect, now: u64) {
        self.device.set_dialect(dialect);
        self.down = None;
        self.note_widths();
        self.upload_wanted(now);
        self.advance(now);
    }

    /// The board does not answer any more; `reason` is for people. Requests under way still get their outcomes. The mirror stays
    /// until the board answers again, and says whether it has restarted.
    pub fn board_down(&mut self, reason: &str, now: u64) {
        self.down = Some(reason.to_owned());
        self.advance(now);
    }

    /// Bytes were lost: the board may have carried out something else than was sent. Known again after a clear or a boot.
    pub fn graph_lost(&mut self) {
        if self.device.is_known() {
            self.device.lose();
            self.tell_lost();
        }
    }

    /// Notes what became of a command. Whoever believes in a graph hears it when that is lost.
    pub(super) fn settle_device(&mut self, command: &Command, outcome: &Outcome) {
        let known = self.device.is_known();
        self.device.settle(command, outcome);
        if known && !self.device.is_known() {
            self.tell_lost();
        }
    }

    fn tell_lost(&mut self) {
        let text = format!(
            "bytes were lost on the way to board {}, so its graph is not known any more; send graph:clear and the graph again",
            self.identity.label
        );
        self.output.push_back(Output::Log(text.clone()));
        let text = outgoing("network", "error", &json!({ "message": text, "graph": self.graph.name() }), None);
        self.tell(&text);
    }

    /// Whether a raw client's command has to wait for FBP clients' operations: whatever it is while one of them is half done, and one
    /// that changes the graph until all that they have changed is certain. The graph has their changes already, and the answer to an
    /// earlier command would be taken for news of them. No more operations begin before it, and where some wait, raw clients do not
    /// keep the turn either.
    pub fn must_wait(&mut self, command: &Command) -> bool {
        let changes = changes_graph(command);
        let is_theirs = self.barrier.is_some() || (changes && !self.jobs.is_empty());
        self.raw.waits |= is_theirs;
        is_theirs || (changes && self.raw.changes > 0 && !self.ops.is_empty())
    }

    /// All raw clients have had their turn, and those that [`must_wait`](Self::must_wait) have said so.
    pub fn yield_to_raw(&mut self) {
        self.raw.waits = false;
    }

    /// The turn is back: operations begin again if no raw client waits.
    pub fn go_on(&mut self, now: u64) {
        if !self.ops.is_empty() {
            self.advance(now);
        }
    }

    /// Judges a raw client's command. One that passes must be sent, and told to [`raw_outcome`](Self::raw_outcome) once.
    pub fn check_raw(&mut self, command: &Command) -> Result<(), DebugPoint> {
        self.device.check(command, self.library.as_ref()).map_err(|danger| danger.debug_point())?;
        self.device.sent(command);
        self.raw.changes += usize::from(changes_graph(command));
        self.past.touched = true;
        if let Command::SendPacket { target, packet } = command
            && let Some(port) = self.graph.port(*target)
        {
            self.note_width(port, &[*packet]);
        }
        Ok(())
    }

    /// Takes the outcome of a raw client's command, so that FBP clients see the change.
    pub fn raw_outcome(&mut self, command: &Command, outcome: &Outcome, now: u64) {
        self.settle_device(command, outcome);
        self.raw.changes = self.raw.changes.saturating_sub(usize::from(changes_graph(command)));
        if let Ok(response) = outcome {
            self.adopt(response, now);
        }
        self.advance(now);
    }

    fn adopt(&mut self, response: &Response, now: u64) {
        self.past.edited |= matches!(
            response,
            Response::NodeAdded { .. }
                | Response::NodesConnected(_)
                | Response::NodesDisconnected(_)
                | Response::NodeRemoved { .. }
                | Response::NodesCleared
        );
        match *response {
            Response::NodeAdded { .. }
            | Response::NodesConnected(_)
            | Response::NodesDisconnected(_)
            | Response::NodeRemoved { .. }
                if self.device.is_clearing() => {}
            Response::NodeAdded { component, node, .. } => self.adopt_node(node, component),
            Response::NodesConnected(edge) => self.adopt_edge(edge),
            Response::NodesDisconnected(edge) => {
                if let Some(src) = self.graph.port(edge.src) {
                    let gone = self.graph.remove_edge(src);
                    self.tell_removed(gone);
                }
            }
            Response::NodeRemoved { node } => self.adopt_removal(node),
            Response::NodesCleared => {
                self.leave_graph();
                self.graph.forget_created();
                self.past.unknown_initials = false;
                self.tell_graph("clear", &json!({ "id": self.graph.name(), "main": true }));
                if !self.device.is_running() {
                    self.stopped(now);
                }
            }
            Response::NetworkStarted => {
                self.started(now);
                self.tell_running(now);
            }
            Response::NetworkStopped => {
                self.stopped(now);
                self.tell_running(now);
            }
            Response::NetworkStatus { running } => self.started_at = self.started_at.or(Some(now)).filter(|_| running),
            _ => {}
        }
    }

    /// A node that no client named gets a name.
    fn adopt_node(&mut self, id: u8, component: u8) {
        let node = Node { name: default_name(id), component, metadata: Metadata::new(), device: Some(id) };
        let key = self.graph.add_node(node);
        if let Some(node) = self.graph.node(key) {
            let payload = naming::node(&self.graph, self.library.as_ref(), node);
            self.tell_graph("addnode", &payload);
        }
    }

    fn adopt_edge(&mut self, edge: firmware_proto::Edge) {
        let (Some(src), Some(tgt)) = (self.graph.port(edge.src), self.graph.port(edge.tgt)) else { return };
        let edge = Edge { src, tgt, metadata: Metadata::new() };
        let payload = naming::edge(&self.graph, self.library.as_ref(), &edge);
        let replaced = self.graph.add_edge(edge);
        self.tell_removed(replaced);
        self.tell_graph("addedge", &payload);
    }

    fn adopt_removal(&mut self, id: u8) {
        let Some(key) = self.graph.find_device(id) else { return };
        let edges: Vec<Edge> = self.graph.edges_of(key).cloned().collect();
        for edge in edges {
            let gone = self.graph.remove_edge(edge.src);
            self.tell_removed(gone);
        }
        self.ports_changed |= self.graph.is_exported(key);
        if let Some(node) = self.graph.remove_node(key) {
            self.tell_graph("removenode", &json!({ "id": node.name, "graph": self.graph.name() }));
        }
    }

    fn tell_removed(&mut self, edge: Option<Edge>) {
        if let Some(edge) = edge {
            let payload = naming::edge(&self.graph, self.library.as_ref(), &edge);
            self.tell_graph("removeedge", &payload);
        }
    }

    /// Without a component map clients have no graph, so they are not told of changes to it.
    fn tell_graph(&mut self, command: &str, payload: &Value) {
        self.watches.clear();
        if self.library.is_some() && self.has_audience() {
            let text = outgoing("graph", command, payload, None);
            self.tell(&text);
        }
    }

    pub(super) fn tell_running(&mut self, now: u64) {
        let text = if self.device.is_running() {
            outgoing("network", "started", &self.started_payload(now), None)
        } else {
            outgoing("network", "stopped", &self.stopped_payload(now), None)
        };
        self.tell(&text);
    }
}
