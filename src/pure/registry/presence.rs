//! Whether a runtime is there: decided by when it was last seen.

use std::time::Duration;

use super::UnixMillis;

/// A runtime that was not seen for so long is offline. npm's `flowhub-registry` is the slowest known client, with a ping
/// every 10 minutes (its README says 5, others ping every minute): three of them missed, and a minute for clocks and
/// networks. Whoever knows the own clients to be faster sets less with `--offline-after`.
pub const OFFLINE_AFTER: Duration = Duration::from_secs(31 * 60);

/// When runtimes count as offline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presence {
    after_ms: i64,
}

impl Default for Presence {
    fn default() -> Presence {
        Presence::new(OFFLINE_AFTER)
    }
}

impl Presence {
    /// Offline when not seen for so long.
    pub fn new(after: Duration) -> Presence {
        Presence { after_ms: i64::try_from(after.as_millis()).unwrap_or(i64::MAX) }
    }

    /// Whether what was last seen then is online now.
    pub fn is_online(self, seen: UnixMillis, now: UnixMillis) -> bool {
        seen > self.offline_until(now)
    }

    /// What was last seen then, or before, is offline now.
    pub fn offline_until(self, now: UnixMillis) -> UnixMillis {
        UnixMillis(now.0.saturating_sub(self.after_ms))
    }

    /// How often to look who has gone offline: so often that nobody notices the delay.
    pub fn look_every(self) -> Duration {
        const PART: i64 = 60;
        const SHORTEST: Duration = Duration::from_millis(100);
        const LONGEST: Duration = Duration::from_secs(15);
        let part = u64::try_from(self.after_ms / PART).unwrap_or_default();
        Duration::from_millis(part).clamp(SHORTEST, LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_missed_pings_are_offline_and_two_are_not() {
        const PING_MIN: i64 = 10;
        let presence = Presence::default();
        let online_after = |minutes: i64| presence.is_online(UnixMillis(0), UnixMillis(minutes * 60_000));
        assert!(online_after(0) && online_after(2 * PING_MIN + 5) && online_after(3 * PING_MIN));
        assert!(!online_after(3 * PING_MIN + 1));
    }

    #[test]
    fn changes_are_looked_for_often_enough() {
        assert_eq!(Presence::default().look_every(), Duration::from_secs(15));
        assert_eq!(Presence::new(Duration::from_secs(2)).look_every(), Duration::from_millis(100));
    }
}
