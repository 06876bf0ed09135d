//! Who may do what with a record.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Invalid, Patch, Record, UnixMillis};

/// Who is calling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The user whose token came with the call.
    pub user: Option<Uuid>,
    /// Whether the call comes from this machine: over loopback or the control socket.
    pub local: bool,
}

/// A record and when it came.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// What the runtime says of itself.
    pub record: Record,
    /// When it was put for the first time.
    pub registered: UnixMillis,
    /// When it was last put or pinged.
    pub seen: UnixMillis,
}

/// What a `PUT` leads to.
#[derive(Clone, Debug, PartialEq)]
pub struct Put {
    /// What the registry holds from now on.
    pub entry: Entry,
    /// Whether there was none before.
    pub created: bool,
}

/// Why a call is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The call needs a token, or the one that came is nobody's.
    #[error("send a valid token as `Authorization: Bearer TOKEN`; `microflo-bridge registry user show` prints yours")]
    Unauthenticated,
    /// No such runtime.
    #[error("no runtime with this id is registered here")]
    NotFound,
    /// The record is another user's.
    #[error("this runtime belongs to another user")]
    NotOwner,
    /// Neither the stored secret nor the owner's token.
    #[error("this runtime is registered with another secret; send that one or the owner's token, or delete the record")]
    WrongSecret,
    /// A stranger wants to create a record.
    #[error("from another machine a new runtime is registered only with a token: `Authorization: Bearer TOKEN`")]
    AnonymousCreate,
    /// A stranger wants to place a record in somebody else's list.
    #[error("from another machine a runtime is registered only for the user whose token it brings")]
    ForeignOwner,
    /// The record itself is wrong.
    #[error(transparent)]
    Invalid(#[from] Invalid),
}

impl Entry {
    /// All that the owner may see, which is all: the secret too.
    pub fn to_json(&self) -> Map<String, Value> {
        let mut keys = self.record.to_json();
        keys.insert("registered".to_owned(), Value::String(self.registered.to_string()));
        keys.insert("seen".to_owned(), Value::String(self.seen.to_string()));
        keys
    }
}

/// `PUT`: creates a record or merges into the stored one.
pub fn put(stored: Option<Entry>, id: Uuid, patch: Patch, caller: Caller, now: UnixMillis) -> Result<Put, Refusal> {
    match stored {
        None => create(id, patch, caller, now),
        Some(entry) => update(entry, patch, caller, now),
    }
}

fn create(id: Uuid, patch: Patch, caller: Caller, now: UnixMillis) -> Result<Put, Refusal> {
    if !caller.local && caller.user.is_none() {
        return Err(Refusal::AnonymousCreate);
    }
    let record = Record::create(id, patch, caller.user)?;
    if !may_give_to(caller, record.user) {
        return Err(Refusal::ForeignOwner);
    }
    Ok(Put { entry: Entry { record, registered: now, seen: now }, created: true })
}

fn update(stored: Entry, patch: Patch, caller: Caller, now: UnixMillis) -> Result<Put, Refusal> {
    let owner = caller.user == Some(stored.record.user);
    let proved = match (&stored.record.secret, &patch.secret) {
        (Some(secret), Some(offered)) => secret.matches(offered.expose()),
        // Without a secret there is nothing to prove by: only this machine's own programs are trusted.
        (None, None) => caller.local,
        _ => false,
    };
    if !owner && !proved {
        return Err(Refusal::WrongSecret);
    }
    let moves = patch.user.is_some_and(|user| user != stored.record.user);
    let record = stored.record.merged(patch)?;
    if moves && !may_give_to(caller, record.user) {
        return Err(Refusal::ForeignOwner);
    }
    Ok(Put { entry: Entry { record, registered: stored.registered, seen: now }, created: false })
}

/// Nobody from outside places records in another user's list.
fn may_give_to(caller: Caller, user: Uuid) -> bool {
    caller.local || caller.user == Some(user)
}

/// `POST`: the runtime is alive. Anybody may say so; it changes nothing but `seen`.
pub fn ping(stored: Option<Entry>, now: UnixMillis) -> Result<Entry, Refusal> {
    let entry = stored.ok_or(Refusal::NotFound)?;
    Ok(Entry { seen: now.max(entry.seen), ..entry })
}

/// `GET` and `DELETE` of one runtime: for its owner only.
pub fn readable(stored: Option<Entry>, caller: Caller) -> Result<Entry, Refusal> {
    let user = caller.user.ok_or(Refusal::Unauthenticated)?;
    let entry = stored.ok_or(Refusal::NotFound)?;
    if entry.record.user == user { Ok(entry) } else { Err(Refusal::NotOwner) }
}
