//! What a board says of itself, and what it is told to store.

use super::own_record::{OwnChange, OwnChangeError, Progress, Writing};
use super::raw_clients::RawClients;
use super::{Board, Now, Output};
use crate::pure::fbp;
use crate::pure::introduction::{Descriptors, Introduction, Recognition};
use crate::pure::request::{Outcome, Ticket};

impl Board {
    /// What the board has said of itself before and is taken for granted: it is asked again, and only a difference is reported.
    pub fn assume(&mut self, introduction: Introduction) {
        self.runtime.set_limits(introduction.limits());
        *self.introduction = introduction;
    }

    /// What the board has said of itself last.
    pub fn introduction(&self) -> &Introduction {
        &self.introduction
    }

    /// These descriptors need not be read from the board.
    pub fn know(&mut self, descriptors: Descriptors) {
        self.known = descriptors;
    }

    /// The answer to [`Output::Introduction`]. True if the board has another id now: its clients have to go.
    pub fn recognized(&mut self, recognition: Recognition, now: Now) -> bool {
        let Recognition { identity, build, restore, saved } = recognition;
        let moved = identity.id != self.runtime.id();
        self.has_library = build.is_some();
        if moved && !self.was_up {
            // What was kept under the other id is another board's.
            self.runtime = fbp::Runtime::new(identity, build);
            self.raw = RawClients::default();
            self.unread = saved;
        } else {
            self.runtime.set_identity(identity);
            self.runtime.set_build(build);
        }
        self.runtime.set_limits(self.introduction.limits());
        self.runtime.set_restore(restore);
        if let Some(saved) = self.unread.take() {
            self.load(saved);
        }
        self.go_on(now);
        moved
    }

    /// Nobody has answered to [`Output::Introduction`]: the board goes on as it is known.
    pub fn not_recognized(&mut self, now: Now) {
        self.go_on(now);
    }

    pub(super) fn go_on(&mut self, now: Now) {
        if let Some(session) = &mut self.session {
            session.go_on(now.monotonic);
            if session.is_introducing() {
                // What was said may be older than what was written.
                return;
            }
        }
        if let Some(writing) = self.writing.take_if(|writing| writing.is_written()) {
            self.stored(&writing, writing.check(&self.introduction));
        }
    }

    /// Has the board store something. False if it does already; else [`Output::Stored`] follows.
    pub fn store(&mut self, change: &OwnChange, now: Now) -> Result<bool, OwnChangeError> {
        if self.firmware().is_none() {
            return Err(OwnChangeError::NotReady);
        }
        if self.writing.is_some() {
            return Err(OwnChangeError::Busy);
        }
        let Some(mut writing) = Writing::new(&self.introduction, change, self.next_write)? else { return Ok(false) };
        let progress = writing.ask();
        self.writing = Some(writing);
        self.write_on(progress, now);
        Ok(true)
    }

    fn write_on(&mut self, progress: Progress, now: Now) {
        match progress {
            Progress::Ask(requests) => requests.into_iter().for_each(|request| self.submit(request, now)),
            Progress::Written => self.introduce_again(now),
        }
    }

    pub(super) fn introduce_again(&mut self, now: Now) {
        if let Some(session) = &mut self.session {
            session.introduce_again(now.monotonic);
        }
    }

    pub(super) fn stored(&mut self, writing: &Writing, result: Result<(), OwnChangeError>) {
        self.next_write = writing.next_base();
        self.outputs.push_back(Output::Stored(result));
    }

    pub(super) fn write_done(&mut self, ticket: Ticket, outcome: Outcome, now: Now) {
        let Some(mut writing) = self.writing.take() else { return };
        match writing.answer(ticket, outcome) {
            Ok(progress) => {
                self.writing = Some(writing);
                self.write_on(progress, now);
            }
            Err(error) => self.stored(&writing, Err(error)),
        }
    }
}
