//! The sans-IO board: firmware in time.
//!
//! The firmware's loop is `read; tick; repeat`. Rounds that would do nothing are left out, so an idle board costs nothing; all others
//! happen at their times, however far apart [`Board::poll`] is called.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use firmware_proto::Dialect;

use super::component::Pins;
use super::config::Config;
use super::crash::Crash;
use super::fault::{Direction, Fault, Stream, When};
use super::firmware::Firmware;
use super::line::Paced;

/// Rounds of the loop that may follow each other without pause after an idle time: work that arrives is done at once, while a graph
/// that never rests keeps to the loop's period.
const BURST_ROUNDS: u32 = 128;

/// Bytes towards the host that wait to be taken: beyond these the board stands still, as it would in a blocking write.
const OUTPUT_BYTES: usize = 4096;

/// Bytes from the host that wait to be read: beyond these [`Board::accepts_bytes`] is false.
const INPUT_BYTES: usize = 4096;

/// A simulated board. Call [`poll`](Board::poll) after everything else and at [`next_wake`](Board::next_wake).
pub struct Board {
    config: Config,
    firmware: Firmware,
    /// When the bootloader ends, while it runs.
    boots_at: Option<Instant>,
    /// When the firmware started: its clock's zero.
    started: Instant,
    /// The latest time known.
    clock: Instant,
    earliest_round: Instant,
    stalled_until: Instant,
    /// Bytes on their way to the board, then those in its receive ring.
    receiving: Paced,
    ring: VecDeque<u8>,
    ring_bytes: usize,
    sending: Paced,
    to_board: Stream,
    from_board: Stream,
    timed_faults: Vec<(Instant, Fault)>,
    unplugged: bool,
    first_crash: Option<Crash>,
    dropped: u64,
}

/// What happens next. In this order where times are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Fault,
    Boot,
    Arrival,
    Round,
}

impl Board {
    /// A board that gets its power now.
    pub fn new(config: Config, now: Instant) -> Self {
        let timed = config.script.iter().filter_map(|line| match line.when {
            When::After(after) => Some((now + after, line.fault.clone())),
            When::Offset(..) => None,
        });
        let byte_time = config.line.map_or(Duration::ZERO, |line| line.byte_time());
        Board {
            firmware: Firmware::new(config.dialect, config.node_limit, config.message_limit),
            boots_at: Some(now + config.bootloader.deaf),
            started: now,
            clock: now,
            earliest_round: now,
            stalled_until: now,
            receiving: Paced::new(byte_time, now),
            ring: VecDeque::new(),
            ring_bytes: config.line.map_or(usize::MAX, |line| line.receive_ring),
            sending: Paced::new(byte_time, now),
            to_board: Stream::new(Direction::ToBoard, &config.script, &config.noise),
            from_board: Stream::new(Direction::FromBoard, &config.script, &config.noise),
            timed_faults: timed.collect(),
            unplugged: false,
            first_crash: None,
            dropped: 0,
            config,
        }
    }

    /// Bytes from the host. Nothing is refused, but see [`accepts_bytes`](Self::accepts_bytes).
    pub fn receive(&mut self, bytes: &[u8], now: Instant) {
        self.advance(now);
        for byte in bytes {
            for fault in self.to_board.due() {
                self.apply(fault, self.clock);
            }
            if self.to_board.keeps_next() && !self.unplugged {
                self.receiving.push(*byte, self.clock);
            }
        }
    }

    /// Does what is due, and returns the bytes that have reached the host; `None` if there are none.
    pub fn poll(&mut self, now: Instant) -> Option<Vec<u8>> {
        self.advance(now);
        let bytes: Vec<u8> = std::iter::from_fn(|| self.sending.pop(self.clock)).map(|(_, byte)| byte).collect();
        (!bytes.is_empty() && !self.unplugged).then_some(bytes)
    }

    /// When [`poll`](Self::poll) has something to do; `None`: not before bytes come. It may be in the past.
    pub fn next_wake(&self) -> Option<Instant> {
        let step = self.next_step().map(|(at, _)| at);
        [step, self.sending.next_arrival()].into_iter().flatten().min().filter(|_| !self.unplugged)
    }

    /// Whether the board takes more bytes: a shell stops reading from the host while it does not.
    pub fn accepts_bytes(&self) -> bool {
        self.receiving.len() + self.ring.len() < INPUT_BYTES
    }

    /// Presses the reset button: the only thing that revives a crashed board.
    pub fn reset(&mut self, now: Instant) {
        self.inject(Fault::Reset, now);
    }

    /// Makes something go wrong now.
    pub fn inject(&mut self, fault: Fault, now: Instant) {
        self.advance(now);
        self.apply(fault, self.clock);
    }

    /// The dialect that it speaks.
    pub fn dialect(&self) -> Dialect {
        self.config.dialect
    }

    /// What a real board would have crashed of. The first time counts, also after a reset.
    pub fn crashed(&self) -> Option<Crash> {
        self.first_crash
    }

    /// Whether the cable was pulled.
    pub fn is_unplugged(&self) -> bool {
        self.unplugged
    }

    /// Whether a host has opened a session.
    pub fn in_session(&self) -> bool {
        self.firmware.in_session()
    }

    /// Bytes from the host that came while the receive ring was full.
    pub fn dropped_bytes(&self) -> u64 {
        self.dropped
    }

    /// Packets that the firmware lost because its message queue wrapped, since the nodes were last cleared.
    pub fn lost_packets(&self) -> u64 {
        self.firmware.lost_packets()
    }

    /// The pins: to see what the graph did, or to set what it reads.
    pub fn pins(&mut self) -> &mut Pins {
        self.firmware.pins()
    }

    fn advance(&mut self, now: Instant) {
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

    fn next_step(&self) -> Option<(Instant, Step)> {
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

    fn apply(&mut self, fault: Fault, now: Instant) {
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
        self.firmware = Firmware::new(self.config.dialect, self.config.node_limit, self.config.message_limit);
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
