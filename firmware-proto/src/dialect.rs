//! The two dialects and the fixed-size frame.

use crate::limits::{MAX_FRAME_BYTES, UNANSWERED_BYTES};

/// Which form of the protocol a board speaks. It is found out by the magic that the board answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// `uC/Flo01`: 8-byte frames `[id, 7 payload]`, no request ids. Every tagged release up to 0.6.6.
    Flo01,
    /// `microflo1`: 10-byte frames `[request id, id, 8 payload]`. Upstream's master since 2018-08.
    Microflo1,
}

impl Dialect {
    /// Both dialects, the commoner one first.
    pub const ALL: [Dialect; 2] = [Dialect::Flo01, Dialect::Microflo1];

    /// The one that it is not.
    pub const fn other(self) -> Dialect {
        match self {
            Dialect::Flo01 => Dialect::Microflo1,
            Dialect::Microflo1 => Dialect::Flo01,
        }
    }

    /// Bytes per frame.
    pub const fn frame_len(self) -> usize {
        match self {
            Dialect::Flo01 => 8,
            Dialect::Microflo1 => 10,
        }
    }

    /// Bytes in front of the frame's id: the request id, where there is one.
    pub const fn header_len(self) -> usize {
        match self {
            Dialect::Flo01 => 0,
            Dialect::Microflo1 => 1,
        }
    }

    /// The name on the wire: the magic that opens a session, without the request id that follows it in [`Dialect::Microflo1`].
    pub const fn magic(self) -> &'static [u8] {
        match self {
            Dialect::Flo01 => b"uC/Flo01",
            Dialect::Microflo1 => b"microflo1",
        }
    }

    /// The magic as text, which is also the dialect's name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Dialect::Flo01 => "uC/Flo01",
            Dialect::Microflo1 => "microflo1",
        }
    }

    /// The dialect of that [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Dialect> {
        Dialect::ALL.into_iter().find(|dialect| dialect.name().eq_ignore_ascii_case(name))
    }

    /// The bytes that open a session; `request_id` is used by [`Dialect::Microflo1`] only.
    pub fn opening(self, request_id: u8) -> Frame {
        let mut frame = Frame::zeroed(self);
        let magic = self.magic();
        frame.bytes[..magic.len()].copy_from_slice(magic);
        if self == Dialect::Microflo1 {
            frame.bytes[magic.len()] = request_id;
        }
        frame
    }

    /// Bytes that may be unanswered at most: whole frames within [`UNANSWERED_BYTES`], so 56 or 60.
    pub const fn unanswered_bytes(self) -> usize {
        UNANSWERED_BYTES / self.frame_len() * self.frame_len()
    }

    /// How many `End` bytes (0x0E) bring a board that lost count back to looking for the magic: `2 × frame − 1`.
    pub const fn resync_bytes(self) -> usize {
        2 * self.frame_len() - 1
    }
}

/// One frame as it stands on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Frame {
    bytes: [u8; MAX_FRAME_BYTES],
    len: u8,
}

impl Frame {
    /// A frame of zeros.
    pub const fn zeroed(dialect: Dialect) -> Self {
        Frame { bytes: [0; MAX_FRAME_BYTES], len: dialect.frame_len() as u8 }
    }

    /// A frame with these bytes; `None` if there are not exactly [`Dialect::frame_len`] of them.
    pub fn from_bytes(dialect: Dialect, bytes: &[u8]) -> Option<Self> {
        let mut frame = Frame::zeroed(dialect);
        if bytes.len() != dialect.frame_len() {
            return None;
        }
        frame.bytes[..bytes.len()].copy_from_slice(bytes);
        Some(frame)
    }

    /// A frame from the front of a full buffer.
    pub(crate) const fn whole(dialect: Dialect, bytes: [u8; MAX_FRAME_BYTES]) -> Self {
        Frame { bytes, len: dialect.frame_len() as u8 }
    }

    /// The bytes on the wire.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// Starts a frame with that request id (dropped where the dialect has none) and frame id.
    pub(crate) fn start(dialect: Dialect, request_id: u8, id: u8) -> Self {
        let mut frame = Frame::zeroed(dialect);
        if dialect == Dialect::Microflo1 {
            frame.bytes[0] = request_id;
        }
        frame.bytes[dialect.header_len()] = id;
        frame
    }

    /// The same frame with these payload bytes in front. What does not fit is dropped.
    pub(crate) fn with(mut self, dialect: Dialect, payload: &[u8]) -> Self {
        let start = dialect.header_len() + 1;
        let room = &mut self.bytes[start..dialect.frame_len()];
        let len = payload.len().min(room.len());
        room[..len].copy_from_slice(&payload[..len]);
        self
    }

    /// Splits into request id (0 where the dialect has none), frame id and payload.
    pub(crate) fn split(&self, dialect: Dialect) -> (u8, u8, &[u8]) {
        let header = dialect.header_len();
        let request_id = if header == 0 { 0 } else { self.bytes[0] };
        (request_id, self.bytes[header], &self.bytes[header + 1..dialect.frame_len()])
    }
}

impl core::fmt::Debug for Frame {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for byte in self.as_bytes() {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}
