//! The rules of a Flowhub-compatible registry: what a runtime's record is, who may write it and who may see it.
//!
//! The same rules serve HTTP callers and the bridge's own boards.

mod record;
mod rules;

pub use super::time::UnixMillis;
pub use record::{Invalid, Patch, RECORD_LIMIT_BYTES, Record};
pub use rules::{Caller, Entry, Put, Refusal, ping, put, readable};

#[cfg(test)]
mod tests;
