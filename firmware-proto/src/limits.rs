//! What a board can take, measured on real firmware with its default build options.

/// Nodes per graph that are safe: the 50th overwrites a counter in the firmware.
pub const SAFE_NODES: usize = 49;

/// `MICROFLO_NODE_LIMIT` of a build that does not set it. The last place is never used.
pub const DEFAULT_NODE_LIMIT: u8 = 50;

/// `MICROFLO_MESSAGE_LIMIT` of a build that does not set it.
pub const DEFAULT_MESSAGE_LIMIT: u8 = 50;

/// Packets that fit the firmware's message queue while its network is stopped: the next one wraps the queue.
pub const QUEUED_PACKETS_WHILE_STOPPED: usize = 48;

/// Bytes that may be unanswered at most. The Arduino receive ring holds 63; loss was seen at 72.
pub const UNANSWERED_BYTES: usize = 60;

/// The shortest frame, in bytes.
pub const MIN_FRAME_BYTES: usize = 8;

/// The longest frame, in bytes.
pub const MAX_FRAME_BYTES: usize = 10;
