//! Queries and replies, as the payloads of frames.

use super::{BLOCK_BYTES, VERSION};

/// The command id of all queries.
pub const QUERY: u8 = 68;

/// The id of [`Reply::Identity`].
pub const IDENTITY: u8 = 196;
/// The id of [`Reply::Content`].
pub const CONTENT: u8 = 197;
/// The id of [`Reply::Own`].
pub const OWN: u8 = 198;
/// The id of [`Reply::Written`].
pub const WRITTEN: u8 = 199;

/// Bytes of the own record in one [`Query::WriteOwn`].
pub const CHUNK_BYTES: usize = 5;

/// What a host asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Query {
    /// Which descriptor the board has.
    Identify,
    /// Six bytes of the descriptor.
    ReadContent {
        /// Which six.
        block: u16,
    },
    /// Six bytes of the own record.
    ReadOwn {
        /// Which six.
        block: u8,
    },
    /// Prepares five bytes of a new own record.
    WriteOwn {
        /// Which five.
        chunk: u8,
        /// The bytes; beyond the record's end they do not count.
        bytes: [u8; CHUNK_BYTES],
    },
    /// Puts the prepared record in force.
    CommitOwn {
        /// How many bytes of it count.
        length: u8,
        /// Their CRC-32.
        crc: u32,
    },
}

/// What a board replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Which descriptor it has.
    Identity(Identity),
    /// Six bytes of it.
    Content {
        /// The low byte of the block's number.
        block: u8,
        /// The bytes; zeros beyond the end.
        bytes: [u8; BLOCK_BYTES],
    },
    /// Six bytes of the own record.
    Own {
        /// The block's number.
        block: u8,
        /// The bytes; zeros beyond the end.
        bytes: [u8; BLOCK_BYTES],
    },
    /// What became of a [`Query::WriteOwn`] or [`Query::CommitOwn`].
    Written {
        /// The query's first byte.
        operation: u8,
        /// The query's second byte: chunk or length.
        echo: u8,
        /// What became of it.
        outcome: Outcome,
    },
}

/// What a board says of its descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The format's version.
    pub version: u8,
    /// Bytes.
    pub length: u16,
    /// The CRC-32 of the whole.
    pub crc: u32,
}

impl Identity {
    /// The identity of a descriptor with these bytes, which is of this crate's version.
    pub fn of(bytes: &[u8]) -> Identity {
        let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        Identity { version: bytes.first().copied().unwrap_or(VERSION), length, crc: super::crc32(bytes) }
    }
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Done,
    /// The board has no memory for a record.
    NoStore,
    /// The chunk or the length is beyond the record.
    OutOfRange,
    /// What was prepared has another CRC-32: a chunk is missing or wrong.
    WrongCrc,
}

const IDENTIFY: u8 = 1;
const READ_CONTENT: u8 = 2;
const READ_OWN: u8 = 3;
pub(super) const WRITE_OWN: u8 = 4;
pub(super) const COMMIT_OWN: u8 = 5;

impl Query {
    /// The payload behind [`QUERY`]; the 8-byte dialect carries all but the last byte, which is zero.
    pub const fn payload(&self) -> [u8; 8] {
        match *self {
            Query::Identify => [IDENTIFY, 0, 0, 0, 0, 0, 0, 0],
            Query::ReadContent { block } => {
                let [low, high] = block.to_le_bytes();
                [READ_CONTENT, low, high, 0, 0, 0, 0, 0]
            }
            Query::ReadOwn { block } => [READ_OWN, block, 0, 0, 0, 0, 0, 0],
            Query::WriteOwn { chunk, bytes: [a, b, c, d, e] } => [WRITE_OWN, chunk, a, b, c, d, e, 0],
            Query::CommitOwn { length, crc } => {
                let [a, b, c, d] = crc.to_le_bytes();
                [COMMIT_OWN, length, a, b, c, d, 0, 0]
            }
        }
    }

