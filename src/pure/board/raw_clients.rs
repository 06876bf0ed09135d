//! The raw clients of one board.

use std::collections::{HashMap, VecDeque};

use firmware_proto::{Command, DebugPoint, Dialect, Event, Response};

use crate::pure::fbp::{self, ClientId};
use crate::pure::raw::{RawInput, RawSession};
use crate::pure::request::{Failure, Outcome, Request, Ticket};

/// Tickets of raw requests have this bit; those of the FBP runtime do not.
const RAW_TICKETS: u64 = 1 << 63;

#[derive(Debug)]
struct Asked {
    client: ClientId,
    request_id: u8,
    command: Command,
}

/// A client, and those of its commands that wait for the answers to earlier ones.
#[derive(Debug)]
struct RawClient {
    session: RawSession,
    /// With the client's own request id.
    held: VecDeque<(u8, Command)>,
    /// Commands that are not answered yet.
    under_way: usize,
}

/// All raw clients of one board. What is for a client is gathered, so that a flood of events makes few messages.
#[derive(Debug, Default)]
pub(super) struct RawClients {
    clients: HashMap<ClientId, RawClient>,
    asked: HashMap<Ticket, Asked>,
    next_ticket: u64,
    outbox: HashMap<ClientId, Vec<u8>>,
}

impl RawClients {
    pub(super) fn connect(&mut self, client: ClientId, dialect: Dialect) {
        let session = RawSession::new(dialect);
        self.clients.insert(client, RawClient { session, held: VecDeque::new(), under_way: 0 });
    }

    pub(super) fn disconnect(&mut self, client: ClientId) {
        self.clients.remove(&client);
        self.outbox.remove(&client);
    }

    /// The requests in a client's bytes.
    pub(super) fn handle_bytes(&mut self, client: ClientId, bytes: &[u8], mirror: &mut fbp::Runtime) -> Vec<Request> {
        let Some(RawClient { session, held, .. }) = self.clients.get_mut(&client) else { return Vec::new() };
        for byte in bytes {
            match session.feed(*byte) {
                Some(RawInput::Reply(frame)) => {
                    self.outbox.entry(client).or_default().extend_from_slice(frame.as_bytes());
                }
                Some(RawInput::Command { request_id, command }) => held.push_back((request_id, command)),
                None => {}
            }
        }
        self.release(client, mirror)
    }

    /// Those commands of all clients that may go to the board now.
    pub(super) fn release_all(&mut self, mirror: &mut fbp::Runtime) -> Vec<Request> {
        mirror.yield_to_raw();
        let held = self.clients.iter().filter(|(_, client)| !client.held.is_empty());
        let ids: Vec<ClientId> = held.map(|(id, _)| *id).collect();
        ids.into_iter().flat_map(|id| self.release(id, mirror)).collect()
    }

    /// Those of a client's commands that may go to the board now, beside FBP clients' operations. What would harm
    /// the board is refused, but only once everything before is answered: the nodes that a command names may just be being made.
    fn release(&mut self, id: ClientId, mirror: &mut fbp::Runtime) -> Vec<Request> {
        let mut requests = Vec::new();
        let Some(client) = self.clients.get_mut(&id) else { return requests };
        while let Some((request_id, command)) = client.held.pop_front() {
            if mirror.must_wait(&command) {
                client.held.push_front((request_id, command));
                break;
            }
            match mirror.check_raw(&command) {
                Ok(()) => {
                    let ticket = Ticket(RAW_TICKETS | self.next_ticket);
                    self.next_ticket += 1;
                    self.asked.insert(ticket, Asked { client: id, request_id, command });
                    client.under_way += 1;
                    requests.push(Request { ticket, command });
                }
                Err(_) if client.under_way > 0 => {
                    client.held.push_front((request_id, command));
                    break;
                }
                Err(point) => {
                    let refusal = client.session.refuse(request_id, point);
                    self.outbox.entry(id).or_default().extend_from_slice(refusal.as_bytes());
                }
            }
        }
        requests
    }

    /// How many commands wait for the answers to earlier ones.
    pub(super) fn held(&self) -> usize {
        self.clients.values().map(|client| client.held.len()).sum()
    }

    /// A raw request ended: its answer goes to the asker. Returns what was asked, for the mirror, after which
    /// [`release_all`](Self::release_all) follows; `None` if the ticket is not a raw one.
    pub(super) fn handle_outcome(&mut self, ticket: Ticket, outcome: Outcome) -> Option<Command> {
        let Asked { client, request_id, command } = self.asked.remove(&ticket)?;
        let asked = Some(command);
        let Some(RawClient { session, under_way, .. }) = self.clients.get_mut(&client) else { return asked };
        *under_way -= 1;
        let frame = match outcome {
            Ok(response) => session.respond(request_id, response),
            // In the 8-byte dialect the refusal is the debug message that everybody gets.
            Err(Failure::Refused(_)) if session.dialect() == Dialect::Flo01 => return asked,
            Err(Failure::Refused(point)) => session.respond(request_id, Response::Error(point)),
            Err(_) => session.refuse(request_id, DebugPoint::ParserInvalidState),
        };
        self.outbox.entry(client).or_default().extend_from_slice(frame.as_bytes());
        asked
    }

