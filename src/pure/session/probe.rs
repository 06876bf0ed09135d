//! The handshake: finds the baud rate and dialect that a board answers, through deaf bootloaders, boot chatter and floods of events.
//!
//! Each candidate gets the magic and some time; rounds repeat with more patience and with the resync sequence in front.
//! `CommunicationOpen` alone proves nothing in the 8-byte dialect (a booting board sends one for its embedded graph),
//! so a ping must be answered, too.

use std::time::{Duration, Instant};

use firmware_proto::{Body, Command, Decoded, Decoder, Dialect, Message, Response};

use super::Start;
use super::chatter::Chatter;
use super::config::{CHATTER_PAUSE, OPENING_PATIENCE, OPENING_PATIENCE_MAX, SILENT_PAUSE, TALKING_PATIENCE, wire_time};
use crate::pure::view::Firmware;

/// The byte that ends a session; enough of them realign a board that has lost count.
const END_BYTE: u8 = firmware_proto::command::END;

/// What the probe wants done.
#[derive(Debug, PartialEq)]
pub(super) enum Action {
    /// Change the line's baud rate.
    SetBaud(u32),
    /// Send these bytes.
    Send(Vec<u8>),
}

/// One dialect's ear on the line.
#[derive(Debug)]
struct Listener {
    decoder: Decoder,
    chatter: Chatter,
}

impl Listener {
    fn new(dialect: Dialect) -> Self {
        Listener { decoder: Decoder::searching(dialect), chatter: Chatter::None }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Says nothing until then.
    Hold { until: Instant },
    /// A ping with this request id was sent into the session that the board was left with.
    Resuming { until: Instant, request_id: u8 },
    /// The magic was sent with this request id.
    Opening { until: Instant, request_id: u8 },
    /// The board opened; a ping with this request id was sent.
    Confirming { until: Instant, request_id: u8 },
}

/// A finished handshake.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) firmware: Firmware,
    /// The decoder, in step.
    pub(super) decoder: Decoder,
    /// Whether the board has just started, and all of its chatter was heard; or whether it has not since it was left.
    pub(super) start: Start,
}

/// The handshake's state.
#[derive(Debug)]
pub(super) struct Probe {
    /// What is being tried: all, or what chatter points to.
    candidates: Vec<Firmware>,
    all: Vec<Firmware>,
    current: usize,
    round: u32,
    step: Step,
    listeners: Vec<Listener>,
    /// Sends the resync sequence from the first round on: for boards that were in session.
    resync: bool,
    /// How the board was left, until it was asked whether it is still there.
    left: Option<Firmware>,
    /// Pauses between rounds.
    slow: bool,
    line_baud: u32,
    /// When the last frame was sent.
    sent: Instant,
    /// Whether a message came since the step began.
    talks: bool,
}

impl Probe {
    /// Looks for any of `candidates`, in that order, after `hold` of silence.
    pub(super) fn new(candidates: Vec<Firmware>, hold: Duration, now: Instant) -> Self {
        let step = Step::Hold { until: now + hold };
        let mut probe = Probe {
            all: candidates.clone(),
            line_baud: candidates.first().map_or(0, |candidate| candidate.baud),
            candidates,
            current: 0,
            round: 0,
            step,
            listeners: Vec::new(),
            resync: false,
            left: None,
            slow: false,
            sent: now,
            talks: false,
        };
        probe.listen_afresh();
        probe
    }

    /// Asks first whether the session that the board was left with is still there.
    pub(super) fn resuming(mut self, left: Option<Firmware>) -> Self {
        self.left = left;
        self
    }

    /// Opens a known board again that has lost count of bytes.
    pub(super) fn resync(firmware: Firmware, now: Instant) -> Self {
        let mut probe = Probe::new(vec![firmware], Duration::ZERO, now);
        probe.resync = true;
        probe
    }

    /// Opens a known board again that is in its boot chatter: `seen` is the chatter so far.
    pub(super) fn reboot(firmware: Firmware, decoder: Decoder, seen: Chatter, now: Instant) -> Self {
        let mut probe = Probe::new(vec![firmware], CHATTER_PAUSE, now);
        probe.listeners = vec![Listener { decoder, chatter: seen }];
        probe
    }

    /// From now on leaves a pause between rounds, and tries everything again: what sounded like chatter was none.
    pub(super) fn slow_down(&mut self) {
        self.slow = true;
        self.candidates.clone_from(&self.all);
        self.current = 0;
    }