    /// The query with that payload, as firmware reads it: bytes that it does not need are not looked at. `None` if there is no such.
    pub const fn from_payload(p: [u8; 8]) -> Option<Query> {
        Some(match p[0] {
            IDENTIFY => Query::Identify,
            READ_CONTENT => Query::ReadContent { block: u16::from_le_bytes([p[1], p[2]]) },
            READ_OWN => Query::ReadOwn { block: p[1] },
            WRITE_OWN => Query::WriteOwn { chunk: p[1], bytes: [p[2], p[3], p[4], p[5], p[6]] },
            COMMIT_OWN => Query::CommitOwn { length: p[1], crc: u32::from_le_bytes([p[2], p[3], p[4], p[5]]) },
            _ => return None,
        })
    }

    /// Whether a board can answer this query with that reply.
    pub const fn is_answered_by(&self, reply: &Reply) -> bool {
        match (*self, *reply) {
            (Query::Identify, Reply::Identity(_)) => true,
            (Query::ReadContent { block }, Reply::Content { block: echo, .. }) => block as u8 == echo,
            (Query::ReadOwn { block }, Reply::Own { block: echo, .. }) => block == echo,
            (Query::WriteOwn { chunk, .. }, Reply::Written { operation: WRITE_OWN, echo, .. }) => chunk == echo,
            (Query::CommitOwn { length, .. }, Reply::Written { operation: COMMIT_OWN, echo, .. }) => length == echo,
            _ => false,
        }
    }
}

impl Reply {
    /// The frame's id.
    pub const fn id(&self) -> u8 {
        match self {
            Reply::Identity(_) => IDENTITY,
            Reply::Content { .. } => CONTENT,
            Reply::Own { .. } => OWN,
            Reply::Written { .. } => WRITTEN,
        }
    }

    /// The payload behind the id; the 8-byte dialect carries all but the last byte, which is zero.
    pub const fn payload(&self) -> [u8; 8] {
        match *self {
            Reply::Identity(Identity { version, length, crc }) => {
                let ([low, high], [a, b, c, d]) = (length.to_le_bytes(), crc.to_le_bytes());
                [version, low, high, a, b, c, d, 0]
            }
            Reply::Content { block, bytes: [a, b, c, d, e, f] } | Reply::Own { block, bytes: [a, b, c, d, e, f] } => {
                [block, a, b, c, d, e, f, 0]
            }
            Reply::Written { operation, echo, outcome } => [operation, echo, outcome.code(), 0, 0, 0, 0, 0],
        }
    }

    /// The reply with that id and payload; `None` if no board sends it.
    pub(crate) const fn from_payload(id: u8, p: [u8; 8]) -> Option<Reply> {
        let bytes = [p[1], p[2], p[3], p[4], p[5], p[6]];
        Some(match id {
            IDENTITY => Reply::Identity(Identity {
                version: p[0],
                length: u16::from_le_bytes([p[1], p[2]]),
                crc: u32::from_le_bytes([p[3], p[4], p[5], p[6]]),
            }),
            CONTENT => Reply::Content { block: p[0], bytes },
            OWN => Reply::Own { block: p[0], bytes },
            WRITTEN if matches!(p[0], WRITE_OWN | COMMIT_OWN) => {
                let Some(outcome) = Outcome::from_code(p[2]) else { return None };
                Reply::Written { operation: p[0], echo: p[1], outcome }
            }
            _ => return None,
        })
    }
}

impl Outcome {
    const fn code(self) -> u8 {
        match self {
            Outcome::Done => 0,
            Outcome::NoStore => 1,
            Outcome::OutOfRange => 2,
            Outcome::WrongCrc => 3,
        }
    }

    const fn from_code(code: u8) -> Option<Outcome> {
        Some(match code {
            0 => Outcome::Done,
            1 => Outcome::NoStore,
            2 => Outcome::OutOfRange,
            3 => Outcome::WrongCrc,
            _ => return None,
        })
    }
}
