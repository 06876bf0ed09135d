//! Everything that decides, without a clock, a file or a socket.

pub mod port;
pub mod raw;
pub mod request;
pub mod session;
pub mod view;
