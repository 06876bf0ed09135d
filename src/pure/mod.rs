//! Everything that decides, without a clock, a file or a socket.

pub mod access;
pub mod admission;
pub mod backoff;
pub mod board;
pub mod descriptor;
pub mod doctor;
pub mod families;
pub mod fbp;
pub mod firmwares;
pub mod flashing;
pub mod identity;
pub mod introduction;
pub mod language;
pub mod model;
pub mod port;
pub mod program;
pub mod rate;
pub mod raw;
pub mod registration;
pub mod registry;
pub mod request;
pub mod secret;
pub mod session;
pub mod time;
pub mod view;
