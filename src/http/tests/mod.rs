//! The server as clients meet it: real sockets on loopback, in front of a made-up directory.

mod api;
mod bench;
mod connections;
mod guard;
mod sockets;
