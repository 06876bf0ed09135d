//! Who may do what with a record.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Invalid, Patch, Record, UnixMillis};

/// The most records of one user.
pub const RECORDS_PER_USER: u64 = 10_000;

/// Who is calling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The user whose token came with the call.
    pub user: Option<Uuid>,
    /// Whether the call comes from this machine: over loopback or the control socket.
    pub local: bool,
    /// Whether anybody may register runtimes here, from anywhere (`--open-registration`).
    pub open: bool,
}

impl Caller {
    /// A program on this machine that speaks for that user.
    pub const fn local(user: Option<Uuid>) -> Caller {
        Caller { user, local: true, open: false }
    }

    /// Whoever comes from outside, with that user's token.
    pub const fn remote(user: Option<Uuid>) -> Caller {
        Caller { user, local: false, open: false }
    }
}

/// What the owner of a new record has already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Whether the registry knows this user.
    pub known: bool,
    /// How many records the user has.
    pub records: u64,
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
    /// Whose list it has left for this one.
    pub from: Option<Uuid>,
}

/// Why a call is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The call needs a token, or the one that came is nobody's.
    #[error(
        "send a valid token as `Authorization: Bearer TOKEN`; `microflo-bridge registry user show` prints the local \
         user's, and whoever runs the registry makes others with `registry user add` and `rotate`"
    )]
    Unauthenticated,
    /// No such runtime.
    #[error("no runtime with this id is registered here; register it with PUT /runtimes/ID")]
    NotFound,
    /// The record is another user's.
    #[error("this runtime belongs to another user; use that user's token")]
    NotOwner,
    /// Neither the stored secret nor the owner's token.
    #[error("this runtime is registered with another secret; send that one or the owner's token, or delete the record")]
    WrongSecret,
    /// A stranger wants to create a record.
    #[error("from another machine a new runtime is registered only with a token: `Authorization: Bearer TOKEN`")]
    AnonymousCreate,
    /// A stranger wants to place a record in somebody else's list.
    #[error(
        "from another machine a runtime is registered only for the user whose token it brings; \
         leave \"user\" out, or send that user's token"
    )]
    ForeignOwner,
    /// A stranger wants to place a record in nobody's list.
    #[error("this registry has no user with the id in \"user\"; `microflo-bridge registry user list` shows the ids")]
    UnknownOwner,
    /// The user has as many as may be.
    #[error(
        "this user has {RECORDS_PER_USER} runtimes registered, which is the limit; delete some that are not used any more"
    )]
    TooMany,
    /// The record itself is wrong.
    #[error(transparent)]
    Invalid(#[from] Invalid),
}

impl Entry {
    /// All that the owner may see, which is all: the secret too.
    pub fn to_json(&self, online: bool) -> Map<String, Value> {
        let mut keys = self.record.to_json();
        keys.insert("registered".to_owned(), Value::String(self.registered.to_string()));
        keys.insert("seen".to_owned(), Value::String(self.seen.to_string()));
        keys.insert("online".to_owned(), Value::Bool(online));
        keys
    }
}

/// `PUT`: creates a record or merges into the stored one. A new one's owner has to be checked with [`may_own`].
pub fn put(stored: Option<Entry>, id: Uuid, patch: Patch, caller: Caller, now: UnixMillis) -> Result<Put, Refusal> {
    match stored {
        None => create(id, patch, caller, now),
        Some(entry) => update(entry, patch, caller, now),
    }
}

fn create(id: Uuid, patch: Patch, caller: Caller, now: UnixMillis) -> Result<Put, Refusal> {
    let anonymous = !caller.local && caller.user.is_none();
    if anonymous && !caller.open {
        return Err(Refusal::AnonymousCreate);
    }
    let record = Record::create(id, patch, caller.user)?;
    if !anonymous && !may_give_to(caller, record.user) {
        return Err(Refusal::ForeignOwner);
    }
    Ok(Put { entry: Entry { record, registered: now, seen: now }, created: true, from: None })
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
    let before = stored.record.user;
    let moves = patch.user.is_some_and(|user| user != before);
    let record = stored.record.merged(patch)?;
    if moves && !may_give_to(caller, record.user) {
        return Err(Refusal::ForeignOwner);
    }
    let entry = Entry { record, registered: stored.registered, seen: now };
    Ok(Put { entry, created: false, from: moves.then_some(before) })
}

/// Nobody from outside places records in another user's list.
fn may_give_to(caller: Caller, user: Uuid) -> bool {
    caller.local || caller.user == Some(user)
}

/// Whether that user may get one more record. This machine's own programs may use ids that the registry does not know:
/// those of users elsewhere.
pub fn may_own(owner: Owner, caller: Caller) -> Result<(), Refusal> {
    if !owner.known && !caller.local {
        return Err(Refusal::UnknownOwner);
    }
    if owner.records >= RECORDS_PER_USER { Err(Refusal::TooMany) } else { Ok(()) }
}

/// `POST`: the runtime is alive. Anybody may say so; it changes nothing but `seen`. The new `seen`, from the stored one.
pub fn ping(seen: Option<UnixMillis>, now: UnixMillis) -> Result<UnixMillis, Refusal> {
    Ok(now.max(seen.ok_or(Refusal::NotFound)?))
}

/// `GET` and `DELETE` of one runtime: for its owner only.
pub fn readable(stored: Option<Entry>, caller: Caller) -> Result<Entry, Refusal> {
    let user = caller.user.ok_or(Refusal::Unauthenticated)?;
    let entry = stored.ok_or(Refusal::NotFound)?;
    if entry.record.user == user { Ok(entry) } else { Err(Refusal::NotOwner) }
}