    /// Whether it still waits silently for the board to start.
    pub(super) fn is_holding(&self) -> bool {
        matches!(self.step, Step::Hold { .. })
    }

    /// When [`Probe::on_time`] wants to be called.
    pub(super) fn wake_at(&self) -> Instant {
        match self.step {
            Step::Hold { until }
            | Step::Resuming { until, .. }
            | Step::Opening { until, .. }
            | Step::Confirming { until, .. } => until,
        }
    }

    /// Takes bytes off `input` until the handshake is done or they are used up.
    pub(super) fn on_bytes(
        &mut self,
        input: &mut &[u8],
        now: Instant,
        ids: &mut impl FnMut() -> u8,
        actions: &mut Vec<Action>,
    ) -> Option<Opened> {
        let active = self.firmware().dialect;
        for listener in self.listeners.iter_mut().filter(|listener| listener.decoder.dialect() != active) {
            let mut bytes = *input;
            while let Some(decoded) = listener.decoder.next(&mut bytes) {
                if let Decoded::Message(message) = decoded {
                    listener.chatter.feed(&message);
                }
            }
        }
        while let Some(decoded) = self.active_listener()?.decoder.next(input) {
            let Decoded::Message(message) = decoded else { continue };
            self.talks = true;
            self.active_listener()?.chatter.feed(&message);
            if self.on_message(&message, now, ids, actions) {
                return self.opened();
            }
        }
        self.follow_chatter(now);
        None
    }

    /// Says what is due.
    pub(super) fn on_time(&mut self, now: Instant, ids: &mut impl FnMut() -> u8, actions: &mut Vec<Action>) {
        if now < self.wake_at() {
            return;
        }
        match self.step {
            Step::Hold { .. } => match self.left.take() {
                Some(left) => self.resume(left, now, ids, actions),
                None => self.open(now, ids, actions),
            },
            Step::Resuming { .. } if self.talks && now < self.sent + TALKING_PATIENCE => self.wait_longer(now),
            Step::Resuming { .. } => self.open(now, ids, actions),
            Step::Opening { .. } | Step::Confirming { .. } if self.may_still_answer(now) => self.wait_longer(now),
            Step::Opening { .. } | Step::Confirming { .. } => {
                self.current += 1;
                if self.current == self.candidates.len() {
                    self.current = 0;
                    self.round += 1;
                    if self.slow {
                        self.step = Step::Hold { until: now + SILENT_PAUSE };
                        return;
                    }
                }
                self.open(now, ids, actions);
            }
        }
    }

    /// A known board that talks has not read so far yet.
    fn may_still_answer(&self, now: Instant) -> bool {
        self.talks && self.all.len() == 1 && now < self.sent + TALKING_PATIENCE
    }

    fn wait_longer(&mut self, now: Instant) {
        self.talks = false;
        let longer = now + OPENING_PATIENCE;
        if let Step::Resuming { until, .. } | Step::Opening { until, .. } | Step::Confirming { until, .. } =
            &mut self.step
        {
            *until = longer;
        }
    }

    fn on_message(
        &mut self,
        message: &Message,
        now: Instant,
        ids: &mut impl FnMut() -> u8,
        actions: &mut Vec<Action>,
    ) -> bool {
        let Body::Response(response) = message.body else { return false };
        let ours = |id: u8| self.firmware().dialect == Dialect::Flo01 || message.request_id == id;
        match (response, self.step) {
            (Response::CommunicationOpen, Step::Opening { request_id, .. }) if ours(request_id) => {
                let ping_id = ids();
                let ping = Command::Ping([0; 8]).encode(self.firmware().dialect, ping_id);
                actions.push(Action::Send(ping.as_bytes().to_vec()));
                (self.sent, self.talks) = (now, false);
                self.step = Step::Confirming { until: now + self.patience(ping.as_bytes().len()), request_id: ping_id };
                false
            }
            (Response::Pong(_), Step::Confirming { request_id, .. } | Step::Resuming { request_id, .. }) => {
                ours(request_id)
            }
            // What opened was the chatter, and its end closes the session. Our magic and ping are still to be read, unless a
            // bootloader has swallowed them.
            (Response::TransmissionEnded, Step::Confirming { request_id, .. }) if self.chatter_just_ended() => {
                let until = now + self.patience(2 * self.firmware().dialect.frame_len());
                self.step = Step::Confirming { until, request_id };
                false
            }
            _ => false,
        }
    }

