//! The raw clients of one board.

use std::collections::HashMap;

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

/// All raw clients of one board. What is for a client is gathered, so that a flood of events makes few messages.
#[derive(Debug, Default)]
pub(super) struct RawClients {
    sessions: HashMap<ClientId, RawSession>,
    asked: HashMap<Ticket, Asked>,
    next_ticket: u64,
    outbox: HashMap<ClientId, Vec<u8>>,
}

impl RawClients {
    pub(super) fn connect(&mut self, client: ClientId, dialect: Dialect) {
        self.sessions.insert(client, RawSession::new(dialect));
    }

    pub(super) fn disconnect(&mut self, client: ClientId) {
        self.sessions.remove(&client);
        self.outbox.remove(&client);
    }

    /// The requests in a client's bytes. What would harm the board is refused here.
    pub(super) fn handle_bytes(&mut self, client: ClientId, bytes: &[u8], mirror: &mut fbp::Runtime) -> Vec<Request> {
        let mut requests = Vec::new();
        let Some(session) = self.sessions.get_mut(&client) else { return requests };
        for byte in bytes {
            let Some(input) = session.feed(*byte) else { continue };
            let reply = match input {
                RawInput::Reply(frame) => frame,
                RawInput::Command { request_id, command } => match mirror.check_raw(&command) {
                    Err(point) => session.refuse(request_id, point),
                    Ok(()) => {
                        let ticket = Ticket(RAW_TICKETS | self.next_ticket);
                        self.next_ticket += 1;
                        self.asked.insert(ticket, Asked { client, request_id, command });
                        requests.push(Request { ticket, command });
                        continue;
                    }
                },
            };
            self.outbox.entry(client).or_default().extend_from_slice(reply.as_bytes());
        }
        requests
    }

    /// A raw request ended: its answer goes to the asker. Returns the command; `None` if the ticket is not a raw one.
    pub(super) fn handle_outcome(&mut self, ticket: Ticket, outcome: Outcome) -> Option<Command> {
        let Asked { client, request_id, command } = self.asked.remove(&ticket)?;
        let Some(session) = self.sessions.get(&client) else { return Some(command) };
        let frame = match outcome {
            Ok(response) => session.respond(request_id, response),
            // In the 8-byte dialect the refusal is the debug message that everybody gets.
            Err(Failure::Refused(_)) if session.dialect() == Dialect::Flo01 => return Some(command),
            Err(Failure::Refused(point)) => session.respond(request_id, Response::Error(point)),
            Err(_) => session.refuse(request_id, DebugPoint::ParserInvalidState),
        };
        self.outbox.entry(client).or_default().extend_from_slice(frame.as_bytes());
        Some(command)
    }

    /// An event goes to every client with an open session.
    pub(super) fn handle_event(&mut self, event: Event) {
        for (client, session) in self.sessions.iter().filter(|(_, session)| session.is_open()) {
            self.outbox.entry(*client).or_default().extend_from_slice(session.event(event).as_bytes());
        }
    }

    /// Bytes were lost: clients hear it as a board says it, by a debug message.
    pub(super) fn graph_lost(&mut self) {
        for (client, session) in self.sessions.iter().filter(|(_, session)| session.is_open()) {
            let frame = session.debug(DebugPoint::ParserInvalidState);
            self.outbox.entry(*client).or_default().extend_from_slice(frame.as_bytes());
        }
    }

    /// The board has restarted: clients get its boot chatter and must open their sessions again.
    pub(super) fn restarted(&mut self, boot: &[Response]) {
        for (client, session) in &mut self.sessions {
            self.outbox.entry(*client).or_default().extend(session.restarted(boot));
        }
    }

    /// The next client's bytes.
    pub(super) fn poll(&mut self) -> Option<(ClientId, Vec<u8>)> {
        let client = *self.outbox.keys().next()?;
        self.outbox.remove_entry(&client)
    }
}
