//! The session with one board: from the first byte after opening the port to the last.
//!
//! Sans-IO: [`Session::handle_bytes`], [`Session::submit`] and [`Session::handle_time`] say what happened, [`Session::poll`]
//! says what to do, [`Session::wake_at`] when to come back. Mutate, then poll until `None`.
//!
//! ```text
//!            silence / noise                      lost bytes, no answer
//! Probing ───────────────────> Probing (slow)   Up ─────────────────────> Probing (resync)
//!    │ magic and ping answered                   ^  board restarted ─────> Probing (reboot)
//!    └──> describing ── who it is is known ──────┘
//! ```

mod chatter;
pub mod config;
mod describing;
mod handshake;
mod introducing;
mod matching;
mod notice;
mod probe;
mod requests;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Instant;

use firmware_proto::{Body, DebugPoint, Decoded, Decoder, Dialect, Event, Message, Response};

use self::chatter::Chatter;
pub use self::config::Config;
use self::config::{ANSWER_PATIENCE, HANDSHAKE_PATIENCE, KEEP_ALIVE, PARTIAL_FRAME_PATIENCE};
use self::describing::{Describing, Setback};
pub use self::notice::{LossCause, Notice, Output, Start};
use self::probe::Probe;
use self::requests::{Requests, Settled};
use crate::pure::introduction::{Descriptors, Introduction};
use crate::pure::request::{Failure, Outcome, Request, Ticket};
use crate::pure::view::Firmware;

#[derive(Debug)]
enum Phase {
    Probing(Box<Probe>),
    Open {
        firmware: Firmware,
        decoder: Decoder,
        chatter: Chatter,
        /// What is known of its past, until it is up.
        start: Option<Start>,
    },
}

/// One board's session.
#[derive(Debug)]
pub struct Session {
    phase: Phase,
    requests: Requests,
    /// What the board is being asked about itself.
    describing: Option<Describing>,
    /// Outcomes of the session's own requests.
    answers: VecDeque<(Ticket, Outcome)>,
    /// What boards have said before.
    known: Descriptors,
    /// What it said of itself last, on this line.
    before: Box<Introduction>,
    /// How many times it was asked, which names the requests of each time.
    rounds: u64,
    /// It is to be asked once more when it has said all: something has changed meanwhile.
    again: bool,
    /// How often in a row it was lost before it was up, how the last time, and what was known of its past before that.
    setbacks: u32,
    setback: Setback,
    start_before: Option<Start>,
    /// Whether it has said before that it describes itself.
    has_answered: bool,
    outputs: VecDeque<Output>,
    /// What was heard while no session was open, for [`Notice::NotMicroflo`].
    noise: Vec<u8>,
    noise_bytes: usize,
    /// When the current handshake has taken too long; `None` once that was said.
    patience_ends: Option<Instant>,
    handshaking_said: bool,
    last_heard: Instant,
}

impl Session {
    /// A session on a port that has just been opened, at the first of the bauds.
    pub fn new(config: Config, now: Instant) -> Self {
        let dialects = || Dialect::ALL.into_iter().filter(|dialect| config.dialect.is_none_or(|only| only == *dialect));
        let candidates = |baud: &u32| {
            let baud = *baud;
            dialects().map(move |dialect| Firmware { dialect, baud }).collect::<Vec<_>>()
        };
        let candidates: Vec<Firmware> = config.bauds.iter().flat_map(candidates).collect();
        let left = config.left.filter(|left| candidates.contains(left));
        let probe = Probe::new(candidates, config.boot_window, now).resuming(left);
        Session {
            patience_ends: Some(now + config.boot_window + HANDSHAKE_PATIENCE),
            phase: Phase::Probing(Box::new(probe)),
            requests: Requests::new(now),
            describing: None,
            answers: VecDeque::new(),
            known: Descriptors::default(),
            before: Box::default(),
            rounds: 0,
            again: false,
            setbacks: 0,
            setback: Setback::Lost,
            start_before: None,
            has_answered: false,
            outputs: VecDeque::new(),
            noise: Vec::new(),
            noise_bytes: 0,
            handshaking_said: false,
            last_heard: now,
        }
    }

