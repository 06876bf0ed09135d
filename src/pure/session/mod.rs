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
mod matching;
mod probe;
mod requests;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Instant;

use firmware_proto::{Body, DebugPoint, Decoded, Decoder, Dialect, Event, Message, Response};

use self::chatter::Chatter;
pub use self::config::Config;
use self::config::{
    ANSWER_PATIENCE, DESCRIBING_TRIES, HANDSHAKE_PATIENCE, KEEP_ALIVE, NOISE_BYTES, NOISE_SHOWN_BYTES,
    PARTIAL_FRAME_PATIENCE,
};
use self::describing::{Describing, Next};
use self::probe::{Action, Opened, Probe};
use self::requests::{Requests, Settled};
use crate::pure::introduction::{Descriptors, Introduction};
use crate::pure::request::{Failure, Outcome, Request, Ticket};
use crate::pure::view::Firmware;

/// What the session wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Write these bytes, in order.
    Transmit(Vec<u8>),
    /// Change the line's baud rate before anything else is written.
    SetBaud(u32),
    /// Something that the board's owner has to know.
    Notice(Notice),
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// The first byte of a handshake was sent; before that the board had time to boot.
    Handshaking,
    /// The board answers and describes itself; what its firmware says is read now, which takes seconds on a slow line.
    Reading,
    /// The board answers, and has said this of itself. It is up once [`Session::go_on`] says so.
    Introduction(Box<Introduction>),
    /// The board is ready for requests.
    Up {
        /// How it is spoken to.
        firmware: Firmware,
        /// What is known of its past.
        start: Start,
    },
    /// Bytes were lost: all requests have failed, the board's graph is no longer known, and the session is being opened again.
    OutOfStep(LossCause),
    /// The board has restarted: all requests have failed, and the session is being opened again.
    Restarted,
    /// Nothing came.
    Silent,
    /// Only other things came: these, at most [`NOISE_SHOWN_BYTES`].
    NotMicroflo(Vec<u8>),
    /// A request ended.
    Done(Ticket, Outcome),
    /// The board says something unasked.
    Event(Event),
}

/// What is known of a board's past when it answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Start {
    /// It has just started, and these are the responses of its embedded graph.
    Booted(Vec<Response>),
    /// Its session is still the one that it was left with: it has not started since.
    Continued,
    /// Nothing: it may have any graph.
    Unknown,
}

