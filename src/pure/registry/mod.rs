//! The rules of a Flowhub-compatible registry: what a runtime's record is, who may write it and who may see it.
//!
//! The same rules serve HTTP callers and the bridge's own boards.

mod event;
mod presence;
mod record;
mod rules;
mod users;

pub use super::time::UnixMillis;
pub use event::{Event, EventKind};
pub use presence::{OFFLINE_AFTER, Presence};
pub use record::{Invalid, Patch, RECORD_LIMIT_BYTES, Record};
pub use rules::{Caller, Entry, Owner, Put, RECORDS_PER_USER, Refusal, may_own, ping, put, readable};
pub use users::{BadUserName, user_name};

#[cfg(test)]
mod tests;
