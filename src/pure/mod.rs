//! Everything that decides, without a clock, a file or a socket.

pub mod fbp;
pub mod model;
pub mod port;
pub mod request;
pub mod view;
