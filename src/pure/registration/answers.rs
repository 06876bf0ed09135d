//! What an answer changes.

use std::time::Instant;

use super::{Action, Answer, Registration, Remote, Wanted};
use crate::pure::backoff::jitter;

impl Registration {
    /// The registry answered, or did not. `random` is spread evenly over all of `u32`.
    pub fn answered(&mut self, answer: Answer, now: Instant, random: u32) {
        match self.under_way.take() {
            Some(Action::Put(wanted)) => self.put_answered(wanted, answer, now, random),
            Some(Action::Ping) => self.ping_answered(answer, now, random),
            Some(Action::Delete) => self.delete_answered(answer, now, random),
            None => {}
        }
        if std::mem::take(&mut self.reconsidered) {
            self.reconsider(self.can_delete, now);
        }
    }

    fn put_answered(&mut self, wanted: Wanted, answer: Answer, now: Instant, random: u32) {
        match answer {
            Answer::Accepted => {
                self.remote = Remote::Holds(wanted);
                self.replaced = false;
                self.succeeded(now, random);
            }
            Answer::Forbidden(reason) => {
                self.remote = Remote::Foreign;
                if self.replaced || !self.can_delete {
                    self.refused(reason, now, random);
                }
            }
            Answer::Refused(reason) => self.refused(reason, now, random),
            Answer::NotFound => self.refused("the registry has no such path; check its URL".to_owned(), now, random),
            Answer::Failed(reason) => {
                self.remote = Remote::Unsure;
                self.failed(reason, now, random);
            }
        }
    }

    fn ping_answered(&mut self, answer: Answer, now: Instant, random: u32) {
        match answer {
            Answer::Accepted => self.succeeded(now, random),
            Answer::NotFound => {
                self.remote = Remote::Nothing;
                self.succeeded(now, random);
            }
            Answer::Forbidden(reason) | Answer::Refused(reason) => self.refused(reason, now, random),
            Answer::Failed(reason) => self.failed(reason, now, random),
        }
    }

    fn delete_answered(&mut self, answer: Answer, now: Instant, random: u32) {
        let replacing = self.remote == Remote::Foreign;
        match answer {
            Answer::Accepted | Answer::NotFound => {
                self.remote = Remote::Nothing;
                self.replaced |= replacing;
                self.succeeded(now, random);
            }
            Answer::Forbidden(reason) | Answer::Refused(reason) => {
                match replacing {
                    true => self.replaced = true,
                    false => self.remote = Remote::Stuck,
                }
                self.refused(reason, now, random);
            }
            Answer::Failed(reason) => {
                if !replacing {
                    self.remote = Remote::Unsure;
                }
                self.failed(reason, now, random);
            }
        }
    }

    fn succeeded(&mut self, now: Instant, random: u32) {
        self.failures = 0;
        self.error = None;
        self.not_before = now;
        self.ping_at = now + jitter(self.timing.ping, random);
    }

    fn failed(&mut self, reason: String, now: Instant, random: u32) {
        self.failures = self.failures.saturating_add(1);
        self.error = Some(reason);
        self.not_before = now + self.timing.backoff.delay(self.failures, random);
    }

    fn refused(&mut self, reason: String, now: Instant, random: u32) {
        self.failures = self.failures.saturating_add(1);
        self.error = Some(reason);
        self.not_before = now + self.timing.backoff.longest(random);
    }
}