    /// An event goes to every client with an open session.
    pub(super) fn handle_event(&mut self, event: Event) {
        for (client, RawClient { session, .. }) in self.clients.iter().filter(|(_, client)| client.session.is_open()) {
            self.outbox.entry(*client).or_default().extend_from_slice(session.event(event).as_bytes());
        }
    }

    /// Bytes were lost, or the graph was built anew: what clients know of it is void. They hear it as a board says it, by a debug
    /// message.
    pub(super) fn graph_lost(&mut self) {
        for (client, RawClient { session, .. }) in self.clients.iter().filter(|(_, client)| client.session.is_open()) {
            let frame = session.debug(DebugPoint::ParserInvalidState);
            self.outbox.entry(*client).or_default().extend_from_slice(frame.as_bytes());
        }
    }

    /// The board has restarted: clients get its boot chatter and must open their sessions again.
    pub(super) fn restarted(&mut self, boot: &[Response]) {
        for (client, RawClient { session, held, .. }) in &mut self.clients {
            held.clear();
            self.outbox.entry(*client).or_default().extend(session.restarted(boot));
        }
    }

    /// The next client's bytes.
    pub(super) fn poll(&mut self) -> Option<(ClientId, Vec<u8>)> {
        let client = *self.outbox.keys().next()?;
        self.outbox.remove_entry(&client)
    }
}

#[cfg(test)]
mod tests {
    use firmware_proto::{Edge, PortRef};

    use super::*;

    const CLIENT: ClientId = ClientId(1);
    const CREATE: Command = Command::CreateComponent { component: 7, parent: 0 };

    fn connect(src: u8, tgt: u8) -> Command {
        let port = |node| PortRef { node, port: 0 };
        Command::ConnectNodes(Edge { src: port(src), tgt: port(tgt) })
    }

    /// A client that sends all of these at once, and a board that answers each as it comes. What the board got, and the client.
    fn all_at_once(commands: &[Command]) -> (Vec<Command>, Vec<u8>) {
        let identity = fbp::Identity {
            id: uuid::Uuid::nil(),
            label: "board".into(),
            secret: "s".into(),
            read_secret: String::new(),
        };
        let mut mirror = fbp::Runtime::new(identity, None);
        mirror.handle_boot(&[], 0);
        let mut raw = RawClients::default();
        raw.connect(CLIENT, Dialect::Flo01);
        let bytes = commands.iter().flat_map(|command| command.encode(Dialect::Flo01, 0).as_bytes().to_vec());
        let opening = Dialect::Flo01.opening(0);
        let bytes: Vec<u8> = opening.as_bytes().iter().copied().chain(bytes).collect();

        let mut wire: VecDeque<Request> = raw.handle_bytes(CLIENT, &bytes, &mut mirror).into();
        let (mut carried_out, mut nodes) = (Vec::new(), 0);
        while let Some(Request { ticket, command }) = wire.pop_front() {
            let response = match command {
                Command::CreateComponent { component, parent } => {
                    nodes += 1;
                    Response::NodeAdded { component, node: nodes, parent }
                }
                Command::ConnectNodes(edge) => Response::NodesConnected(edge),
                _ => Response::NodesCleared,
            };
            carried_out.push(command);
            let command = raw.handle_outcome(ticket, Ok(response)).unwrap();
            mirror.raw_outcome(&command, &Ok(response), 0);
            wire.extend(raw.release_all(&mut mirror));
        }
        assert_eq!(raw.held(), 0);
        (carried_out, raw.poll().map(|(_, bytes)| bytes).unwrap_or_default())
    }

    #[test]
    fn a_graph_sent_at_once_waits_for_its_own_nodes() {
        let graph = [Command::ClearNodes, CREATE, CREATE, connect(1, 2), CREATE, connect(2, 3)];
        let (carried_out, answers) = all_at_once(&graph);
        assert_eq!(carried_out, graph);
        assert_eq!(answers.len(), (1 + graph.len()) * Dialect::Flo01.frame_len());
    }

    #[test]
    fn a_refusal_comes_in_its_turn() {
        let (carried_out, answers) = all_at_once(&[CREATE, connect(1, 9), CREATE]);
        assert_eq!(carried_out, [CREATE, CREATE]);
        let ids: Vec<u8> = answers.chunks(Dialect::Flo01.frame_len()).map(|frame| frame[0]).collect();
        // Opened, node added, debug message, node added.
        assert_eq!(ids, [19, 101, 106, 101]);
    }
}
