//! Explains why a device node may not be opened, and what to type.

use std::path::{Path, PathBuf};

use super::error::OpenError;
use crate::io::accounts;
use crate::pure::access::Hindrance;

/// Looks at the device node, this user and the groups, and says what is missing.
pub(super) fn explain(path: PathBuf) -> OpenError {
    let etc = Path::new("/etc");
    let Ok(node) = accounts::node(&path, etc) else {
        let advice = "a directory on the way to it is closed to this user".to_owned();
        return OpenError::Permission { path, group: None, advice };
    };
    let hindrance = node.hindrance(&accounts::own(etc));
    let advice = hindrance.advice(&path);
    let group = match hindrance {
        Hindrance::NoGroup { .. } => None,
        Hindrance::NotMember { group, .. }
        | Hindrance::ServiceNotMember { group }
        | Hindrance::NotYet { group, .. }
        | Hindrance::Elsewhere { group } => Some(group),
    };
    OpenError::Permission { path, group, advice }
}
