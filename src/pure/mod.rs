//! Everything that decides, without a clock, a file or a socket.

pub mod backoff;
pub mod port;
pub mod raw;
pub mod registration;
pub mod registry;
pub mod request;
pub mod secret;
pub mod session;
pub mod view;
