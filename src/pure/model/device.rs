//! The mirror of a board in its own numbers: what it confirmed, and what it will be once all that was sent is carried out.
//!
//! Every command passes [`Device::check`] (in `check.rs`), is noted with [`Device::sent`] and settled with its outcome, once each.
//! Counting what is under way is what makes it safe to send without waiting for answers.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use firmware_proto::{Command, Dialect, Edge, PortRef, Response};

use super::limits::Limits;
use crate::pure::request::{Failure, Outcome};

/// What is on a board.
#[derive(Clone, Debug, Default)]
pub struct Device {
    dialect: Option<Dialect>,
    limits: Limits,
    /// What the board said.
    confirmed: State,
    /// The same after everything under way.
    expected: State,
    /// What is under way, in order.
    flights: VecDeque<Command>,
}

/// A node on a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// Component id.
    pub component: u8,
    /// The node that it is a child of; 0 for none.
    pub parent: u8,
}

#[derive(Clone, Debug, Default)]
struct State {
    known: bool,
    limits: Limits,
    nodes: BTreeMap<u8, Node>,
    /// The highest node id since the last clear.
    highest: u8,
    /// Nodes that are being created.
    creating: usize,
    /// One target per out port: firmware keeps no more.
    edges: BTreeMap<PortRef, PortRef>,
    subscriptions: BTreeSet<PortRef>,
    /// Whether it runs has been said.
    heard: bool,
    /// It runs, whatever becomes of what is under way.
    running: bool,
    /// It runs if a start under way succeeds or a stop fails.
    may_run: bool,
    /// It may have run since the last clear, so that packets of any node may be queued.
    may_have_run: bool,
    /// Packets waiting in the stopped network, at most.
    queued: usize,
    /// The nodes that they wait for, where the network has not run.
    queued_for: BTreeSet<u8>,
}

impl Device {
    /// The dialect decides what clearing does and whether late nodes are set up.
    pub fn set_dialect(&mut self, dialect: Dialect) {
        self.dialect = Some(dialect);
    }

    /// What the board takes.
    pub fn set_limits(&mut self, limits: Limits) {
        (self.limits, self.confirmed.limits, self.expected.limits) = (limits, limits, limits);
    }

    /// What the board takes.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Whether the mirror can be relied upon, once a clear that is under way succeeds.
    pub fn is_known(&self) -> bool {
        self.expected.known
    }

    /// Whether the network runs, as far as the board has said.
    pub fn is_running(&self) -> bool {
        self.confirmed.running
    }

    /// Whether a start or stop is under way, so that it cannot be said whether the network runs when the next command arrives.
    pub fn is_settling(&self) -> bool {
        self.expected.may_run != self.expected.running
    }

    /// Whether nodes added now could miss their setup: a network that runs, or may run, in the 8-byte dialect.
    pub fn skips_setup(&self) -> bool {
        self.expected.may_run && self.dialect == Some(Dialect::Flo01)
    }

    /// Whether integers in its reports are cut to 16 bits.
    pub fn cuts_reports(&self) -> bool {
        self.dialect == Some(Dialect::Flo01)
    }

    /// Whether clearing leaves the network running.
    pub fn runs_through_clear(&self) -> bool {
        self.dialect == Some(Dialect::Microflo1)
    }

    /// How many more packets the board takes: any number while it surely runs, as it then empties its queue.
    pub fn queue_room(&self) -> usize {
        if self.expected.running { usize::MAX } else { self.limits.packets.saturating_sub(self.expected.queued) }
    }

    /// Whether packets to or from a node may be in the firmware's queue. Only a clear empties it for sure.
    pub fn may_hold_packets_of(&self, node: u8) -> bool {
        self.expected.may_have_run || self.expected.queued_for.contains(&node)
    }

    /// How many node ids are taken: ids are not reused before a clear, and nodes being created count.
    pub fn ids_taken(&self) -> usize {
        usize::from(self.expected.highest) + self.expected.creating
    }

