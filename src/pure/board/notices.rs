//! What the session tells, passed on to the runtime and the raw clients.

use firmware_proto::Event;

use super::own_record::{changes_record, is_own_change};
use super::{Board, Now, Output, reasons};
use crate::pure::request::{Outcome, Ticket};
use crate::pure::session::{Notice, Start};
use crate::pure::view::{BoardState, Firmware};

impl Board {
    pub(super) fn notice(&mut self, notice: Notice, now: Now) {
        match notice {
            Notice::Handshaking => self.say(BoardState::Handshaking, reasons::handshaking(&self.bauds)),
            Notice::Reading => self.say(BoardState::Handshaking, reasons::reading()),
            Notice::Introduction(said) if said == self.introduction => self.go_on(now),
            Notice::Introduction(said) => {
                if let Some(descriptor) = &said.descriptor {
                    self.known.add(descriptor.clone());
                }
                self.introduction.clone_from(&said);
                self.outputs.push_back(Output::Introduction(said));
            }
            Notice::Up { firmware, start } => self.up(firmware, start, now),
            Notice::OutOfStep(cause) => {
                let why = format!("{cause}; the session is being opened again");
                self.runtime.graph_lost();
                self.runtime.board_down(&why, now.unix_millis);
                self.raw.graph_lost();
                self.say(BoardState::Handshaking, why);
            }
            Notice::Restarted => {
                self.runtime.board_down("the board has restarted", now.unix_millis);
                self.say(BoardState::Handshaking, "the board has restarted; the session is being opened again".into());
            }
            Notice::Silent if self.was_up => self.say(BoardState::Unresponsive, reasons::gone_silent()),
            Notice::Silent => self.say(BoardState::Unresponsive, reasons::silent(&self.bauds)),
            // Noise from a board that was MicroFlo before is a fault of the line, not another firmware.
            Notice::NotMicroflo(_) if self.was_up => self.say(BoardState::Unresponsive, reasons::gone_silent()),
            Notice::NotMicroflo(bytes) => {
                self.say(BoardState::NotMicroflo, reasons::not_microflo(&bytes, &self.bauds));
            }
            Notice::Done(ticket, outcome) => self.done(ticket, outcome, now),
            Notice::Event(event) => self.event(&event, now),
        }
    }

    fn up(&mut self, firmware: Firmware, start: Start, now: Now) {
        if self.unread.take().is_some() {
            let text = "the graph that was saved of the board cannot be read with what is known of its firmware now; it is forgotten";
            self.outputs.push_back(Output::Log(text.to_owned()));
        }
        match start {
            Start::Booted(chatter) => {
                self.runtime.handle_boot(&chatter, now.unix_millis);
                self.raw.restarted(&chatter);
            }
            Start::Continued => self.runtime.resume(firmware.dialect, now.unix_millis),
            // Whatever it did meanwhile, it may hold any graph.
            Start::Unknown => self.runtime.unknown(now.unix_millis),
        }
        self.was_up = true;
        self.runtime.board_up(firmware.dialect, now.unix_millis);
        self.say(BoardState::Ready, reasons::ready(firmware, self.has_library));
    }

    pub(super) fn done(&mut self, ticket: Ticket, outcome: Outcome, now: Now) {
        if is_own_change(ticket) {
            return self.write_done(ticket, outcome, now);
        }
        match self.raw.handle_outcome(ticket, outcome) {
            Some(command) => {
                self.runtime.raw_outcome(&command, &outcome, now.unix_millis);
                if changes_record(&command, &outcome) {
                    self.introduce_again(now);
                }
            }
            None => self.runtime.handle_outcome(ticket, outcome, now.unix_millis),
        }
        let requests = self.raw.release_all(&mut self.runtime);
        self.submit_raw(requests, now);
        self.runtime.go_on(now.unix_millis);
    }

    fn event(&mut self, event: &Event, now: Now) {
        self.runtime.handle_event(event, now.unix_millis);
        self.raw.handle_event(*event);
    }
}
