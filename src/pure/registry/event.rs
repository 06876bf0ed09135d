//! What watchers of a user's runtimes are told.

use std::fmt;
use std::str::FromStr;

use serde_json::{Value, json};
use uuid::Uuid;

use super::Entry;

/// What has happened to a runtime. The names are those of the events at `/runtimes/events`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// It was registered or its record changed.
    Put,
    /// It was offline, and has pinged.
    Online,
    /// It has missed its pings.
    Offline,
    /// Its record was deleted, or is another user's now.
    Delete,
}

impl EventKind {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            EventKind::Put => "put",
            EventKind::Online => "online",
            EventKind::Offline => "offline",
            EventKind::Delete => "delete",
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for EventKind {
    type Err = ();

    fn from_str(text: &str) -> Result<EventKind, ()> {
        let all = [EventKind::Put, EventKind::Online, EventKind::Offline, EventKind::Delete];
        all.into_iter().find(|kind| kind.name() == text).ok_or(())
    }
}

/// One change, for the user whose runtime it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// What has happened.
    pub kind: EventKind,
    /// In whose list.
    pub user: Uuid,
    /// To which runtime.
    pub id: Uuid,
    /// Its record; none if it is gone.
    pub entry: Option<Entry>,
}

impl Event {
    /// What is sent with it: the record as `GET /runtimes/ID` shows it, of a deleted one its id.
    pub fn to_json(&self, online: bool) -> Value {
        match &self.entry {
            Some(entry) => Value::Object(entry.to_json(online)),
            None => json!({"id": self.id}),
        }
    }
}
