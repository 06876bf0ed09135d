//! A client's message: who may ask for it, what it asks, and where it waits for its turn.

use std::sync::Arc;

use serde_json::Value;

use super::engine::WAITING_OPS;
use super::message::{Incoming, Malformed, error, outgoing};
use super::op::{Action, Op};
use super::permission::Permission;
use super::refusal::Refusal;
use super::{ClientId, Runtime, exports, graph, network};

impl Runtime {
    /// Takes a client's message. Every one is answered.
    pub fn handle_text(&mut self, client: ClientId, text: &str, now: u64) {
        let message = match Incoming::parse(text) {
            Ok(message) => message,
            Err(Malformed { protocol, request_id, text }) => {
                return self.reply(client, error(&protocol, &text, request_id.as_deref()), now);
            }
        };
        let permission = Permission::of(&message.secret, &self.identity);
        if let Some(client) = self.clients.get_mut(&client) {
            client.may = client.may.max(permission);
        }
        let needed = Permission::needed(&message.protocol, &message.command);
        let read = match (message.protocol.as_str(), message.command.as_str()) {
            _ if permission < needed => {
                Err(if permission == Permission::Nothing { Refusal::Secret } else { Refusal::ReadOnly })
            }
            ("runtime", "getruntime")
            | ("component", "list" | "getsource")
            | ("network", "getstatus")
            | ("trace", "start" | "stop" | "clear" | "dump") => {
                return self.ask(client, message, permission, now);
            }
            ("graph", _) => graph::parse(&message).map(|read| ("graph", read)),
            ("network", _) => network::parse(&message).map(|read| ("network", read)),
            ("runtime", "packet") => exports::parse_packet(&message).map(|read| ("runtime", read)),
            (protocol, command) => {
                Err(Refusal::Unsupported { protocol: protocol.to_owned(), command: command.to_owned() })
            }
        };
        match read {
            Ok((protocol, read)) => self.enqueue(client, protocol, message, read, now),
            Err(refusal) => {
                let text = refusal.text(&self.identity.label);
                let text = error(&message.protocol, &text, message.request_id.as_deref());
                self.reply(client, text, now);
            }
        }
    }

    fn enqueue(
        &mut self,
        client: ClientId,
        protocol: &'static str,
        message: Incoming,
        (action, echo): (Action, Value),
        now: u64,
    ) {
        let graph = message.payload.get("graph").and_then(Value::as_str).map(str::to_owned);
        let room = self.ops.len() < WAITING_OPS;
        let asker = if room { self.wait(client, message.request_id.clone()) } else { None };
        let Some(asker) = asker else {
            let text = error(protocol, &self.overload(), message.request_id.as_deref());
            return self.reply(client, text, now);
        };
        self.ops.push_back(Op { asker, protocol, command: message.command, graph, echo, action });
        self.advance(now);
    }

    pub(super) fn overload(&self) -> String {
        format!("too many messages wait for board {}; wait for replies before sending more", self.identity.label)
    }

    /// Answers a question whose turn has come: all that its asker sent before is done.
    pub(super) fn question(&mut self, message: &Incoming, permission: Permission, now: u64) -> Vec<Arc<str>> {
        let id = message.request_id.as_deref();
        let (command, payload) = match (message.protocol.as_str(), message.command.as_str()) {
            ("runtime", _) => return self.describe(message, permission),
            ("component", "list") => return self.component_list(message),
            ("component", _) => ("source", self.component_source(message)),
            ("trace", command) => (command, self.trace(message)),
            _ => ("status", self.named_graph(message).map(|()| self.status_payload(now))),
        };
        match payload {
            Ok(payload) => vec![outgoing(&message.protocol, command, &payload, id)],
            Err(refusal) => vec![error(&message.protocol, &refusal.text(&self.identity.label), id)],
        }
    }

    fn named_graph(&self, message: &Incoming) -> Result<(), Refusal> {
        self.check_graph(message.payload.get("graph").and_then(Value::as_str))
    }
}
