//! The sans-IO board: firmware in time.
//!
//! The firmware's loop is `read; tick; repeat`. Rounds that would do nothing are left out, so an idle board costs nothing; all others
//! happen at their times, however far apart [`Board::poll`] is called.

mod steps;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use firmware_proto::Dialect;

use super::component::Pins;
use super::config::Config;
use super::crash::Crash;
use super::fault::{Direction, Fault, Stream, When};
use super::firmware::Firmware;
use super::line::Paced;
use super::network::Graph;

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

impl Board {
    /// A board that gets its power now.
    pub fn new(config: Config, now: Instant) -> Self {
        let timed = config.script.iter().filter_map(|line| match line.when {
            When::After(after) => Some((now + after, line.fault.clone())),
            When::Offset(..) => None,
        });
        let byte_time = config.line.map_or(Duration::ZERO, |line| line.byte_time());
        Board {
            firmware: Firmware::new(&config),
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

    /// What is on it.
    pub fn graph(&self) -> Graph {
        self.firmware.graph()
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
}
