//! Waiting longer after each failure, and never in step with others.

use std::time::Duration;

/// Exponential backoff with jitter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The wait after the first failure, before jitter.
    pub base: Duration,
    /// The longest wait, before jitter.
    pub max: Duration,
}

impl Backoff {
    /// The wait after `failures` failures in a row (1 or more): `base` doubled each time up to `max`, of which half is
    /// certain and half is drawn by `random`, a number spread evenly over all of `u32`.
    pub fn delay(&self, failures: u32, random: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let whole = self.base.saturating_mul(1 << doublings).min(self.max);
        whole / 2 + share(whole / 2, random)
    }

    /// The wait where trying soon again cannot help: as after very many failures.
    pub fn longest(&self, random: u32) -> Duration {
        self.delay(u32::MAX, random)
    }
}

/// `interval`, up to a tenth shorter or longer as `random` (spread evenly over all of `u32`) says.
pub fn jitter(interval: Duration, random: u32) -> Duration {
    interval - interval / 10 + share(interval / 5, random)
}

fn share(of: Duration, random: u32) -> Duration {
    of.mul_f64(f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff { base: Duration::from_secs(2), max: Duration::from_secs(60) };

    #[test]
    fn delay_doubles_up_to_the_limit_and_jitter_takes_up_to_half() {
        for (failures, least_ms, most_ms) in
            [(1, 1_000, 2_000), (2, 2_000, 4_000), (5, 16_000, 32_000), (6, 30_000, 60_000), (u32::MAX, 30_000, 60_000)]
        {
            assert_eq!(BACKOFF.delay(failures, 0).as_millis(), least_ms, "{failures} failures");
            assert_eq!(BACKOFF.delay(failures, u32::MAX).as_millis(), most_ms, "{failures} failures");
        }
    }

    #[test]
    fn no_failure_counts_as_one() {
        assert_eq!(BACKOFF.delay(0, 0), BACKOFF.delay(1, 0));
    }

    #[test]
    fn jitter_stays_within_a_tenth() {
        let minute = Duration::from_secs(60);
        assert_eq!(jitter(minute, 0), Duration::from_secs(54));
        assert_eq!(jitter(minute, u32::MAX), Duration::from_secs(66));
    }
}
