//! The only long-lived tasks, and the handles by which others talk to them.

pub mod announcer;
pub mod board;
pub mod directory;
pub mod heartbeat;
pub mod keeper;
pub mod registrar;
pub mod registry;
pub mod status;
pub mod supervisor;
pub mod traffic;
