//! The time, and whether somebody keeps it right.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::pure::doctor::Clock;

/// The kernel's own answer to whether the time is known from outside.
const UNSYNCHRONISED: i32 = libc::STA_UNSYNC;

/// The time of this host. The program was made when its file was last written.
pub fn clock() -> Clock {
    let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let file = std::env::current_exe().and_then(|path| path.metadata()).and_then(|file| file.modified());
    Clock { now: seconds(SystemTime::now()), built: file.map_or(0, seconds), synchronised: synchronised() }
}

fn synchronised() -> Option<bool> {
    // SAFETY: all zeros is a valid `timex`, and asks for nothing to be changed.
    let mut timex: libc::timex = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a `timex` that lives through the call.
    let state = unsafe { libc::adjtimex(&raw mut timex) };
    (state >= 0).then_some(timex.status & UNSYNCHRONISED == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_was_made_before_now() {
        let clock = clock();
        assert!(clock.built > 0 && clock.built <= clock.now, "{clock:?}");
    }
}
