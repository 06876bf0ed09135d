//! Who may do what.

use subtle::ConstantTimeEq;

use super::Identity;
use super::message::Secret;

/// What a client may do with one message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Permission {
    /// Ask what this is, no more.
    #[default]
    Nothing,
    /// Look at graph, components, status and data.
    Read,
    /// Everything.
    Full,
}

impl Permission {
    /// Judges the secret of a message, in time that does not depend on how much of it is right.
    pub(super) fn of(given: &Secret, identity: &Identity) -> Permission {
        let Secret::Text(text) = given else { return Permission::Nothing };
        let opens = |secret: &str| !secret.is_empty() && bool::from(text.as_bytes().ct_eq(secret.as_bytes()));
        match (opens(&identity.secret), opens(&identity.read_secret)) {
            (true, _) => Permission::Full,
            (false, true) => Permission::Read,
            (false, false) => Permission::Nothing,
        }
    }

    /// What a message takes.
    pub(super) fn needed(protocol: &str, command: &str) -> Permission {
        match (protocol, command) {
            ("runtime", "getruntime") => Permission::Nothing,
            ("component", "list" | "getsource") | ("network", "getstatus" | "edges") => Permission::Read,
            _ => Permission::Full,
        }
    }

    /// What somebody with this permission may do. Without a component map names mean nothing, so only the network as a whole
    /// can be handled.
    pub(super) fn capabilities(self, has_library: bool) -> &'static [&'static str] {
        match (self, has_library) {
            (Permission::Nothing, _) => &[],
            (Permission::Read, true) => READ,
            (Permission::Read, false) => &["network:status"],
            (Permission::Full, true) => FULL,
            (Permission::Full, false) => &["network:status", "network:control"],
        }
    }
}

const READ: &[&str] =
    &["graph:readonly", "protocol:component", "component:getsource", "network:status", "network:data"];

const FULL: &[&str] = &[
    "protocol:runtime",
    "protocol:graph",
    "protocol:component",
    "component:getsource",
    "protocol:network",
    "network:status",
    "network:control",
    "network:data",
    "network:persist",
    "protocol:trace",
];

/// All that the board can do, for whoever may do it.
pub(super) fn all_capabilities(has_library: bool) -> Vec<&'static str> {
    let full = Permission::Full.capabilities(has_library);
    let read = Permission::Read.capabilities(has_library);
    full.iter().chain(read.iter().filter(|capability| !full.contains(capability))).copied().collect()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn of(text: &str, secret: &str, read_secret: &str) -> Permission {
        let (secret, read_secret) = (secret.to_owned(), read_secret.to_owned());
        let identity = Identity { id: Uuid::nil(), label: String::new(), secret, read_secret };
        Permission::of(&Secret::Text(text.into()), &identity)
    }

    #[test]
    fn only_the_right_string_opens() {
        assert_eq!(of("s3cret", "s3cret", "look"), Permission::Full);
        assert_eq!(of("look", "s3cret", "look"), Permission::Read);
        assert_eq!(of("s3cre", "s3cret", "look"), Permission::Nothing);
        assert_eq!(of("s3cret ", "s3cret", "look"), Permission::Nothing);
        assert_eq!(of("", "", ""), Permission::Nothing);
        let identity = Identity { id: Uuid::nil(), label: String::new(), secret: "s".into(), read_secret: "r".into() };
        assert_eq!(Permission::of(&Secret::Junk, &identity), Permission::Nothing);
    }

    #[test]
    fn whoever_may_read_may_do_less_than_the_owner_and_nothing_unheard_of() {
        for has_library in [true, false] {
            let all = all_capabilities(has_library);
            assert!(Permission::Read.capabilities(has_library).iter().all(|it| all.contains(it)));
            assert!(Permission::Full.capabilities(has_library).iter().all(|it| all.contains(it)));
        }
        assert!(READ.iter().all(|capability| !capability.contains("control") && *capability != "protocol:graph"));
    }
}