    /// These descriptors need not be read.
    pub fn knowing(mut self, known: Descriptors) -> Self {
        self.known = known;
        self
    }

    /// The board on this line has said this of itself before: it holds where the line does not let it say anything.
    pub fn after(mut self, before: Introduction) -> Self {
        *self.before = before;
        self
    }

    /// How the board is spoken to, while it is up.
    pub fn firmware(&self) -> Option<Firmware> {
        match &self.phase {
            Phase::Open { firmware, start: None, .. } => Some(*firmware),
            Phase::Open { .. } | Phase::Probing(_) => None,
        }
    }

    /// Asks something of the board. It is answered exactly once, with [`Notice::Done`]. Without a session it fails at once.
    pub fn submit(&mut self, request: Request, now: Instant) {
        if self.firmware().is_some() {
            self.requests.submit(request);
        } else {
            self.notify(Notice::Done(request.ticket, Err(Failure::Gone)));
        }
        self.settle(now);
    }

    /// The port is closed: whatever was asked fails. Poll once more for the outcomes.
    pub fn close(&mut self) {
        self.requests.fail_all(Failure::Gone);
        self.report_done();
    }

    /// Bytes came from the board.
    pub fn handle_bytes(&mut self, mut bytes: &[u8], now: Instant) {
        self.last_heard = now;
        while !bytes.is_empty() {
            match &self.phase {
                Phase::Probing(_) => self.probe_bytes(&mut bytes, now),
                Phase::Open { .. } => self.session_bytes(&mut bytes, now),
            }
        }
        self.settle(now);
    }

    /// Time has passed: call at [`Session::wake_at`] or later.
    pub fn handle_time(&mut self, now: Instant) {
        match &mut self.phase {
            Phase::Probing(_) => self.probe_time(now),
            Phase::Open { firmware, decoder, .. } => {
                let firmware = *firmware;
                if decoder.has_partial() && now >= self.last_heard + PARTIAL_FRAME_PATIENCE {
                    self.lose(LossCause::BadFrame, now);
                } else if self.requests.deadline(ANSWER_PATIENCE).is_some_and(|deadline| now >= deadline) {
                    self.lose(LossCause::NoAnswer, now);
                } else if self.requests.is_idle() && now >= self.last_heard + KEEP_ALIVE {
                    let frame = self.requests.ping(firmware.dialect, now);
                    self.transmit(frame.as_bytes());
                }
                if self.describing.as_mut().is_some_and(|describing| describing.on_time(now)) {
                    self.go_on(now);
                }
            }
        }
        self.settle(now);
    }

