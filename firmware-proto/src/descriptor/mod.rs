//! Self-describing boards: what a board tells of itself, and how it is asked. This page is the specification.
//!
//! A self-describing board holds two things that stock firmware does not have:
//! - the **descriptor**, part of the firmware and the same on all boards that have it: the component map, the embedded graph with the
//!   names of its nodes, the build's limits;
//! - its **own record**, which a host can change and which survives a reset: the board's id and label.
//!
//! | module | holds |
//! |---|---|
//! | [`content`] | the descriptor's bytes: reading them without allocation |
//! | [`write`](mod@write) | writing them into a buffer |
//! | [`own`] | the own record |
//! | [`exchange`] | the queries and replies, as frames |
//! | [`serve`] | the board's half of the exchange |
//! | [`reader`] | the host's half: assembles and verifies |
//! | [`writer`] | the host's half of changing the own record |
//!
//! # The exchange
//!
//! One command, [`QUERY`] (68), asks everything; stock firmware of both dialects answers it with `ParserUnknownCommand`, or, built without
//! debug messages, not at all. So a host that asks a board for the first time sends [`Query::Identify`] and a `Ping` behind it: a `Pong`
//! with no [`Reply::Identity`] before it says that the board has no descriptor.
//!
//! Each query has one reply, in order with all other answers; several queries may be under way, as with other commands (no more than
//! [`UNANSWERED_BYTES`](crate::limits::UNANSWERED_BYTES)). Every query may be repeated: reading changes nothing, and writing the same
//! again does the same. Both dialects carry the same payload of seven bytes; the eighth of the 10-byte dialect is zero. Numbers are
//! little-endian; bytes that are not named are zero.
//!
//! | query, 68 | byte 1 | then | reply | |
//! |---|---|---|---|---|
//! | Identify | 1 | | 196 | format version, length in bytes (2), CRC-32 (4) of the descriptor |
//! | ReadContent | 2 | block (2) | 197 | the block's number (low byte), 6 bytes of the descriptor |
//! | ReadOwn | 3 | block | 198 | the block's number, 6 bytes of the own record |
//! | WriteOwn | 4 | chunk, 5 bytes | 199 | 4, chunk, [`Outcome`] |
//! | CommitOwn | 5 | length, CRC-32 (4) | 199 | 5, length, [`Outcome`] |
//!
//! The ids stay clear of all that MicroFlo uses (10–25, 100–118) and of what it will use next; a reply's id has the top bit set. No query
//! can be taken for either dialect's magic. A query that a board does not know is for its firmware an unknown command.
//!
//! What lies beyond the end reads as zeros. A host never reads more than [`MAX_BYTES`] of descriptor and [`own::MAX_BYTES`] of own record,
//! whatever the board claims.
//!
//! ## Reading
//!
//! 1. Identify. Of a version beyond [`VERSION`], of version 0, or of a length below [`MIN_BYTES`] or beyond [`MAX_BYTES`] no byte of the
//!    descriptor is read: the board is used as one without, with the reason in its status, and its own record is read all the same.
//! 2. The own record, and the first two blocks of the descriptor. They hold the [`hash`](content::Fixed::hash), which together with the
//!    identity is the [`Fingerprint`]: a descriptor that the host has under it need not be read. So one that is known costs two
//!    rounds: Identify, and these two blocks with the first four of the own record, which are all under way at once; what a longer
//!    label needs follows them.
//! 3. Else all blocks. The CRC-32 of the whole must be the promised one, the content must be sound ([`content::Descriptor::read`]),
//!    and a host that has SHA-256 compares the hash. Nothing of a descriptor is used before all of it was found right.
//!
//! An own record that makes no sense is read once more, as a bit may have flipped on the way. What cannot be read is not what the board
//! says otherwise: a host keeps to what the board said before on the same line.
//!
//! ## Writing
//!
//! The board keeps two slots for the record, of which one is in force. WriteOwn writes into the other; CommitOwn puts that one in force if
//! its first bytes have the given CRC-32, by one single byte. So neither a lost byte nor a lost supply leaves half a record, and a
//! stray frame changes nothing. A board writes only bytes that differ from what its memory holds; a host writes only what is new.
//!
//! # The descriptor
//!
//! [postcard](https://postcard.jamesmunns.com/wire-format) without frills: numbers beyond a byte are varints, texts and lists have their
//! length in front. Version 1, in this order:
//!
//! | field | is |
//! |---|---|
//! | version | `u8`, 1 |
//! | hash | 8 bytes: the first of the SHA-256 of all that follows |
//! | dialect | 0: 8-byte frames, 1: 10-byte frames |
//! | node limit, message limit | `u8` each: the build's `MICROFLO_NODE_LIMIT` (the last place is never used) and `MICROFLO_MESSAGE_LIMIT` |
//! | label | text: what a board without a label of its own is called; may be empty |
//! | title | text: what the embedded graph is called; may be empty |
//! | words | list of texts: every port name, once |
//! | components | list of: id `u8`, name, in ports, out ports; ports are a list of words by place, from 1, and a port's id is its place, from 0; word 0 means that there is no such port |
//! | nodes | list of: component id `u8`, name; a node's id is its place, from 1 |
//! | edges | list of: node and port that sends, node and port that receives, `u8` each |
//! | initial packets | list of: node id `u8`, port id `u8`, data as text, as it stands in the graph's source |
//! | exported in ports, exported out ports | lists of: name, node id `u8`, port id `u8` |
//!
//! Later versions add fields at the end and change none. A reader knows all versions up to its own, and uses no later one.
//!
//! # The own record
//!
//! | bytes | are |
//! |---|---|
//! | 0 | format: 1. 0: this board cannot keep a record. 255: it keeps none yet |
//! | 1 | length of the label in bytes, at most [`own::LABEL_BYTES`] |
//! | 2–5 | CRC-32 of the record without these four bytes |
//! | 6–21 | the id, as a UUID's bytes; zeros: none |
//! | 22– | the label, UTF-8 |
//!
//! A record of another format, with a longer label, or with another CRC-32 is not used: neither its id nor its label. A host does not
//! write a label alone over it, which would cost the board its id.
//!
//! A board with a memory says 255 in byte 0 also where its slot begins with 0, as in a memory that was filled with zeros. A board
//! without one says zeros throughout; a 0 before anything else is a damaged record.
//!
//! All CRC-32 are those of Ethernet and zip (ISO-HDLC).

