//! How much goes over each board's line: counters that its loop adds to and that whoever watches reads. Nobody waits,
//! and nothing is published while nobody looks.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use uuid::Uuid;

/// The counters of one board's line, in bytes since its loop began.
#[derive(Debug, Default)]
pub struct Meter {
    from_board: AtomicU64,
    to_board: AtomicU64,
}

/// What a [`Meter`] showed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Bytes that the board has sent.
    pub from_board: u64,
    /// Bytes that were sent to the board.
    pub to_board: u64,
}

impl Meter {
    /// The board has sent so many bytes.
    pub fn read(&self, bytes: usize) {
        self.from_board.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// So many bytes were sent to the board.
    pub fn wrote(&self, bytes: usize) {
        self.to_board.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn reading(&self) -> Reading {
        Reading { from_board: self.from_board.load(Ordering::Relaxed), to_board: self.to_board.load(Ordering::Relaxed) }
    }
}

impl Reading {
    /// What has come since an earlier reading. A meter that shows less than before is a new one.
    pub fn since(self, earlier: Reading) -> Reading {
        let difference = |now: u64, then: u64| if now < then { now } else { now - then };
        Reading {
            from_board: difference(self.from_board, earlier.from_board),
            to_board: difference(self.to_board, earlier.to_board),
        }
    }

    /// Whether nothing was moved.
    pub fn is_silent(self) -> bool {
        self == Reading::default()
    }
}

/// The meters of all boards' lines. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Traffic(Arc<Mutex<HashMap<Uuid, Weak<Meter>>>>);

impl Traffic {
    /// A new meter for a board's line; it counts for as long as its loop keeps it.
    pub fn meter(&self, id: Uuid) -> Arc<Meter> {
        let meter = Arc::new(Meter::default());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id, Arc::downgrade(&meter));
        meter
    }

    /// What all meters show now.
    pub fn readings(&self) -> HashMap<Uuid, Reading> {
        let mut meters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        meters.retain(|_, meter| meter.strong_count() > 0);
        meters.iter().filter_map(|(id, meter)| Some((*id, meter.upgrade()?.reading()))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meter_counts_both_ways_and_goes_with_its_loop() {
        let traffic = Traffic::default();
        let meter = traffic.meter(Uuid::nil());
        meter.read(10);
        let first = traffic.readings()[&Uuid::nil()];
        meter.read(5);
        meter.wrote(3);
        let second = traffic.readings()[&Uuid::nil()];
        assert_eq!(second.since(first), Reading { from_board: 5, to_board: 3 });
        assert!(second.since(second).is_silent());
        drop(meter);
        assert!(traffic.readings().is_empty());
    }

    #[test]
    fn a_new_meter_begins_at_zero() {
        let (long, fresh) = (Reading { from_board: 900, to_board: 9 }, Reading { from_board: 4, to_board: 0 });
        assert_eq!(fresh.since(long), fresh);
    }
}
