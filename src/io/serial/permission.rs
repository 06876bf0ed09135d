//! Explains why a device node may not be opened, and what to type.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use super::error::OpenError;

/// The group's read and write permission.
const GROUP_READ_WRITE: u32 = 0o060;

/// Looks at the device node, this user and the groups, and says what is missing.
pub(super) fn explain(path: PathBuf) -> OpenError {
    let Ok(node) = path.metadata() else {
        let advice = "a directory on the way to it is closed to this user".to_owned();
        return OpenError::Permission { path, group: None, advice };
    };
    if node.mode() & GROUP_READ_WRITE != GROUP_READ_WRITE || node.gid() == 0 {
        let advice = format!(
            "it belongs to user {} with mode {:o} and no group may open it; udev normally changes that within a second; \
             if not: sudo chgrp dialout {path} && sudo chmod g+rw {path}",
            name_of("/etc/passwd", node.uid()).unwrap_or_else(|| node.uid().to_string()),
            node.mode() & 0o777,
            path = path.display(),
        );
        return OpenError::Permission { path, group: None, advice };
    }
    let group = name_of("/etc/group", node.gid()).unwrap_or_else(|| node.gid().to_string());
    let advice = advice_for(&group, node.gid());
    OpenError::Permission { path, group: Some(group), advice }
}

fn advice_for(group: &str, gid: u32) -> String {
    let user = name_of("/etc/passwd", rustix::process::geteuid().as_raw()).unwrap_or_else(|| "$USER".to_owned());
    let in_effect = rustix::process::getgroups().is_ok_and(|groups| groups.iter().any(|group| group.as_raw() == gid));
    if in_effect {
        format!("group {group} may, and this user is in it; a container or sandbox keeps the device closed")
    } else if is_listed_member(group, &user) {
        format!("group {group} may, and {user} was added to it after logging in: log out and in again")
    } else {
        format!("group {group} may; add {user} with: sudo usermod -aG {group} {user}, then log out and in again")
    }
}

/// The name of an id in a passwd or group file.
fn name_of(file: &str, id: u32) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(id)).then(|| name.to_owned())
    })
}

fn is_listed_member(group: &str, user: &str) -> bool {
    let text = fs::read_to_string("/etc/group").unwrap_or_default();
    text.lines().any(|line| {
        let mut fields = line.split(':');
        fields.next() == Some(group) && fields.nth(2).is_some_and(|members| members.split(',').any(|m| m == user))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_the_files() {
        assert_eq!(name_of("/etc/passwd", 0).as_deref(), Some("root"));
        assert_eq!(name_of("/etc/passwd", u32::MAX - 7), None);
        assert_eq!(name_of("/nonexistent", 0), None);
    }

    #[test]
    fn a_closed_group_is_told_with_the_command() {
        let advice = advice_for("microflo-test", u32::MAX - 7);
        assert!(advice.contains("sudo usermod -aG microflo-test "), "{advice}");
    }
}
