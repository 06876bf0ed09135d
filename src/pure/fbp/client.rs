//! Clients, and the order of what they are told.
//!
//! A client gets its replies in the order of its messages, also where a later one could be answered at once.
//! So each message takes a slot; slots are emptied from the front.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::message::Incoming;
use super::permission::Permission;
use super::{Output, Runtime};
use crate::pure::model::graph::Port;

/// Messages of one client that may wait for their replies.
const WAITING_MESSAGES: usize = 2048;

/// Names a client for as long as it is connected. Given by whoever owns the connections; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientId(pub u64);

/// A connected client.
#[derive(Debug, Default)]
pub(super) struct Client {
    /// The most that a secret of its has opened: it sees changes and data accordingly.
    pub(super) may: Permission,
    /// The out ports whose edges it watches; without a choice, all.
    pub(super) selection: Option<BTreeSet<Port>>,
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
                    let texts = self.question(&message, permission, now);
                    self.output.extend(texts.into_iter().map(|text| Output::Send { to, text }));
                }
                Some(waiting @ Slot::Waiting(_)) => return client.slots.push_front(waiting),
                None => return,
            }
        }
    }

    /// Whether anybody may see what happens.
    pub(super) fn has_audience(&self) -> bool {
        self.readers().next().is_some()
    }

    /// The clients that may see graph and data.
    pub(super) fn readers(&self) -> impl Iterator<Item = (ClientId, &Client)> {
        let readers = self.clients.iter().filter(|(_, client)| client.may >= Permission::Read);
        readers.map(|(id, client)| (*id, client))
    }

    /// Tells everybody who may at least that much, except one.
    pub(super) fn tell_except(&mut self, except: Option<ClientId>, may: Permission, text: &Arc<str>) {
        let audience = self.clients.iter().filter(|(id, client)| client.may >= may && Some(**id) != except);
        self.output.extend(audience.map(|(id, _)| Output::Send { to: *id, text: text.clone() }));
    }

    /// Tells everybody who may see graph and data.
    pub(super) fn tell(&mut self, text: &Arc<str>) {
        self.tell_except(None, Permission::Read, text);
    }

    /// Nobody has chosen any edges any more.
    pub(super) fn forget_selections(&mut self) {
        self.clients.values_mut().for_each(|client| client.selection = None);
    }
}

impl Client {
    /// Whether it watches the edge that leaves that port.
    pub(super) fn watches(&self, src: Port) -> bool {
        self.selection.as_ref().is_none_or(|chosen| chosen.contains(&src))
    }
}
