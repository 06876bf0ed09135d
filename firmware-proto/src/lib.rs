//! The MicroFlo wire protocol ("FBCS", the flow-based command stream), in both dialects that are in the field.
//!
//! A *command* travels host → board, a *response* answers one command, an *event* is sent by the board unasked.
//! All are frames of one fixed size per dialect. The crate is shared by hosts, simulators and Rust firmware:
//! `no_std`, no allocation, no unsafe.
//!
//! | module | holds |
//! |---|---|
//! | [`dialect`] | the two dialects: frame size, magic, what each can say |
//! | [`packet`] | the packet types that travel over edges |
//! | [`command`] | host → board, with encoding and decoding |
//! | [`message`] | board → host: responses and events |
//! | [`debug`] | debug levels and debug points |
//! | [`decoder`] | the host's streaming decoder: bounded, and finds the frame boundary again after lost bytes |
//! | [`framing`] | how a board cuts the host's bytes into commands |
//! | [`board_side`] | the board's half of the protocol: implement [`board_side::Board`], feed bytes to [`board_side::Parser`] |
//! | [`descriptor`] | self-describing boards: format, exchange, both halves |
//! | [`limits`] | what a board can take |
#![no_std]
#![forbid(unsafe_code)]

pub mod board_side;
pub mod command;
pub mod debug;
pub mod decoder;
pub mod descriptor;
pub mod dialect;
pub mod framing;
pub mod limits;
pub mod message;
pub mod packet;

pub use command::Command;
pub use debug::{DebugLevel, DebugPoint};
pub use decoder::{Decoded, Decoder};
pub use dialect::{Dialect, Frame};
pub use framing::{Framed, Framing};
pub use message::{Body, Event, Message, PacketTarget, Response};
pub use packet::Packet;

/// A node's port, by the numbers of one firmware build.
///
/// Node ids start at 1 and are learnt from [`Response::NodeAdded`]; port ids come from the component map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PortRef {
    /// Node id, as the board reported it.
    pub node: u8,
    /// Port id within the node's component.
    pub port: u8,
}

/// An edge between an out port and an in port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Edge {
    /// The out port.
    pub src: PortRef,
    /// The in port.
    pub tgt: PortRef,
}
