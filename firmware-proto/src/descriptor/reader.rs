//! The host's half of reading: says what to ask next, assembles the replies, verifies the whole.
//!
//! Sans-IO: ask what [`Reader::step`] says, give the replies to [`Reader::handle`] in order, until [`Step::Done`].

use super::content::{ContentError, Descriptor, Fixed};
use super::exchange::{Identity, Query, Reply};
use super::own::{self, OwnError, OwnState};
use super::{BLOCK_BYTES, Fingerprint, HASH_BYTES, MAX_BYTES, MIN_BYTES, VERSION, crc32};
use crate::dialect::Dialect;

/// Blocks of the descriptor that hold version and hash.
const HEAD_BLOCKS: usize = MIN_BYTES.div_ceil(BLOCK_BYTES);

/// Blocks of the own record that are asked for before its length is known: header and id.
const OWN_HEAD_BLOCKS: usize = own::HEADER_BYTES.div_ceil(BLOCK_BYTES);

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask this, then call again: several queries may be under way.
    Ask(Query),
    /// Wait for the reply to what was asked.
    Wait,
    /// The board is identified. Call [`Reader::fetch`] to read the descriptor, or [`Reader::skip`] if it is known.
    Identified(Fingerprint),
    /// Everything wanted is here.
    Done,
}

/// Why a descriptor is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It is of a later version.
    #[error("the board's descriptor is of version {version}, this program knows {VERSION}; update this program")]
    Newer {
        /// The version.
        version: u8,
    },
    /// No descriptor has that length, or that version.
    #[error(
        "the board claims a descriptor of {length} bytes and version {version}, which cannot be; build its firmware with a header that `firmware descriptor` makes"
    )]
    Impossible {
        /// Bytes.
        length: u16,
        /// The version.
        version: u8,
    },
    /// A reply to something else.
    #[error("the board's replies are in disorder; replug it")]
    Disorder,
    /// Not all is here.
    #[error("the descriptor was not read to its end")]
    Unfinished,
    /// The bytes are not those that were promised.
    #[error("the board's descriptor is damaged: its checksum does not match; flash the board again")]
    Damaged,
    /// The firmware speaks something else.
    #[error(
        "the board's descriptor is that of {} firmware, but it speaks {}; make the header from the files that the firmware was built of", .0.name(), .0.other().name()
    )]
    OtherDialect(Dialect),
    /// The bytes are right but make no sense.
    #[error("{0}; make the board's header again with `firmware descriptor`, and flash it")]
    Content(#[from] ContentError),
}

/// How far a row of blocks was read.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    asked: usize,
    got: usize,
    wanted: usize,
}

impl Row {
    fn ask(&mut self) -> Option<usize> {
        let block = self.asked;
        self.asked += usize::from(block < self.wanted);
        (block < self.wanted).then_some(block)
    }

    /// Stores the next block. Blocks come in the order in which they were asked for.
    fn store(&mut self, block: u8, bytes: [u8; BLOCK_BYTES], into: &mut [u8]) -> Result<(), ReadError> {
        if self.got >= self.asked || block != self.got.to_le_bytes()[0] {
            return Err(ReadError::Disorder);
        }
        let room = into.get_mut(self.got * BLOCK_BYTES..).unwrap_or_default();
        room.iter_mut().zip(bytes).for_each(|(place, byte)| *place = byte);
        self.got += 1;
        Ok(())
    }
}

/// Reads what one board tells of itself.
#[derive(Clone, Debug)]
pub struct Reader {
    dialect: Dialect,
    identity_asked: bool,
    identity: Option<Identity>,
    unusable: Option<ReadError>,
    decided: bool,
    content_row: Row,
    content: [u8; MAX_BYTES],
    own_row: Row,
    own_read_twice: bool,
    own: [u8; own::MAX_BYTES],
}

impl Reader {
    /// A reader for a board that speaks that dialect.
    pub const fn new(dialect: Dialect) -> Self {
        Reader {
            dialect,
            identity_asked: false,
            identity: None,
            unusable: None,
            decided: false,
            content_row: Row { asked: 0, got: 0, wanted: 0 },
            content: [0; MAX_BYTES],
            own_row: Row { asked: 0, got: 0, wanted: OWN_HEAD_BLOCKS },
            own_read_twice: false,
            own: [0; own::MAX_BYTES],
        }
    }

