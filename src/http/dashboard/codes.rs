//! Codes that open the page: each is good once, and not for long.
//!
//! A browser that is started with a link has it in its command line, which everybody on the host can read for as long as it
//! runs. So that link has a code, and not the token; the page changes the one for the other.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::pure::secret::Secret;

/// How long a browser may take to open the page.
const LIFETIME: Duration = Duration::from_secs(60);
/// Codes that are good at the same time; the oldest makes way.
const CODES: usize = 16;

/// The codes that are still good.
#[derive(Debug, Default)]
pub struct Codes(Mutex<VecDeque<(Secret, Instant)>>);

impl Codes {
    /// Makes a code good.
    pub(super) fn add(&self, code: Secret, now: Instant) {
        let mut codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        codes.truncate(CODES - 1);
        codes.push_front((code, now + LIFETIME));
    }

    /// Whether a code is good; then it is not any more.
    pub(super) fn take(&self, code: &str, now: Instant) -> bool {
        let mut codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        codes.retain(|(_, end)| *end > now);
        let found = codes.iter().position(|(good, _)| good.matches(code));
        found.is_some_and(|at| codes.remove(at).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_good_once_and_not_for_long() {
        let (codes, now) = (Codes::default(), Instant::now());
        codes.add(Secret::new("a"), now);
        codes.add(Secret::new("b"), now);
        assert!(!codes.take("c", now) && !codes.take("", now));
        assert!(codes.take("a", now));
        assert!(!codes.take("a", now), "used");
        assert!(!codes.take("b", now + LIFETIME), "too old");
    }

    #[test]
    fn the_oldest_code_makes_way() {
        let (codes, now) = (Codes::default(), Instant::now());
        (0..=CODES).for_each(|number| codes.add(Secret::new(number.to_string()), now));
        assert!(!codes.take("0", now));
        assert!(codes.take("1", now) && codes.take(&CODES.to_string(), now));
    }
}