    /// The nodes, by id.
    pub fn nodes(&self) -> &BTreeMap<u8, Node> {
        &self.expected.nodes
    }

    /// The edges, by out port.
    pub fn edges(&self) -> &BTreeMap<PortRef, PortRef> {
        &self.expected.edges
    }

    /// The out ports whose packets the board reports.
    pub fn subscriptions(&self) -> &BTreeSet<PortRef> {
        &self.expected.subscriptions
    }

    /// Whether a clear is under way: what the board has answered before it is void.
    pub fn is_clearing(&self) -> bool {
        self.flights.contains(&Command::ClearNodes)
    }

    /// Whether nothing is under way that alters its nodes, its edges, whether it runs, or which packets wait for a start.
    pub fn is_at_rest(&self) -> bool {
        self.flights.iter().all(|command| match command {
            Command::SubscribeToPort { .. } | Command::GetNetworkStatus | Command::Describe(_) => true,
            Command::SendPacket { .. } => self.expected.running,
            _ => false,
        })
    }

    /// Marks the mirror as unknown until a clear succeeds or the board boots.
    pub fn lose(&mut self) {
        let running = self.confirmed.running;
        self.restart(State { running, may_run: running, may_have_run: running, ..State::default() });
    }

    /// Rebuilds the mirror from what a board said while it booted. An empty board says nothing: `&[]`.
    pub fn boot(&mut self, chatter: &[Response]) {
        let mut state = State { known: true, limits: self.limits, heard: true, ..State::default() };
        for response in chatter {
            state.hear(response, self.runs_through_clear());
        }
        self.restart(state);
    }

    /// Takes up a board where it was left: its nodes by id with their components, its edges, and how many packets wait for a start.
    pub fn resume(
        &mut self,
        nodes: &[(u8, u8)],
        edges: &[(PortRef, PortRef)],
        highest: u8,
        running: bool,
        waiting: usize,
    ) {
        let nodes = nodes.iter().map(|(id, component)| (*id, Node { component: *component, parent: 0 })).collect();
        self.restart(State {
            known: true,
            nodes,
            highest,
            edges: edges.iter().copied().collect(),
            heard: true,
            running,
            may_run: running,
            may_have_run: true,
            queued: if running { 0 } else { waiting },
            ..State::default()
        });
    }

    fn restart(&mut self, mut state: State) {
        state.limits = self.limits;
        self.expected = state.clone();
        self.confirmed = state;
        self.flights.clear();
    }

    /// Notes a command that goes to the board. Each is settled once.
    pub fn sent(&mut self, command: &Command) {
        let alters = matches!(
            command,
            Command::ClearNodes
                | Command::CreateComponent { .. }
                | Command::ConnectNodes(_)
                | Command::DisconnectNodes(_)
                | Command::RemoveNode { .. }
                | Command::SubscribeToPort { .. }
                | Command::SendPacket { .. }
                | Command::StartNetwork
                | Command::StopNetwork
                | Command::GetNetworkStatus
        );
        if alters {
            self.flights.push_back(*command);
            self.expect(command);
        }
    }

    /// Settles a command that was [`sent`](Self::sent).
    pub fn settle(&mut self, command: &Command, outcome: &Outcome) {
        let Some(at) = self.flights.iter().position(|flight| flight == command) else { return };
        self.flights.remove(at);
        match outcome {
            Err(Failure::Lost) => return self.lose(),
            Err(Failure::NoAnswer | Failure::Gone) if *command == Command::ClearNodes => return self.lose(),
            Err(_) | Ok(Response::Error(_)) => {}
            Ok(response) => {
                self.confirmed.hear(response, self.runs_through_clear());
                // What was expected came true: nothing to work out again.
                if matches!(
                    response,
                    Response::NodesConnected(_)
                        | Response::NodesDisconnected(_)
                        | Response::NodeRemoved { .. }
                        | Response::PortSubscriptionChanged { .. }
                        | Response::SendPacketDone { .. }
                ) {
                    return;
                }
                if let Response::NodeAdded { .. } = response
                    && !self.is_clearing()
                {
                    self.expected.creating = self.expected.creating.saturating_sub(1);
                    return self.expected.hear(response, self.runs_through_clear());
                }
            }
        }
        self.expected = self.confirmed.clone();
        for command in std::mem::take(&mut self.flights) {
            self.expect(&command);
            self.flights.push_back(command);
        }
    }

