//! The server as clients meet it: real sockets on loopback, in front of a made-up directory.

mod api;
pub(crate) mod bench;
mod connections;
mod events;
mod guard;
mod sockets;
