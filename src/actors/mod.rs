//! The only long-lived tasks, and the handles by which others talk to them.

pub mod directory;
pub mod registrar;