    fn expect(&mut self, command: &Command) {
        let keeps_running = self.runs_through_clear();
        let state = &mut self.expected;
        match *command {
            Command::ClearNodes => {
                state.clear(keeps_running);
                state.known = true;
            }
            Command::CreateComponent { .. } => state.creating += 1,
            Command::ConnectNodes(edge) => _ = state.edges.insert(edge.src, edge.tgt),
            Command::DisconnectNodes(edge) => state.disconnect(edge),
            Command::RemoveNode { node } => state.remove(node),
            Command::SubscribeToPort { port, enable } => state.subscribe(port, enable),
            // Until the start is confirmed, the queue may still be full.
            Command::StartNetwork => (state.may_run, state.may_have_run) = (true, true),
            Command::StopNetwork => state.stop(),
            Command::SendPacket { target, .. } => state.queue(target),
            _ => {}
        }
    }
}

impl State {
    /// What the board said it did.
    fn hear(&mut self, response: &Response, runs_through_clear: bool) {
        match *response {
            Response::NodesCleared => {
                self.clear(runs_through_clear);
                self.known = true;
            }
            Response::NodeAdded { component, node, parent } => {
                self.nodes.insert(node, Node { component, parent });
                self.highest = self.highest.max(node);
            }
            Response::NodesConnected(edge) => _ = self.edges.insert(edge.src, edge.tgt),
            Response::NodesDisconnected(edge) => self.disconnect(edge),
            Response::NodeRemoved { node } => self.remove(node),
            Response::PortSubscriptionChanged { port, enabled } => self.subscribe(port, enabled),
            Response::SendPacketDone { target, .. } => self.queue(target),
            Response::NetworkStarted | Response::NetworkStatus { running: true } => self.start(),
            Response::NetworkStopped | Response::NetworkStatus { running: false } => {
                self.stop();
                (self.heard, self.may_run) = (true, false);
            }
            _ => {}
        }
    }

    fn clear(&mut self, runs_through_clear: bool) {
        let running = self.running && runs_through_clear;
        let may_run = self.may_run && runs_through_clear;
        // Clearing stops it, or it is as before.
        let heard = self.heard || !runs_through_clear;
        let may_have_run = may_run || !heard;
        *self =
            State { known: self.known, limits: self.limits, heard, running, may_run, may_have_run, ..State::default() };
    }

    /// A running network empties its queue.
    fn start(&mut self) {
        (self.heard, self.running, self.may_run, self.may_have_run) = (true, true, true, true);
        self.queued = 0;
        self.queued_for.clear();
    }

    fn stop(&mut self) {
        if std::mem::take(&mut self.running) {
            self.queued = self.limits.left_by_a_stop();
        }
    }

    fn queue(&mut self, target: PortRef) {
        if !self.running {
            self.queued += 1;
            self.queued_for.insert(target.node);
        }
    }

    fn remove(&mut self, node: u8) {
        self.nodes.remove(&node);
        self.edges.retain(|src, _| src.node != node);
        self.subscriptions.retain(|port| port.node != node);
    }

    /// Firmware looks at the out port only, and forgets its subscription too.
    fn disconnect(&mut self, edge: Edge) {
        self.edges.remove(&edge.src);
        self.subscriptions.remove(&edge.src);
    }

    fn subscribe(&mut self, port: PortRef, enable: bool) {
        if enable {
            self.subscriptions.insert(port);
        } else {
            self.subscriptions.remove(&port);
        }
    }
}
