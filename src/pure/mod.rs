//! Everything that decides, without a clock, a file or a socket.

pub mod admission;
pub mod families;
pub mod identity;
pub mod port;
pub mod port_diff;
pub mod request;
pub mod view;
