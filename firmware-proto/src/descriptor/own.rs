//! The own record: the id and the label that a board keeps.

use super::CRC;

/// The longest label, in bytes of UTF-8.
pub const LABEL_BYTES: usize = 32;

/// The longest record, in bytes.
pub const MAX_BYTES: usize = HEADER_BYTES + LABEL_BYTES;

/// What stands in front of the label: format, length, CRC-32, id.
pub const HEADER_BYTES: usize = 22;

const FORMAT: u8 = 1;
pub(super) const FORMAT_NO_STORE: u8 = 0;
pub(super) const FORMAT_EMPTY: u8 = 255;

const CRC_AT: usize = 2;
const ID_AT: usize = 6;

/// What a board keeps of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Own<'a> {
    /// Its id, as a UUID's bytes.
    pub id: Option<[u8; 16]>,
    /// Its label; empty for none.
    pub label: &'a str,
}

/// What the record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnState<'a> {
    /// The board has no memory that survives a reset.
    NoStore,
    /// Nothing was ever stored.
    Empty,
    /// This.
    Stored(Own<'a>),
}

/// Why a record is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OwnError {
    /// It is of a later kind.
    #[error(
        "the board's stored id and label are of format {format}, which this program is too old for; update it, or store them anew"
    )]
    Newer {
        /// The format.
        format: u8,
    },
    /// A label that long does not fit.
    #[error("the board's stored label claims {length} bytes, of which {LABEL_BYTES} fit; store it anew")]
    LabelTooLong {
        /// The length.
        length: u8,
    },
    /// The bytes end before the record does.
    #[error("the board's stored id and label end after {found} bytes of {wanted}; store them anew")]
    Truncated {
        /// Bytes that are there.
        found: usize,
        /// Bytes that there should be.
        wanted: usize,
    },
    /// The CRC-32 does not match.
    #[error("the board's stored id and label are damaged; store them anew")]
    Damaged,
    /// The label is no text.
    #[error("the board's stored label is no UTF-8 text; store it anew")]
    NotText,
}

/// Why there cannot be such a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// It does not fit.
    #[error("the label has {length} bytes; {LABEL_BYTES} fit on a board")]
    TooLong {
        /// Bytes of the label.
        length: usize,
    },
}

impl<'a> Own<'a> {
    /// Writes the record; returns how many bytes it has.
    pub fn write(&self, record: &mut [u8; MAX_BYTES]) -> Result<usize, LabelError> {
        let label = self.label.as_bytes();
        let length = u8::try_from(label.len()).ok().filter(|length| usize::from(*length) <= LABEL_BYTES);
        let length = length.ok_or(LabelError::TooLong { length: label.len() })?;
        let all = HEADER_BYTES + label.len();
        record.fill(0);
        record[0] = FORMAT;
        record[1] = length;
        record[ID_AT..HEADER_BYTES].copy_from_slice(&self.id.unwrap_or_default());
        record[HEADER_BYTES..all].copy_from_slice(label);
        let crc = crc_of(&record[..all]);
        record[CRC_AT..ID_AT].copy_from_slice(&crc.to_le_bytes());
        Ok(all)
    }
}

impl<'a> OwnState<'a> {
    /// Reads a record. Bytes beyond its end do not count.
    pub fn read(record: &'a [u8]) -> Result<OwnState<'a>, OwnError> {
        match record.first() {
            // Without a memory all reads as zeros.
            Some(&FORMAT_NO_STORE) if record.iter().all(|byte| *byte == 0) => return Ok(OwnState::NoStore),
            Some(&FORMAT_NO_STORE) => return Err(OwnError::Damaged),
            Some(&FORMAT_EMPTY) => return Ok(OwnState::Empty),
            Some(&FORMAT) | None => {}
            Some(&format) => return Err(OwnError::Newer { format }),
        }
        let wanted = length(record)?;
        let found = record.len();
        let record = record.get(..wanted).ok_or(OwnError::Truncated { found, wanted })?;
        if record[CRC_AT..ID_AT] != crc_of(record).to_le_bytes() {
            return Err(OwnError::Damaged);
        }
        let mut id = [0; 16];
        id.copy_from_slice(&record[ID_AT..HEADER_BYTES]);
        let label = core::str::from_utf8(&record[HEADER_BYTES..]).map_err(|_| OwnError::NotText)?;
        Ok(OwnState::Stored(Own { id: (id != [0; 16]).then_some(id), label }))
    }
}

/// How many bytes the record that starts so must have at least to be read.
pub(super) fn length(record: &[u8]) -> Result<usize, OwnError> {
    match *record {
        [FORMAT, length, ..] if usize::from(length) > LABEL_BYTES => Err(OwnError::LabelTooLong { length }),
        [FORMAT, length, ..] => Ok(HEADER_BYTES + usize::from(length)),
        [] | [_] => Err(OwnError::Truncated { found: record.len(), wanted: HEADER_BYTES }),
        [..] => Ok(1),
    }
}

fn crc_of(record: &[u8]) -> u32 {
    let mut digest = CRC.digest();
    digest.update(&record[..CRC_AT]);
    digest.update(&record[ID_AT..]);
    digest.finalize()
}
