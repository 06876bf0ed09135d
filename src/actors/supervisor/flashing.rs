//! Boards that are being flashed: the same boards as before, shown as such while their bootloader runs, which is never opened.

use std::time::{Duration, Instant};

use super::Supervisor;
use super::entry::Entry;
use crate::actors::status::Status;
use crate::pure::flashing::{BACK_WITHIN, BOOTLOADER_WITHIN, is_bootloader_of, reason};
use crate::pure::port::{Port, UsbDevice};
use crate::pure::view::BoardState;

/// How often a board that is being flashed is looked at: not every bootloader makes a hint.
const FLASHING_TICK: Duration = Duration::from_millis(500);

impl Supervisor {
    /// Tells the boards that are being flashed from those that are gone. `is_here` are the boards that the scan found.
    pub(super) fn follow_bootloaders(&mut self, bootloaders: &[UsbDevice], is_here: impl Fn(&Entry) -> bool) {
        let now = Instant::now();
        let mut changed = false;
        for entry in self.entries.values_mut().filter(|entry| entry.opening.family.native_usb && !is_here(entry)) {
            let Port::Usb(usb) = &entry.port else { continue };
            let bootloader = bootloaders.iter().find(|device| is_bootloader_of(usb, device));
            if bootloader.is_some() && entry.may_be_flashed(now) {
                entry.bootloader_seen = Some(now);
            }
            if entry.is_flashing(now) {
                self.scan_at = self.scan_at.min(now + FLASHING_TICK);
                changed |= entry.flashing(reason(bootloader), &mut self.generation);
            } else {
                entry.bootloader_seen = None;
            }
        }
        if changed {
            self.publish();
        }
    }
}

impl Entry {
    /// Whether a bootloader in its place is its own.
    fn may_be_flashed(&self, now: Instant) -> bool {
        self.is_flashing(now) || self.gone_since.is_none_or(|since| now.duration_since(since) < BOOTLOADER_WITHIN)
    }

    pub(super) fn is_flashing(&self, now: Instant) -> bool {
        self.bootloader_seen.is_some_and(|seen| now.duration_since(seen) < BACK_WITHIN)
    }

    /// Its bootloader runs. Returns whether that is news.
    fn flashing(&mut self, reason: String, generation: &mut u64) -> bool {
        if self.status.state == BoardState::Flashing && self.status.reason == reason {
            return false;
        }
        tracing::info!(board = %self.id, label = self.label, "{reason}");
        // What its old loop still has to say does not count.
        *generation += 1;
        self.generation = *generation;
        self.handle = None;
        self.gone_since = None;
        self.status = Status { state: BoardState::Flashing, reason, firmware: None, clients: 0 };
        true
    }
}
