//! Packets: what travels over edges.

use crate::dialect::Dialect;

/// A packet's type and data.
///
/// The wire carries the type in one byte and up to four data bytes, little-endian. In events the 8-byte dialect
/// carries two data bytes only, so an integer is cut to 16 bits there, and a byte's value is never reported.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Packet {
    /// No packet at all (type 0).
    Invalid,
    /// What a network's start sends to every node (type 1); never sent by hosts.
    Setup,
    /// The scheduler's tick (type 2); never sent by hosts.
    Tick,
    /// A packet without data, "bang" (type 3).
    Void,
    /// One byte (type 4).
    Byte(u8),
    /// A boolean (type 6).
    Boolean(bool),
    /// A 32-bit signed integer (type 7).
    Integer(i32),
    /// A 32-bit float (type 8). Firmware turns it into `Void`.
    Float(f32),
    /// Start of a bracketed group (type 9).
    BracketStart,
    /// End of a bracketed group (type 10).
    BracketEnd,
    /// An error with its kind (type 11); see `ERROR_KINDS`.
    Error(u8),
    /// Pointers (types 12..=100) and whatever else: carried as they are.
    Other {
        /// The type byte.
        kind: u8,
        /// The data bytes.
        data: [u8; 4],
    },
}

/// Names of the error kinds in [`Packet::Error`], by number.
pub const ERROR_KINDS: [&str; 8] = [
    "Other",
    "ComponentBug",
    "UnsupportedType",
    "UnsupportedValue",
    "InvalidInput",
    "OperationFailed",
    "OperationTimeout",
    "Unknown",
];

impl Packet {
    /// The type byte on the wire.
    pub const fn kind(&self) -> u8 {
        match self {
            Packet::Invalid => 0,
            Packet::Setup => 1,
            Packet::Tick => 2,
            Packet::Void => 3,
            Packet::Byte(_) => 4,
            Packet::Boolean(_) => 6,
            Packet::Integer(_) => 7,
            Packet::Float(_) => 8,
            Packet::BracketStart => 9,
            Packet::BracketEnd => 10,
            Packet::Error(_) => 11,
            Packet::Other { kind, .. } => *kind,
        }
    }

    /// The four data bytes on the wire.
    pub const fn data(&self) -> [u8; 4] {
        match self {
            Packet::Byte(value) | Packet::Error(value) => [*value, 0, 0, 0],
            Packet::Boolean(value) => [*value as u8, 0, 0, 0],
            Packet::Integer(value) => value.to_le_bytes(),
            Packet::Float(value) => value.to_le_bytes(),
            Packet::Other { data, .. } => *data,
            _ => [0; 4],
        }
    }

    /// Reads a packet. Data that its type cannot have makes it [`Packet::Other`], so nothing is lost.
    pub fn from_wire(kind: u8, data: [u8; 4]) -> Packet {
        let packet = match kind {
            0 => Packet::Invalid,
            1 => Packet::Setup,
            2 => Packet::Tick,
            3 => Packet::Void,
            4 => Packet::Byte(data[0]),
            6 => Packet::Boolean(data[0] != 0),
            7 => Packet::Integer(i32::from_le_bytes(data)),
            8 => Packet::Float(f32::from_le_bytes(data)),
            9 => Packet::BracketStart,
            10 => Packet::BracketEnd,
            11 => Packet::Error(data[0]),
            _ => Packet::Other { kind, data },
        };
        if packet.data() == data { packet } else { Packet::Other { kind, data } }
    }

    /// Reads a packet as an event of that dialect reports it: two data bytes, sign-extended, in the 8-byte dialect.
    pub(crate) fn from_event(dialect: Dialect, kind: u8, data: &[u8]) -> Packet {
        match (dialect, kind) {
            (Dialect::Flo01, 7) => Packet::Integer(i32::from(i16::from_le_bytes([data[0], data[1]]))),
            (Dialect::Flo01, _) => Packet::from_wire(kind, [data[0], data[1], 0, 0]),
            (Dialect::Microflo1, _) => Packet::from_wire(kind, [data[0], data[1], data[2], data[3]]),
        }
    }
}
