//! Text that opens something: a board's secret, a user's token.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// A secret. Its `Debug` shows nothing, and it has no `Display`: writing it out takes a deliberate [`Secret::expose`].
#[derive(Clone, serde::Deserialize)]
pub struct Secret(String);

impl Secret {
    /// Wraps the clear text.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The clear text, for the one place that has to send or store it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether `offered` is this secret, in a time that tells nothing about either text.
    pub fn matches(&self, offered: &str) -> bool {
        Sha256::digest(&self.0).ct_eq(&Sha256::digest(offered)).into()
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Secret) -> bool {
        self.matches(&other.0)
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_text_matches() {
        let secret = Secret::new("abc");
        assert!(secret.matches("abc"));
        for other in ["", "ab", "abcd", "ABC"] {
            assert!(!secret.matches(other), "{other:?}");
        }
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Secret::new("abc")), "Secret(…)");
    }
}
