//! What goes wrong on purpose, and when: the same run of bytes and times gives the same faults.

use std::time::Duration;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the host.
    ToBoard,
    /// To the host.
    FromBoard,
}

/// Something that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The next bytes in that direction are lost.
    Lose {
        /// Which way.
        direction: Direction,
        /// How many.
        bytes: usize,
    },
    /// Bytes that nobody sent appear.
    Insert {
        /// Which way.
        direction: Direction,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// The firmware stands still for that long: it reads nothing and answers nothing.
    Stall(Duration),
    /// The reset button.
    Reset,
    /// The cable is pulled: nothing goes either way any more, and the host's end of the stream ends.
    Unplug,
}

/// When something goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Just before the byte with that number, from 0, counted over all that were to go in that direction, lost ones too.
    Offset(Direction, u64),
    /// So long after the board was made.
    After(Duration),
}

/// One line of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scripted {
    /// When.
    pub when: When,
    /// What.
    pub fault: Fault,
}

/// Random loss in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noise {
    /// Which way.
    pub direction: Direction,
    /// How many bytes of a million are lost on average.
    pub lost_per_million: u32,
    /// The same seed loses the same bytes.
    pub seed: u64,
}

/// One direction of the stream, with what is to happen to it.
#[derive(Debug, Default)]
pub(super) struct Stream {
    offset: u64,
    lose: usize,
    script: Vec<(u64, Fault)>,
    noise: Vec<(u32, Random)>,
}

impl Stream {
    /// The stream of that direction, with its part of a script and of the noise.
    pub(super) fn new(direction: Direction, script: &[Scripted], noise: &[Noise]) -> Self {
        let script = script.iter().filter_map(|line| match line.when {
            When::Offset(of, offset) if of == direction => Some((offset, line.fault.clone())),
            _ => None,
        });
        let noise = noise.iter().filter(|noise| noise.direction == direction);
        let noise = noise.map(|noise| (noise.lost_per_million, Random(noise.seed))).collect();
        Stream { offset: 0, lose: 0, script: script.collect(), noise }
    }

    /// Loses the next bytes.
    pub(super) fn lose(&mut self, bytes: usize) {
        self.lose += bytes;
    }

    /// The faults that come just before the next byte.
    pub(super) fn due(&mut self) -> Vec<Fault> {
        if self.script.is_empty() {
            return Vec::new();
        }
        self.script.extract_if(.., |(offset, _)| *offset <= self.offset).map(|(_, fault)| fault).collect()
    }

    /// Counts the next byte; false if it is lost.
    pub(super) fn keeps_next(&mut self) -> bool {
        self.offset += 1;
        if self.lose > 0 {
            self.lose -= 1;
            return false;
        }
        let noise = self.noise.iter_mut().map(|(lost, random)| random.below(MILLION) < u64::from(*lost));
        // Every source draws for every byte, so that one does not shift another.
        !noise.fold(false, |any, lost| any | lost)
    }
}

const MILLION: u64 = 1_000_000;

/// SplitMix64: small, and the same everywhere.
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}
