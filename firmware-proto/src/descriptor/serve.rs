//! The board's half: answers queries out of the descriptor's bytes and a small memory.
//!
//! `firmware-proto/arduino` does the same in C++.

use super::exchange::{CHUNK_BYTES, COMMIT_OWN, Identity, Outcome, Query, Reply, WRITE_OWN};
use super::{BLOCK_BYTES, CRC, own};

/// Bytes of memory that a board needs for its own record: which slot is in force, and two slots.
pub const STORE_BYTES: usize = 1 + 2 * own::MAX_BYTES;

/// Memory that survives a reset: EEPROM, a page of flash, a file. Erased bytes are 255.
pub trait Store {
    /// The byte at that place, below [`STORE_BYTES`].
    fn read(&self, at: usize) -> u8;

    /// Changes it. Writing what is there already must not wear the memory.
    fn write(&mut self, at: usize, byte: u8);
}

/// A [`Store`] in plain memory.
impl Store for [u8; STORE_BYTES] {
    fn read(&self, at: usize) -> u8 {
        self[at]
    }

    fn write(&mut self, at: usize, byte: u8) {
        self[at] = byte;
    }
}

/// What a board serves.
#[derive(Clone, Copy, Debug)]
pub struct Firmware<'a> {
    descriptor: &'a [u8],
    identity: Identity,
}

impl<'a> Firmware<'a> {
    /// Serves that descriptor.
    pub fn new(descriptor: &'a [u8]) -> Self {
        Firmware::claiming(descriptor, Identity::of(descriptor))
    }

    /// Serves that descriptor under an identity that was worked out before; simulators lie with it.
    pub const fn claiming(descriptor: &'a [u8], identity: Identity) -> Self {
        Firmware { descriptor, identity }
    }

    /// Answers a query. `store` is `None` on a board that cannot keep a record.
    pub fn answer(&self, query: Query, store: Option<&mut (impl Store + ?Sized)>) -> Reply {
        match query {
            Query::Identify => Reply::Identity(self.identity),
            Query::ReadContent { block } => {
                let at = |place: usize| self.descriptor.get(place).copied().unwrap_or(0);
                Reply::Content { block: block.to_le_bytes()[0], bytes: block_of(usize::from(block), at) }
            }
            Query::ReadOwn { block } => {
                let at = |place: usize| match &store {
                    Some(store) if place < own::MAX_BYTES => own_byte(*store, place),
                    _ => 0,
                };
                Reply::Own { block, bytes: block_of(usize::from(block), at) }
            }
            Query::WriteOwn { chunk, bytes } => {
                let outcome = store.map_or(Outcome::NoStore, |store| write_chunk(store, chunk, bytes));
                Reply::Written { operation: WRITE_OWN, echo: chunk, outcome }
            }
            Query::CommitOwn { length, crc } => {
                let outcome = store.map_or(Outcome::NoStore, |store| commit(store, length, crc));
                Reply::Written { operation: COMMIT_OWN, echo: length, outcome }
            }
        }
    }
}

fn block_of(block: usize, at: impl Fn(usize) -> u8) -> [u8; BLOCK_BYTES] {
    core::array::from_fn(|offset| at(block * BLOCK_BYTES + offset))
}

/// The slot in force. Of the byte that says so only one bit counts, so that it says something at every moment of its change.
fn active(store: &(impl Store + ?Sized)) -> u8 {
    store.read(0) & 1
}

/// Where a slot starts.
const fn slot(number: u8) -> usize {
    1 + if number == 0 { 0 } else { own::MAX_BYTES }
}

/// Zeros are not what an erased memory holds, but what some fill it with: that is a memory all the same.
fn own_byte(store: &(impl Store + ?Sized), place: usize) -> u8 {
    let byte = store.read(slot(active(store)) + place);
    if place == 0 && byte == own::FORMAT_NO_STORE { own::FORMAT_EMPTY } else { byte }
}

fn write_chunk(store: &mut (impl Store + ?Sized), chunk: u8, bytes: [u8; CHUNK_BYTES]) -> Outcome {
    let start = usize::from(chunk) * CHUNK_BYTES;
    if start >= own::MAX_BYTES {
        return Outcome::OutOfRange;
    }
    let other = slot(active(store) ^ 1);
    for (place, byte) in (start..own::MAX_BYTES).zip(bytes) {
        store.write(other + place, byte);
    }
    Outcome::Done
}

fn commit(store: &mut (impl Store + ?Sized), length: u8, crc: u32) -> Outcome {
    let length = usize::from(length);
    if length == 0 || length > own::MAX_BYTES {
        return Outcome::OutOfRange;
    }
    let in_force = active(store);
    if crc_of(store, in_force, length) == crc {
        return Outcome::Done; // asked again
    }
    let other = in_force ^ 1;
    if crc_of(store, other, length) != crc {
        return Outcome::WrongCrc;
    }
    store.write(0, if other == 0 { 0 } else { u8::MAX });
    Outcome::Done
}

fn crc_of(store: &(impl Store + ?Sized), number: u8, length: usize) -> u32 {
    let mut digest = CRC.digest();
    (0..length).for_each(|place| digest.update(&[store.read(slot(number) + place)]));
    digest.finalize()
}
