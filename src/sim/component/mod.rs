//! The simulated board's components: what a node does with packets.
//!
//! Where MicroFlo's own library has a component of the name, ports and behaviour are that library's, with the differences that the
//! two generations have: with the 8-byte dialect nodes get their defaults from the Setup packet that a network's start sends (and
//! have zeros until then), with the 10-byte dialect from the start.

mod boolean;
mod flow;
mod kind;
mod number;
mod pins;
mod time;
mod value;

#[cfg(test)]
mod tests;

pub use kind::{component_id, component_map};
pub use pins::Pins;

pub(super) use kind::Kind;

use firmware_proto::Packet;

/// A node's behaviour and state.
pub(super) trait Logic: Send {
    /// The network starts (8-byte dialect only).
    fn setup(&mut self, _io: &mut Io<'_>) {}

    /// A packet arrives. `port` may be any number: firmware delivers what hosts send.
    fn packet(&mut self, port: u8, packet: Packet, io: &mut Io<'_>);

    /// The scheduler's tick. It may be left out as long as [`due_in`](Self::due_in) says that nothing would happen.
    fn tick(&mut self, _io: &mut Io<'_>) {}

    /// In how many milliseconds a tick does something; `None` if only a packet can change that.
    fn due_in(&self, _now_ms: u32) -> Option<u32> {
        None
    }
}

/// What a node sees of the board while it runs.
pub(super) struct Io<'a> {
    /// Milliseconds since the board's reset; wraps after 49 days.
    pub now_ms: u32,
    /// The board's pins.
    pub pins: &'a mut Pins,
    /// Packets that it sends: out port and packet.
    pub sent: Vec<(u8, Packet)>,
}

impl Io<'_> {
    /// Sends from the component's first out port.
    pub(super) fn send(&mut self, packet: Packet) {
        self.send_from(0, packet);
    }

    /// Sends from an out port.
    pub(super) fn send_from(&mut self, port: u8, packet: Packet) {
        self.sent.push((port, packet));
    }
}
