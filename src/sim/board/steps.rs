//! What a board does as time passes, step by step.

use std::time::{Duration, Instant};

use super::Board;
use crate::sim::fault::{Direction, Fault};
use crate::sim::firmware::Firmware;

/// Rounds of the loop that may follow each other without pause after an idle time: work that arrives is done at once, while a graph
/// that never rests keeps to the loop's period.
const BURST_ROUNDS: u32 = 128;

/// Bytes towards the host that wait to be taken: beyond these the board stands still, as it would in a blocking write.
const OUTPUT_BYTES: usize = 4096;

/// What happens next. In this order where times are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Fault,
    Boot,
    Arrival,
    Round,
}

impl Board {
    /// Does everything that is due, each at its time.
    pub(super) fn advance(&mut self, now: Instant) {
        while let Some((at, step)) = self.next_step().filter(|(at, _)| *at <= now) {
            self.clock = self.clock.max(at);
            match step {
                Step::Fault => self.apply_timed_fault(),
                Step::Boot => self.boot(),
                Step::Arrival => self.arrive(),
                Step::Round => self.round(),
            }
        }
        self.clock = self.clock.max(now);
    }

    /// What happens next, and when; `None`: nothing before the host does something.
    pub(super) fn next_step(&self) -> Option<(Instant, Step)> {
        if self.unplugged {
            return None;
        }
        let fault = self.timed_faults.iter().map(|(at, _)| *at).min();
        let steps = [
            (fault, Step::Fault),
            (self.boots_at, Step::Boot),
            (self.receiving.next_arrival(), Step::Arrival),
            (self.next_round(), Step::Round),
        ];
        steps.into_iter().filter_map(|(at, step)| Some((at?, step))).min()
    }

    /// When the loop does something next.
    fn next_round(&self) -> Option<Instant> {
        let output_full = self.sending.len() >= OUTPUT_BYTES;
        if self.boots_at.is_some() || self.firmware.crashed().is_some() || output_full {
            return None;
        }
        let writable_at = self.config.line.and_then(|line| self.sending.drained_to(line.transmit_ring));
        let now_ms = self.millis();
        let work = match self.firmware.due_in(self.wrapping_millis()) {
            _ if !self.ring.is_empty() => self.clock,
            Some(0) => self.clock,
            Some(due) => self.started + Duration::from_millis(now_ms + u64::from(due)),
            None => return None,
        };
        Some(work.max(self.earliest_round).max(self.stalled_until).max(writable_at.unwrap_or(self.clock)))
    }

    fn boot(&mut self) {
        self.boots_at = None;
        self.started = self.clock;
        let mut out = Vec::new();
        if let Some(graph) = &self.config.embedded {
            self.firmware.boot(graph, &mut out);
        }
        self.write(&out);
        self.note_crash();
    }

    fn arrive(&mut self) {
        while let Some((_, byte)) = self.receiving.pop(self.clock) {
            if let Some(boots_at) = &mut self.boots_at {
                if self.config.bootloader.rearmed {
                    *boots_at = self.clock + self.config.bootloader.deaf;
                }
            } else if self.ring.len() < self.ring_bytes {
                self.ring.push_back(byte);
            } else {
                self.dropped += 1;
            }
        }
    }

    /// One round of the firmware's loop.
    fn round(&mut self) {
        let burst = self.config.loop_period * BURST_ROUNDS;
        let oldest = self.clock.checked_sub(burst).unwrap_or(self.clock);
        self.earliest_round = self.earliest_round.max(oldest) + self.config.loop_period.max(Duration::from_nanos(1));
        // A UART's loop reads a byte per round, a PTY's a frame.
        let take = if self.config.line.is_some() { 1 } else { self.config.dialect.frame_len() };
        let now_ms = self.wrapping_millis();
        let mut out = Vec::new();
        for byte in self.ring.drain(..take.min(self.ring.len())) {
            self.firmware.feed(byte, now_ms, &mut out);
        }
        self.firmware.tick(now_ms, &mut out);
        self.write(&out);
        self.note_crash();
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            for fault in self.from_board.due() {
                self.apply(fault, self.clock);
            }
            if self.boots_at.is_some() {
                // A fault reset the board in the middle of a frame.
                return;
            }
            if self.from_board.keeps_next() && !self.unplugged {
                self.sending.push(*byte, self.clock);
            }
        }
    }

    fn apply_timed_fault(&mut self) {
        let due = self.timed_faults.iter().position(|(at, _)| *at <= self.clock);
        if let Some(due) = due {
            let (_, fault) = self.timed_faults.remove(due);
            self.apply(fault, self.clock);
        }
    }

    pub(super) fn apply(&mut self, fault: Fault, now: Instant) {
        match fault {
            Fault::Lose { direction: Direction::ToBoard, bytes } => self.to_board.lose(bytes),
            Fault::Lose { direction: Direction::FromBoard, bytes } => self.from_board.lose(bytes),
            Fault::Insert { direction: Direction::ToBoard, bytes } => {
                bytes.iter().for_each(|byte| self.receiving.push(*byte, now));
            }
            Fault::Insert { direction: Direction::FromBoard, bytes } => {
                bytes.iter().for_each(|byte| self.sending.push(*byte, now));
            }
            Fault::Stall(time) => self.stalled_until = now + time,
            Fault::Reset => self.restart(now),
            Fault::Unplug => self.unplugged = true,
        }
    }

    fn restart(&mut self, now: Instant) {
        self.firmware = Firmware::new(&self.config);
        self.ring.clear();
        self.sending.clear(now);
        self.stalled_until = now;
        self.boots_at = Some(now + self.config.bootloader.deaf);
    }

    fn note_crash(&mut self) {
        self.first_crash = self.first_crash.or(self.firmware.crashed());
    }

    /// Milliseconds since the firmware started.
    fn millis(&self) -> u64 {
        u64::try_from(self.clock.saturating_duration_since(self.started).as_millis()).unwrap_or(u64::MAX)
    }

    /// The same as the firmware sees them.
    fn wrapping_millis(&self) -> u32 {
        self.millis() as u32
    }
}
