//! Reading packets as firmware does: it reinterprets the data bytes and never converts between types.

use firmware_proto::Packet;

/// As a boolean. `Void` is true; anything else is its first data byte.
pub(super) fn boolean(packet: Packet) -> bool {
    packet == Packet::Void || packet.data()[0] != 0
}

/// As an integer: the data bytes, little-endian. `Void` is 0.
pub(super) fn integer(packet: Packet) -> i32 {
    i32::from_le_bytes(packet.data())
}

/// As a float: the data bytes, also those of an integer, so that 25 is a tiny number that still compares like 25.
pub(super) fn float(packet: Packet) -> f32 {
    f32::from_le_bytes(packet.data())
}

/// Whether it is an integer or a float.
pub(super) fn is_number(packet: Packet) -> bool {
    matches!(packet, Packet::Integer(_) | Packet::Float(_))
}

/// As a pin or port number, which firmware keeps in a signed byte.
pub(super) fn small(packet: Packet) -> i8 {
    packet.data()[0].cast_signed()
}