    /// What to do next.
    pub fn step(&mut self) -> Step {
        if !core::mem::replace(&mut self.identity_asked, true) {
            return Step::Ask(Query::Identify);
        }
        if self.identity.is_none() {
            return Step::Wait;
        }
        if let Some(block) = self.content_row.ask() {
            return Step::Ask(Query::ReadContent { block: block as u16 });
        }
        if let Some(fingerprint) = self.fingerprint().filter(|_| !self.decided) {
            return Step::Identified(fingerprint);
        }
        if let Some(block) = self.own_row.ask() {
            return Step::Ask(Query::ReadOwn { block: block as u8 });
        }
        let done = |row: &Row| row.got >= row.asked.max(row.wanted);
        if !done(&self.content_row) || !done(&self.own_row) {
            return Step::Wait;
        }
        if self.own().is_err() && !core::mem::replace(&mut self.own_read_twice, true) {
            // A bit may have flipped on the way, and nothing else would show it.
            self.own_row = Row { asked: 0, got: 0, wanted: OWN_HEAD_BLOCKS };
            return self.step();
        }
        Step::Done
    }

    /// Takes the reply to the oldest unanswered query.
    pub fn handle(&mut self, reply: Reply) -> Result<(), ReadError> {
        match reply {
            Reply::Identity(identity) if self.identity_asked && self.identity.is_none() => {
                self.identity = Some(identity);
                self.unusable = refusal(identity);
                if self.unusable.is_none() {
                    self.content_row.wanted = HEAD_BLOCKS;
                }
                Ok(())
            }
            Reply::Content { block, bytes } => self.content_row.store(block, bytes, &mut self.content),
            Reply::Own { block, bytes } => {
                self.own_row.store(block, bytes, &mut self.own)?;
                if block == 0 {
                    let length = own::length(&bytes).unwrap_or(1);
                    self.own_row.wanted = length.div_ceil(BLOCK_BYTES);
                }
                Ok(())
            }
            Reply::Identity(_) | Reply::Written { .. } => Err(ReadError::Disorder),
        }
    }

    /// What the board says of its descriptor, usable or not. `None` until it was asked.
    pub const fn identity(&self) -> Option<Identity> {
        self.identity
    }

    /// What the descriptor is known by. `None` until its first blocks are here, or if it cannot be used.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        let Identity { version, length, crc } = self.identity.filter(|_| self.unusable.is_none())?;
        if self.content_row.got < HEAD_BLOCKS {
            return None;
        }
        let mut hash = [0; HASH_BYTES];
        hash.copy_from_slice(&self.content[1..MIN_BYTES]);
        Some(Fingerprint { version, length, crc, hash })
    }

    /// Reads the descriptor.
    pub fn fetch(&mut self) {
        self.decided = true;
        self.content_row.wanted = self.length().div_ceil(BLOCK_BYTES).max(HEAD_BLOCKS);
    }

    /// Does not read it: it is known.
    pub fn skip(&mut self) {
        self.decided = true;
    }

    /// The descriptor's bytes, verified and sound. Compare its hash with the SHA-256 of [`Descriptor::hashed`] too.
    pub fn content(&self) -> Result<&[u8], ReadError> {
        if let Some(refusal) = self.unusable {
            return Err(refusal);
        }
        let Some(identity) = self.identity else { return Err(ReadError::Unfinished) };
        if self.content_row.got * BLOCK_BYTES < self.length() {
            return Err(ReadError::Unfinished);
        }
        let bytes = &self.content[..self.length()];
        if crc32(bytes) != identity.crc || bytes[0] != identity.version {
            return Err(ReadError::Damaged);
        }
        check(bytes, self.dialect)?;
        Ok(bytes)
    }

    /// The own record. It is worth something also where the descriptor is not.
    pub fn own(&self) -> Result<OwnState<'_>, OwnError> {
        let got = (self.own_row.got * BLOCK_BYTES).min(own::MAX_BYTES);
        OwnState::read(&self.own[..got])
    }

    fn length(&self) -> usize {
        self.identity.map_or(0, |identity| usize::from(identity.length)).min(MAX_BYTES)
    }
}

/// Whether a descriptor of a board that speaks that dialect can be used.
pub fn check(bytes: &[u8], dialect: Dialect) -> Result<Descriptor<'_>, ReadError> {
    let descriptor = Descriptor::read(bytes)?;
    let Fixed { dialect: claimed, .. } = *descriptor.fixed();
    if claimed == dialect { Ok(descriptor) } else { Err(ReadError::OtherDialect(claimed)) }
}

/// Why the descriptor is not even read.
fn refusal(Identity { version, length, .. }: Identity) -> Option<ReadError> {
    match version {
        0 => Some(ReadError::Impossible { length, version }),
        1..=VERSION if !(MIN_BYTES..=MAX_BYTES).contains(&usize::from(length)) => {
            Some(ReadError::Impossible { length, version })
        }
        1..=VERSION => None,
        _ => Some(ReadError::Newer { version }),
    }
}
