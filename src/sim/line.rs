//! One direction of a line: bytes that take their time.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Bytes under way, each with the time at which it has arrived.
#[derive(Debug)]
pub(super) struct Paced {
    byte_time: Duration,
    free_at: Instant,
    bytes: VecDeque<(Instant, u8)>,
}

impl Paced {
    /// An idle line on which a byte takes that long; zero is allowed.
    pub(super) fn new(byte_time: Duration, now: Instant) -> Self {
        Paced { byte_time, free_at: now, bytes: VecDeque::new() }
    }

    /// Sends a byte behind those under way.
    pub(super) fn push(&mut self, byte: u8, now: Instant) {
        self.free_at = self.free_at.max(now) + self.byte_time;
        self.bytes.push_back((self.free_at, byte));
    }

    /// The next byte that has arrived, with when it did.
    pub(super) fn pop(&mut self, now: Instant) -> Option<(Instant, u8)> {
        self.bytes.pop_front_if(|(arrival, _)| *arrival <= now)
    }

    /// When the next byte arrives.
    pub(super) fn next_arrival(&self) -> Option<Instant> {
        self.bytes.front().map(|(arrival, _)| *arrival)
    }

    /// When no more than that many bytes will be under way; `None` if that is so now.
    pub(super) fn drained_to(&self, bytes: usize) -> Option<Instant> {
        let last_too_many = self.bytes.len().checked_sub(bytes)?.checked_sub(1)?;
        Some(self.bytes[last_too_many].0)
    }

    /// Bytes under way.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Forgets what is under way.
    pub(super) fn clear(&mut self, now: Instant) {
        self.bytes.clear();
        self.free_at = now;
    }
}
