//! How often somebody may call: token buckets, one for each caller.
//!
//! A bucket is kept as the one point in time at which it will be full again (the "generic cell rate algorithm"), so a
//! caller costs one map entry, and only while the bucket is not full.

use std::collections::HashMap;
use std::hash::Hash;

/// The most buckets that are not full; beyond that all callers start anew, which costs less than the memory.
const BUCKETS_LIMIT: usize = 65_536;

/// So many calls at once, refilled at that rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Calls at once.
    pub burst: u32,
    /// Calls in each second from then on.
    pub per_second: u32,
}

/// Buckets of callers `K`. Times are in microseconds on any clock that does not go back.
#[derive(Debug)]
pub struct Buckets<K> {
    interval_us: u64,
    capacity_us: u64,
    full_at: HashMap<K, u64>,
}

impl<K: Eq + Hash> Buckets<K> {
    /// Full buckets for everybody.
    pub fn new(rate: Rate) -> Buckets<K> {
        let interval_us = 1_000_000 / u64::from(rate.per_second.max(1));
        Buckets { interval_us, capacity_us: interval_us * u64::from(rate.burst.max(1)), full_at: HashMap::new() }
    }

    /// Takes one token; without one, the error is the time until there is one, in microseconds.
    pub fn take(&mut self, key: K, now_us: u64) -> Result<(), u64> {
        if self.full_at.len() >= BUCKETS_LIMIT {
            self.full_at.retain(|_, full_at| *full_at > now_us);
            if self.full_at.len() >= BUCKETS_LIMIT {
                self.full_at.clear();
            }
        }
        let full_at = self.full_at.entry(key).or_insert(now_us);
        let after = (*full_at).max(now_us) + self.interval_us;
        match after.checked_sub(now_us + self.capacity_us) {
            Some(over) if over > 0 => Err(over),
            _ => {
                *full_at = after;
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND_US: u64 = 1_000_000;

    #[test]
    fn a_burst_is_allowed_and_then_the_rate() {
        let mut buckets = Buckets::new(Rate { burst: 3, per_second: 2 });
        for _ in 0..3 {
            assert_eq!(buckets.take("a", 0), Ok(()));
        }
        assert_eq!(buckets.take("a", 0), Err(SECOND_US / 2));
        assert_eq!(buckets.take("b", 0), Ok(()), "another's bucket");
        assert_eq!(buckets.take("a", SECOND_US / 2), Ok(()));
        assert!(buckets.take("a", SECOND_US / 2).is_err());
        let later = 100 * SECOND_US;
        assert_eq!((0..9).filter(|_| buckets.take("a", later).is_ok()).count(), 3, "full, not fuller");
    }

    #[test]
    fn strangers_do_not_fill_the_memory() {
        let mut buckets = Buckets::new(Rate { burst: 1, per_second: 1 });
        for caller in 0..3 * BUCKETS_LIMIT {
            assert_eq!(buckets.take(caller, 0), Ok(()));
            assert!(buckets.full_at.len() <= BUCKETS_LIMIT);
        }
    }
}