    /// When [`Session::handle_time`] is due.
    pub fn wake_at(&self) -> Instant {
        match &self.phase {
            Phase::Probing(probe) => self.patience_ends.map_or(probe.wake_at(), |ends| ends.min(probe.wake_at())),
            Phase::Open { decoder, .. } => {
                let keep_alive = self.last_heard + KEEP_ALIVE;
                let partial = decoder.has_partial().then_some(self.last_heard + PARTIAL_FRAME_PATIENCE);
                let quiet = if self.requests.is_idle() { Some(keep_alive) } else { None };
                let describing = self.describing.as_ref().map(Describing::wake_at);
                let due = [partial, quiet, self.requests.deadline(ANSWER_PATIENCE), describing];
                due.into_iter().flatten().min().unwrap_or(keep_alive)
            }
        }
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Whether [`Session::poll`] has something.
    pub fn has_output(&self) -> bool {
        !self.outputs.is_empty()
    }

    /// Commands that wait for the wire.
    pub fn waiting(&self) -> usize {
        self.requests.waiting()
    }

    fn session_bytes(&mut self, bytes: &mut &[u8], now: Instant) {
        while let Phase::Open { decoder, .. } = &mut self.phase {
            match decoder.next(bytes) {
                None => return,
                Some(Decoded::Misaligned) => self.lose(LossCause::BadFrame, now),
                Some(Decoded::Message(message)) => self.session_message(&message, now),
            }
        }
    }

    fn session_message(&mut self, message: &Message, now: Instant) {
        let Phase::Open { firmware, start, .. } = &self.phase else { return };
        let is_up = start.is_none();
        let dialect = firmware.dialect;
        match message.body {
            Body::Response(Response::CommunicationOpen) => self.board_restarted(message, now),
            Body::Response(response) => {
                let settled = self.requests.settle(dialect, message.request_id, &response, now);
                if settled == Settled::Stray {
                    self.lose(LossCause::StrayAnswer, now);
                }
            }
            Body::Event(event) => {
                // Before that nobody is told anything of it.
                if is_up {
                    self.notify(Notice::Event(event));
                }
                if let Event::Debug { point, .. } = event {
                    self.debug_point(dialect, point, now);
                }
            }
        }
    }

    /// In the 8-byte dialect a debug message is the only sign that a command failed; in the other one, for some commands.
    fn debug_point(&mut self, dialect: Dialect, point: DebugPoint, now: Instant) {
        let is_answer = dialect == Dialect::Flo01 || matching::is_only_answer(point);
        if is_answer && self.requests.refuse(point, now) {
            return;
        }
        if matching::shows_misalignment(point) {
            self.lose(LossCause::BoardComplained(point), now);
        }
    }

    fn board_restarted(&mut self, message: &Message, now: Instant) {
        let Phase::Open { firmware, decoder, chatter, start } = &mut self.phase else { return };
        chatter.feed(message);
        let decoder = std::mem::replace(decoder, Decoder::searching(firmware.dialect));
        let probe = Probe::reboot(*firmware, decoder, std::mem::take(chatter), now);
        let was_up = start.is_none();
        self.set_back(Setback::Restarted, was_up);
        self.leave(Failure::Gone, was_up.then_some(Notice::Restarted), probe, now);
    }

    fn lose(&mut self, cause: LossCause, now: Instant) {
        let Phase::Open { firmware, start, .. } = &mut self.phase else { return };
        let probe = Probe::resync(*firmware, now);
        let start = start.take();
        let was_up = start.is_none();
        // It was only asked what it says of itself, which changes nothing on it.
        self.start_before = start;
        self.set_back(Setback::Lost, was_up);
        self.leave(Failure::Lost, was_up.then_some(Notice::OutOfStep(cause)), probe, now);
    }

    fn leave(&mut self, failure: Failure, notice: Option<Notice>, probe: Probe, now: Instant) {
        self.requests.fail_all(failure);
        self.report_done();
        self.has_answered |= self.describing.take().is_some_and(|describing| describing.is_answered());
        self.answers.clear();
        self.again = false;
        if let Some(notice) = notice {
            self.notify(notice);
        }
        self.phase = Phase::Probing(Box::new(probe));
        self.patience_ends = Some(now + HANDSHAKE_PATIENCE);
        self.forget_noise();
    }

    /// Reports what ended and sends what the window has room for.
    fn settle(&mut self, now: Instant) {
        loop {
            self.report_done();
            self.describe(now);
            let Phase::Open { firmware, .. } = &self.phase else { return };
            let Some(frame) = self.requests.next_frame(firmware.dialect, now) else { return };
            self.transmit(frame.as_bytes());
        }
    }

    fn report_done(&mut self) {
        for (ticket, outcome) in self.requests.take_done() {
            if describing::is_own(ticket) {
                self.answers.push_back((ticket, outcome));
            } else {
                self.outputs.push_back(Output::Notice(Notice::Done(ticket, outcome)));
            }
        }
    }

    fn notify(&mut self, notice: Notice) {
        // In the board's order: the answer to a start comes before the packets that it set going.
        self.report_done();
        self.outputs.push_back(Output::Notice(notice));
    }

    fn transmit(&mut self, bytes: &[u8]) {
        if let Some(Output::Transmit(waiting)) = self.outputs.back_mut() {
            waiting.extend_from_slice(bytes);
        } else {
            self.outputs.push_back(Output::Transmit(bytes.to_vec()));
        }
    }
}