pub mod content;
pub mod exchange;
pub mod own;
pub mod reader;
pub mod serve;
pub mod write;
pub mod writer;

pub use content::{Component, ContentError, Descriptor, Edge, Export, Initial, Node};
pub use exchange::{Identity, Outcome, QUERY, Query, Reply};
pub use own::{Own, OwnError, OwnState};
pub use reader::{ReadError, Reader};
pub use serve::{Firmware, Store};
pub use write::{Parts, WriteError};
pub use writer::{OwnWriter, WriteOwnError};

use crc::{CRC_32_ISO_HDLC, Crc, NoTable};

/// The newest version of the format, which this crate writes.
pub const VERSION: u8 = 1;

/// The longest descriptor, in bytes.
pub const MAX_BYTES: usize = 4096;

/// The shortest that can be one, in bytes: a version and a hash.
pub const MIN_BYTES: usize = 1 + HASH_BYTES;

/// Bytes of the hash.
pub const HASH_BYTES: usize = 8;

/// Bytes of descriptor or own record in one reply.
pub const BLOCK_BYTES: usize = 6;

/// What a descriptor is known by: a host that has read one under this fingerprint need not read it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint {
    /// The format's version.
    pub version: u8,
    /// Bytes.
    pub length: u16,
    /// The CRC-32 of the whole.
    pub crc: u32,
    /// The hash that stands in the descriptor.
    pub hash: [u8; HASH_BYTES],
}

impl core::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.hash.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        write!(f, "-{:08x}-{}-v{}", self.crc, self.length, self.version)
    }
}

/// Without a table: firmware has more time than flash.
const CRC: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISO_HDLC);

/// The CRC-32 of those bytes.
pub fn crc32(bytes: &[u8]) -> u32 {
    CRC.checksum(bytes)
}
