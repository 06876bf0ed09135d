//! A session that is not open yet: feeds the [probe](super::probe), and says when it takes too long.

use std::time::Instant;

use super::chatter::Chatter;
use super::config::{DESCRIBING_TRIES, NOISE_BYTES, NOISE_SHOWN_BYTES};
use super::describing::Describing;
use super::probe::{Action, Opened};
use super::{Notice, Output, Phase, Session, Start};

impl Session {
    pub(super) fn probe_bytes(&mut self, bytes: &mut &[u8], now: Instant) {
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

    pub(super) fn probe_time(&mut self, now: Instant) {
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
        match self.setbacks {
            ..DESCRIBING_TRIES => self.ask_for_introduction(firmware.dialect, now),
            _ => self.describing = Some(Describing::given_up(firmware.dialect, self.setback, now)),
        }
    }

    pub(super) fn forget_noise(&mut self) {
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
}