/// Why the session is out of step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LossCause {
    /// A frame that no firmware sends, or part of one.
    #[error("bytes from the board were lost")]
    BadFrame,
    /// The oldest command got no answer.
    #[error("the board did not answer in time")]
    NoAnswer,
    /// The board reported that it understood nothing.
    #[error("the board lost bytes: {0}")]
    BoardComplained(DebugPoint),
    /// An answer to nothing that was asked.
    #[error("the board answered what nobody asked")]
    StrayAnswer,
}

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
    /// How often in a row bytes were lost before the board was up, and what was known of its past before that.
    losses: u32,
    /// Whether it has said before that it describes itself.
    has_answered: bool,
    start_before: Option<Start>,
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
            losses: 0,
            has_answered: false,
            start_before: None,
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

    /// How the board is spoken to, while it is up.
    pub fn firmware(&self) -> Option<Firmware> {
        match &self.phase {
            Phase::Open { firmware, start: None, .. } => Some(*firmware),
            Phase::Open { .. } | Phase::Probing(_) => None,
        }
    }

    /// Asks the board anew what it says of itself, beside all other requests; [`Notice::Introduction`] tells.
    pub fn introduce_again(&mut self, now: Instant) {
        if let Some(firmware) = self.firmware()
            && self.describing.is_none()
        {
            self.describing = Some(Describing::new(firmware.dialect, now));
        }
        self.settle(now);
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

    /// Who the board is, is known now: the answer to [`Notice::Introduction`].
    /// One that comes late, when the board is being asked anew, does nothing.
    pub fn go_on(&mut self, now: Instant) {
        if self.describing.take_if(|describing| describing.is_told()).is_none() {
            return;
        }
        if let Phase::Open { firmware, start, .. } = &mut self.phase {
            let firmware = *firmware;
            if let Some(start) = start.take() {
                (self.losses, self.has_answered) = (0, false);
                self.notify(Notice::Up { firmware, start });
            }
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
        self.leave(Failure::Gone, was_up.then_some(Notice::Restarted), probe, now);
    }

    fn lose(&mut self, cause: LossCause, now: Instant) {
        let Phase::Open { firmware, start, .. } = &mut self.phase else { return };
        let probe = Probe::resync(*firmware, now);
        let start = start.take();
        let was_up = start.is_none();
        // It was only asked what it says of itself, which changes nothing on it.
        (self.start_before, self.losses) = (start, if was_up { 0 } else { self.losses + 1 });
        self.leave(Failure::Lost, was_up.then_some(Notice::OutOfStep(cause)), probe, now);
    }

    fn leave(&mut self, failure: Failure, notice: Option<Notice>, probe: Probe, now: Instant) {
        self.requests.fail_all(failure);
        self.report_done();
        self.has_answered |= self.describing.take().is_some_and(|describing| describing.is_answered());
        self.answers.clear();
        if let Some(notice) = notice {
            self.notify(notice);
        }
        self.phase = Phase::Probing(Box::new(probe));
        self.patience_ends = Some(now + HANDSHAKE_PATIENCE);
        self.forget_noise();
    }

    fn probe_bytes(&mut self, bytes: &mut &[u8], now: Instant) {
        let Phase::Probing(probe) = &mut self.phase else { return };
        let shown = NOISE_SHOWN_BYTES.saturating_sub(self.noise.len()).min(bytes.len());
        self.noise.extend_from_slice(&bytes[..shown]);
        self.noise_bytes += bytes.len();
        let mut actions = Vec::new();
        let opened = probe.on_bytes(bytes, now, &mut || self.requests.fresh_id(), &mut actions);
        self.carry_out(actions);
        match opened {
            Some(opened) => self.open(opened, now),
            None => *bytes = &[],
        }
        if self.noise_bytes > NOISE_BYTES {
            self.out_of_patience();
        }
    }

    fn probe_time(&mut self, now: Instant) {
        let Phase::Probing(probe) = &mut self.phase else { return };
        let mut actions = Vec::new();
        probe.on_time(now, &mut || self.requests.fresh_id(), &mut actions);
        if !actions.is_empty() && !std::mem::replace(&mut self.handshaking_said, true) {
            self.notify(Notice::Handshaking);
        }
        self.carry_out(actions);
        if self.patience_ends.is_some_and(|ends| now >= ends) {
            self.out_of_patience();
        }
    }

    fn out_of_patience(&mut self) {
        let Phase::Probing(probe) = &mut self.phase else { return };
        if self.patience_ends.take().is_none() {
            return;
        }
        probe.slow_down();
        let noise = std::mem::take(&mut self.noise);
        self.notify(if noise.is_empty() { Notice::Silent } else { Notice::NotMicroflo(noise) });
        self.forget_noise();
    }

    /// The handshake is done.
    fn open(&mut self, opened: Opened, now: Instant) {
        let Opened { firmware, decoder, start } = opened;
        let start = match (start, self.start_before.take()) {
            (start @ Start::Booted(_), _) | (start, None) => start,
            (_, Some(before)) => before,
        };
        self.phase = Phase::Open { firmware, decoder, chatter: Chatter::None, start: Some(start) };
        self.patience_ends = None;
        self.forget_noise();
        self.describing = Some(match self.losses {
            ..DESCRIBING_TRIES => Describing::new(firmware.dialect, now),
            _ => Describing::given_up(firmware.dialect, now),
        });
    }

    fn forget_noise(&mut self) {
        self.noise = Vec::new();
        self.noise_bytes = 0;
    }

    fn carry_out(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::SetBaud(baud) => self.outputs.push_back(Output::SetBaud(baud)),
                Action::Send(bytes) => self.transmit(&bytes),
            }
        }
    }

    /// Reports what ended and sends what the window has room for.
    fn settle(&mut self, now: Instant) {
        self.report_done();
        self.describe(now);
        while let Phase::Open { firmware, .. } = &self.phase {
            let Some(frame) = self.requests.next_frame(firmware.dialect, now) else { return };
            self.transmit(frame.as_bytes());
        }
    }

    /// Goes on asking the board what it says of itself.
    fn describe(&mut self, now: Instant) {
        while let Some(describing) = &mut self.describing {
            if let Some((ticket, outcome)) = self.answers.pop_front() {
                describing.answer(ticket, outcome);
                continue;
            }
            match describing.next(&self.known, self.has_answered, now) {
                Next::Ask(request) => self.requests.submit(request),
                Next::Wait => return,
                Next::Reading if self.firmware().is_none() => self.notify(Notice::Reading),
                Next::Reading => {}
                Next::Said(introduction) => {
                    if let Some(descriptor) = &introduction.descriptor {
                        self.known.add(descriptor.clone());
                    }
                    self.notify(Notice::Introduction(introduction));
                }
                Next::Lost => self.lose(LossCause::NoAnswer, now),
            }
        }
        self.answers.clear();
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
