//! Hints that something may have been plugged or unplugged. Never the truth: a hint says "scan now", and a scan on a
//! slow tick finds what no hint announced.
//!
//! Hints come from udev, which knows when a node is ready to be opened, and from changes of the device directory and of
//! the directories of named devices, which are noticed in containers too. Where a source is missing there are just no
//! hints from it. Waiting costs no CPU.

mod udev;
mod watches;

#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use self::udev::Monitor;
use self::watches::Watches;

/// Events closer together than this become one hint: udev creates a node, then changes its group and mode.
const SETTLE: Duration = Duration::from_millis(20);

/// A hint is never held back longer than this, however many events follow.
const MAX_DELAY: Duration = Duration::from_millis(100);

/// A source of hints.
#[derive(Debug)]
pub struct Hotplug {
    watches: Watches,
    udev: Option<Monitor>,
    pending: Option<Pending>,
}

/// A hint that waits for the events to settle.
#[derive(Clone, Copy, Debug)]
struct Pending {
    first: Instant,
    last: Instant,
}

impl Hotplug {
    /// Watches the device directory (`/dev`) for USB-serial nodes and the parents of `named` for those names.
    /// Needs a tokio runtime.
    pub fn new<'a>(dev_root: &Path, named: impl IntoIterator<Item = &'a Path>) -> Hotplug {
        Hotplug { watches: Watches::new(dev_root, named), udev: None, pending: None }
    }

    /// The same, listening to udev too. Needs a tokio runtime.
    pub fn with_udev(mut self) -> Hotplug {
        self.udev = Monitor::new()
            .inspect_err(|error| {
                tracing::warn!("udev is not listened to, the directories of devices are watched: {error}")
            })
            .ok();
        self
    }

    /// Sets the watches that are missing, because their directory was not there or has been made anew. To be called on
    /// the slow tick. Returns whether all are set.
    pub fn rearm(&mut self) -> bool {
        self.watches.rearm()
    }

    /// Waits for the next hint; for ever where nothing can be watched. Cancel-safe: a hint that was due is not lost.
    pub async fn hint(&mut self) {
        loop {
            let due = self.pending.map(|pending| (pending.last + SETTLE).min(pending.first + MAX_DELAY));
            tokio::select! {
                biased;
                () = wait_until(due) => {
                    self.pending = None;
                    return;
                }
                event = next_event(&mut self.udev) => if let Err(error) = event {
                    tracing::warn!("udev is not heard from now on: {error}");
                    self.udev = None;
                },
                () = self.watches.change() => {}
            }
            let now = Instant::now();
            self.pending = Some(Pending { first: self.pending.map_or(now, |pending| pending.first), last: now });
        }
    }
}

async fn wait_until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}

async fn next_event(udev: &mut Option<Monitor>) -> io::Result<()> {
    match udev {
        Some(udev) => udev.event().await,
        None => std::future::pending().await,
    }
}
