//! Clients, and the order of what they are told.
//!
//! A client gets its replies in the order of its messages, also where a later one could be answered at once.
//! So each message takes a slot; slots are emptied from the front.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::message::Incoming;
use super::permission::Permission;
use super::{Output, Runtime};

/// Messages of one client that may wait for their replies.
const WAITING_MESSAGES: usize = 2048;

/// Names a client for as long as it is connected. Given by whoever owns the connections; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientId(pub u64);

/// A connected client.
#[derive(Debug, Default)]
pub(super) struct Client {
    /// It has sent a right secret, so it may see changes and data.
    pub(super) authorised: bool,
    slots: VecDeque<Slot>,
}

pub(super) type Clients = BTreeMap<ClientId, Client>;

#[derive(Debug)]
enum Slot {
    /// An operation on the board, by its serial.
    Waiting(u64),
    /// Its replies.
    Ready(Vec<Arc<str>>),
    /// A question, answered when everything before it is done.
    Question(Incoming, Permission),
}

/// To whom an operation's reply goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asker {
    pub(super) client: ClientId,
    pub(super) serial: u64,
    pub(super) request_id: Option<String>,
}

impl Runtime {
    /// Takes a slot for an operation. `None` if too many messages wait already.
    pub(super) fn wait(&mut self, client: ClientId, request_id: Option<String>) -> Option<Asker> {
        let slots = &mut self.clients.get_mut(&client)?.slots;
        if slots.len() >= WAITING_MESSAGES {
            return None;
        }
        self.next_serial += 1;
        slots.push_back(Slot::Waiting(self.next_serial));
        Some(Asker { client, serial: self.next_serial, request_id })
    }

    /// Answers a question once its turn has come.
    pub(super) fn ask(&mut self, client: ClientId, message: Incoming, permission: Permission, now: u64) {
        let Some(waiting) = self.clients.get_mut(&client) else { return };
        if waiting.slots.len() >= WAITING_MESSAGES {
            let text = self.overload();
            let reply = super::message::error(&message.protocol, &text, message.request_id.as_deref());
            return self.output.push_back(Output::Send { to: client, text: reply });
        }
        waiting.slots.push_back(Slot::Question(message, permission));
        self.flush(client, now);
    }

    /// Replies to a message in its turn.
    pub(super) fn reply(&mut self, client: ClientId, text: Arc<str>, now: u64) {
        let Some(waiting) = self.clients.get_mut(&client) else { return };
        if waiting.slots.len() >= WAITING_MESSAGES {
            return self.output.push_back(Output::Send { to: client, text });
        }
        waiting.slots.push_back(Slot::Ready(vec![text]));
        self.flush(client, now);
    }

    /// The replies of an operation are there.
    pub(super) fn answered(&mut self, asker: &Asker, texts: Vec<Arc<str>>, now: u64) {
        let Some(client) = self.clients.get_mut(&asker.client) else { return };
        let slot =
            client.slots.iter_mut().find(|slot| matches!(slot, Slot::Waiting(serial) if *serial == asker.serial));
        if let Some(slot) = slot {
            *slot = Slot::Ready(texts);
        }
        self.flush(asker.client, now);
    }

    fn flush(&mut self, to: ClientId, now: u64) {
        loop {
            let Some(client) = self.clients.get_mut(&to) else { return };
            match client.slots.pop_front() {
                Some(Slot::Ready(texts)) => {
                    self.output.extend(texts.into_iter().map(|text| Output::Send { to, text }));
                }
                Some(Slot::Question(message, permission)) => {
                    let texts = self.question(to, &message, permission, now);
                    self.output.extend(texts.into_iter().map(|text| Output::Send { to, text }));
                }
                Some(waiting @ Slot::Waiting(_)) => return client.slots.push_front(waiting),
                None => return,
            }
        }
    }

    /// Whether anybody may see what happens.
    pub(super) fn has_audience(&self) -> bool {
        self.clients.values().any(|client| client.authorised)
    }

    /// Tells everybody who has proved the secret, except one.
    pub(super) fn tell_except(&mut self, except: Option<ClientId>, text: &Arc<str>) {
        let audience = self.clients.iter().filter(|(id, client)| client.authorised && Some(**id) != except);
        self.output.extend(audience.map(|(id, _)| Output::Send { to: *id, text: text.clone() }));
    }

    /// Tells everybody who has proved the secret.
    pub(super) fn tell(&mut self, text: &Arc<str>) {
        self.tell_except(None, text);
    }
}