    fn chatter_just_ended(&mut self) -> bool {
        self.active_listener().is_some_and(|listener| listener.chatter.is_complete())
    }

    /// Once a board is heard starting, waits for the end of its chatter, and speaks only its dialect at this baud from then on.
    fn follow_chatter(&mut self, now: Instant) {
        // The longer frame first: shifted by its request id, it reads like the shorter one.
        let heard = self.listeners.iter().filter(|l| l.chatter.is_running() || l.chatter.is_complete());
        let Some(heard) = heard.max_by_key(|listener| listener.decoder.dialect().frame_len()) else { return };
        let dialect = heard.decoder.dialect();
        let due = if heard.chatter.is_complete() { now } else { now + CHATTER_PAUSE };
        let waits_for_it = !self.is_holding() && self.firmware().dialect == dialect;
        self.candidates = vec![Firmware { dialect, baud: self.line_baud }];
        self.current = 0;
        self.left = None;
        if !waits_for_it {
            self.step = Step::Hold { until: due };
        }
    }

    /// A board that has started since, or was never spoken to, has no session and ignores the ping.
    fn resume(&mut self, left: Firmware, now: Instant, ids: &mut impl FnMut() -> u8, actions: &mut Vec<Action>) {
        self.current = self.candidates.iter().position(|candidate| *candidate == left).unwrap_or(0);
        self.set_line(actions);
        let request_id = ids();
        let ping = Command::Ping([0; 8]).encode(left.dialect, request_id);
        self.step = Step::Resuming { until: now + self.patience(ping.as_bytes().len()), request_id };
        (self.sent, self.talks) = (now, false);
        actions.push(Action::Send(ping.as_bytes().to_vec()));
    }

    /// Sets the line to the baud rate of the candidate.
    fn set_line(&mut self, actions: &mut Vec<Action>) {
        let baud = self.firmware().baud;
        if std::mem::replace(&mut self.line_baud, baud) != baud {
            actions.push(Action::SetBaud(baud));
            self.listen_afresh();
        }
    }

    fn open(&mut self, now: Instant, ids: &mut impl FnMut() -> u8, actions: &mut Vec<Action>) {
        let firmware = self.firmware();
        self.set_line(actions);
        let request_id = ids();
        let mut bytes = Vec::new();
        if self.resync || self.round > 0 {
            bytes.resize(firmware.dialect.resync_bytes(), END_BYTE);
        } else if firmware.dialect == Dialect::Microflo1 {
            // Ends whatever the other dialect's magic began.
            bytes.extend_from_slice(&[0, 0]);
        }
        bytes.extend_from_slice(firmware.dialect.opening(request_id).as_bytes());
        self.step = Step::Opening { until: now + self.patience(bytes.len()), request_id };
        (self.sent, self.talks) = (now, false);
        actions.push(Action::Send(bytes));
    }

    fn patience(&self, bytes: usize) -> Duration {
        let firmware = self.firmware();
        let waits = OPENING_PATIENCE * (self.round + 1);
        waits.min(OPENING_PATIENCE_MAX) + wire_time(firmware.baud, bytes + 2 * firmware.dialect.frame_len())
    }

    fn opened(&mut self) -> Option<Opened> {
        let firmware = self.firmware();
        let index = self.listeners.iter().position(|listener| listener.decoder.dialect() == firmware.dialect)?;
        let listener = self.listeners.swap_remove(index);
        let start = match listener.chatter.into_graph() {
            Some(chatter) => Start::Booted(chatter),
            None if matches!(self.step, Step::Resuming { .. }) => Start::Continued,
            None => Start::Unknown,
        };
        Some(Opened { firmware, decoder: listener.decoder, start })
    }

    fn firmware(&self) -> Firmware {
        self.candidates[self.current]
    }

    fn active_listener(&mut self) -> Option<&mut Listener> {
        let dialect = self.firmware().dialect;
        self.listeners.iter_mut().find(|listener| listener.decoder.dialect() == dialect)
    }

    fn listen_afresh(&mut self) {
        let has = |dialect: &Dialect| self.candidates.iter().any(|candidate| candidate.dialect == *dialect);
        self.listeners = Dialect::ALL.into_iter().filter(has).map(Listener::new).collect();
    }
}
