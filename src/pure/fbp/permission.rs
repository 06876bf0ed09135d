//! Who may do what.

use subtle::ConstantTimeEq;

use super::message::Secret;

/// What a client may do with one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Permission {
    /// Ask what this is, no more.
    Nothing,
    /// Everything.
    Full,
}

impl Permission {
    /// Judges the secret of a message, in time that does not depend on how much of it is right.
    pub(super) fn of(given: &Secret, secret: &str) -> Permission {
        match given {
            Secret::Text(text) if !secret.is_empty() && bool::from(text.as_bytes().ct_eq(secret.as_bytes())) => {
                Permission::Full
            }
            _ => Permission::Nothing,
        }
    }
}

/// What the board can do for somebody who may do everything. Without a component map names mean nothing,
/// so only the network as a whole can be handled.
pub(super) fn capabilities(has_library: bool) -> &'static [&'static str] {
    if has_library {
        &[
            "protocol:graph",
            "protocol:component",
            "component:getsource",
            "protocol:network",
            "network:status",
            "network:control",
            "network:data",
        ]
    } else {
        &["network:status", "network:control"]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_string_opens() {
        let of = |text: &str| Permission::of(&Secret::Text(text.into()), "s3cret");
        assert_eq!(of("s3cret"), Permission::Full);
        assert_eq!(of("s3cre"), Permission::Nothing);
        assert_eq!(of("s3cret "), Permission::Nothing);
        assert_eq!(Permission::of(&Secret::Junk, "s3cret"), Permission::Nothing);
        assert_eq!(Permission::of(&Secret::Text(String::new()), ""), Permission::Nothing);
    }
}
