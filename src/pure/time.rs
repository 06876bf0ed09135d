//! Points in time as they are stored and shown.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970 in UTC. Shown as RFC 3339, which JavaScript's `Date` reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixMillis(pub i64);

impl From<SystemTime> for UnixMillis {
    /// A time before 1970 becomes 1970.
    fn from(time: SystemTime) -> UnixMillis {
        let millis = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        u64::try_from(millis).unwrap_or(u64::MAX).into()
    }
}

impl From<u64> for UnixMillis {
    fn from(millis: u64) -> UnixMillis {
        UnixMillis(i64::try_from(millis).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for UnixMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = jiff::Timestamp::from_millisecond(self.0.max(0)).unwrap_or(jiff::Timestamp::MAX);
        write!(f, "{time:.3}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_as_rfc_3339() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_709_251_199_999, "2024-02-29T23:59:59.999Z"),
            (1_735_689_600_007, "2025-01-01T00:00:00.007Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (i64::MAX, "9999-12-30T22:00:00.999Z"),
            (-1, "1970-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(UnixMillis(millis).to_string(), text);
        }
    }
}
