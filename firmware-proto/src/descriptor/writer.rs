//! The host's half of changing the own record.
//!
//! Sans-IO: ask what [`OwnWriter::step`] says, give the replies to [`OwnWriter::handle`] in order, until [`WriteStep::Done`]. Read
//! the record anew afterwards; and do not write what is stored already, for a board's memory wears.

use super::exchange::{CHUNK_BYTES, Outcome, Query, Reply};
use super::own::{self, LabelError, Own};

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteStep {
    /// Ask this, then call again.
    Ask(Query),
    /// Wait for the reply to what was asked.
    Wait,
    /// The record is in force.
    Done,
}

/// Why the record was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteOwnError {
    /// The board cannot keep one.
    #[error("this board has no memory for an id and a label; the bridge can keep a label for it")]
    NoStore,
    /// The board has less room than this version of the record needs.
    #[error("the board refused the record as too long; build its firmware with this version's header")]
    OutOfRange,
    /// Something was lost on the way.
    #[error("the board got the new id and label damaged and kept the old ones; try again")]
    WrongCrc,
    /// A reply to something else.
    #[error("the board's replies are in disorder; replug it and try again")]
    Disorder,
}

/// Writes one record.
#[derive(Clone, Debug)]
pub struct OwnWriter {
    record: [u8; own::MAX_BYTES],
    length: usize,
    asked: usize,
    done: usize,
}

impl OwnWriter {
    /// Will write that.
    pub fn new(own: &Own<'_>) -> Result<Self, LabelError> {
        let mut record = [0; own::MAX_BYTES];
        let length = own.write(&mut record)?;
        Ok(OwnWriter { record, length, asked: 0, done: 0 })
    }

    /// What to do next.
    pub fn step(&mut self) -> WriteStep {
        if self.done > self.chunks() {
            return WriteStep::Done;
        }
        let Some(query) = self.query(self.asked) else { return WriteStep::Wait };
        self.asked += 1;
        WriteStep::Ask(query)
    }

    /// Takes the reply to the oldest unanswered query.
    pub fn handle(&mut self, reply: Reply) -> Result<(), WriteOwnError> {
        let asked = self.query(self.done).filter(|query| self.done < self.asked && query.is_answered_by(&reply));
        let (Some(_), Reply::Written { outcome, .. }) = (asked, reply) else { return Err(WriteOwnError::Disorder) };
        match outcome {
            Outcome::Done => {
                self.done += 1;
                Ok(())
            }
            Outcome::NoStore => Err(WriteOwnError::NoStore),
            Outcome::OutOfRange => Err(WriteOwnError::OutOfRange),
            Outcome::WrongCrc => Err(WriteOwnError::WrongCrc),
        }
    }

    fn chunks(&self) -> usize {
        self.length.div_ceil(CHUNK_BYTES)
    }

    /// All chunks, then the commit.
    fn query(&self, number: usize) -> Option<Query> {
        let chunks = self.chunks();
        if number > chunks {
            return None;
        }
        if number == chunks {
            let crc = super::crc32(&self.record[..self.length]);
            return Some(Query::CommitOwn { length: self.length as u8, crc });
        }
        let mut bytes = [0; CHUNK_BYTES];
        let rest = &self.record[number * CHUNK_BYTES..self.length];
        bytes.iter_mut().zip(rest).for_each(|(byte, from)| *byte = *from);
        Some(Query::WriteOwn { chunk: number as u8, bytes })
    }
}
