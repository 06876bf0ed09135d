//! A board that says what it is before it is up, and again when that has changed: asks, listens, and waits to hear who it is.

use std::time::Instant;

use firmware_proto::Dialect;

use super::describing::{self, Describing, Next, Past, Setback};
use super::{LossCause, Notice, Phase, Session};

impl Session {
    /// Asks the board anew what it says of itself, beside all other requests; [`Notice::Introduction`] tells.
    pub fn introduce_again(&mut self, now: Instant) {
        match self.firmware() {
            // It may have told already what has changed since.
            Some(_) if self.describing.is_some() => self.again = true,
            Some(firmware) => self.ask_for_introduction(firmware.dialect, now),
            None => {}
        }
        self.settle(now);
    }

    /// Whether the board is being asked what it says of itself.
    pub fn is_introducing(&self) -> bool {
        self.describing.is_some()
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
                (self.setbacks, self.has_answered) = (0, false);
                self.notify(Notice::Up { firmware, start });
            }
            if std::mem::take(&mut self.again) {
                self.ask_for_introduction(firmware.dialect, now);
            }
        }
        self.settle(now);
    }

    /// Counts the times in a row that it did not come so far as to be up.
    pub(super) fn set_back(&mut self, setback: Setback, was_up: bool) {
        (self.setbacks, self.setback) = (if was_up { 0 } else { self.setbacks + 1 }, setback);
    }

    pub(super) fn ask_for_introduction(&mut self, dialect: Dialect, now: Instant) {
        self.rounds += 1;
        self.describing = Some(Describing::new(dialect, self.rounds, now));
    }

    /// Goes on asking the board what it says of itself.
    pub(super) fn describe(&mut self, now: Instant) {
        while let Some(describing) = &mut self.describing {
            if let Some((ticket, outcome)) = self.answers.pop_front() {
                describing.answer(ticket, outcome, Past { said: &self.before, answered: self.has_answered });
                continue;
            }
            // One waits for its turn at most: it comes soon, and the requests of others hardly later than without.
            let may_ask = self.requests.has_room() && !self.requests.is_waiting(describing::is_own);
            match describing.next(&self.known, Past { said: &self.before, answered: self.has_answered }, may_ask, now) {
                Next::Ask(request) => self.requests.submit(request),
                Next::Wait => return,
                Next::Reading if self.firmware().is_none() => self.notify(Notice::Reading),
                Next::Reading => {}
                Next::Said(introduction) => {
                    if let Some(descriptor) = &introduction.descriptor {
                        self.known.add(descriptor.clone());
                    }
                    // What was not asked yet is not worth asking any more.
                    self.requests.withdraw(describing::is_own);
                    self.before.clone_from(&introduction);
                    self.notify(Notice::Introduction(introduction));
                }
                Next::Lost => self.lose(LossCause::NoAnswer, now),
            }
        }
        self.answers.clear();
    }
}
