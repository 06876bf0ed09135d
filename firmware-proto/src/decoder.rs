//! The host's streaming decoder.
//!
//! The stream has no frame marks: inside a session one lost byte shifts everything after it. The decoder reads frames
//! strictly ([`Message::decode`]), says at once when one is impossible, and slides byte by byte until frames make sense again.

use crate::dialect::{Dialect, Frame};
use crate::limits::MAX_FRAME_BYTES;
use crate::message::{Body, Message};

/// What the decoder found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Decoded {
    /// A whole frame.
    Message(Message),
    /// A frame that no firmware sends: bytes were lost or are not MicroFlo's. Said once per loss; the search goes on by itself.
    Misaligned,
}

/// Bytes in, messages out. Holds at most two frames.
#[derive(Clone, Debug)]
pub struct Decoder {
    dialect: Dialect,
    buffer: [u8; 2 * MAX_FRAME_BYTES],
    len: usize,
    aligned: bool,
    skipped: u64,
}

impl Decoder {
    /// A decoder that takes the first byte as the start of a frame.
    pub const fn aligned(dialect: Dialect) -> Self {
        Decoder { dialect, buffer: [0; 2 * MAX_FRAME_BYTES], len: 0, aligned: true, skipped: 0 }
    }

    /// A decoder that first looks for where frames start: for joining a stream that is already running.
    pub const fn searching(dialect: Dialect) -> Self {
        Decoder { aligned: false, ..Self::aligned(dialect) }
    }

    /// The dialect that it reads.
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Bytes skipped so far because they were no part of a frame.
    pub const fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Whether part of a frame waits for its rest. Firmware writes frames whole: a part that stays means lost bytes.
    pub const fn has_partial(&self) -> bool {
        self.len > 0
    }

    /// Forgets a partial frame and looks for the next frame start.
    pub fn restart(&mut self) {
        self.skipped += self.len as u64;
        self.len = 0;
        self.aligned = false;
    }

    /// The next message in what was given so far. Takes bytes off the front of `input`; call until `None`, which means that all were taken.
    pub fn next(&mut self, input: &mut &[u8]) -> Option<Decoded> {
        let frame_len = self.dialect.frame_len();
        loop {
            let want = if self.aligned { frame_len } else { 2 * frame_len };
            self.fill(input, want);
            if self.len < frame_len {
                return None;
            }
            let message = self.frame_at_front().and_then(|frame| Message::decode(self.dialect, &frame));
            match message {
                Some(message) if self.aligned || self.rest_is_plausible() => {
                    self.aligned = true;
                    self.drop_front(frame_len);
                    return Some(Decoded::Message(message));
                }
                _ => {
                    self.drop_front(1);
                    self.skipped += 1;
                    if core::mem::replace(&mut self.aligned, false) {
                        return Some(Decoded::Misaligned);
                    }
                }
            }
        }
    }

    fn fill(&mut self, input: &mut &[u8], want: usize) {
        let take = want.saturating_sub(self.len).min(input.len());
        let (now, later) = input.split_at(take);
        self.buffer[self.len..self.len + take].copy_from_slice(now);
        self.len += take;
        *input = later;
    }

    fn drop_front(&mut self, count: usize) {
        self.buffer.copy_within(count..self.len, 0);
        self.len -= count;
    }

    fn frame_at_front(&self) -> Option<Frame> {
        Frame::from_bytes(self.dialect, &self.buffer[..self.dialect.frame_len()])
    }

    /// Whether what follows the front frame can be a frame's start: while searching, one frame alone may be chance.
    fn rest_is_plausible(&self) -> bool {
        let rest = &self.buffer[self.dialect.frame_len()..self.len];
        if rest.len() <= self.dialect.header_len() {
            return true;
        }
        let mut probe = [0; MAX_FRAME_BYTES];
        let len = rest.len().min(self.dialect.frame_len());
        probe[..len].copy_from_slice(&rest[..len]);
        if len == self.dialect.frame_len() {
            return Frame::from_bytes(self.dialect, &probe[..len])
                .is_some_and(|f| Message::decode(self.dialect, &f).is_some());
        }
        Body::has_id(probe[self.dialect.header_len()])
    }
}
