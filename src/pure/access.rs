//! Who may open a device node or a socket, and what to type so that somebody may.

use std::fmt;
use std::ops::RangeInclusive;
use std::path::Path;

/// Read and write permission: the owner's, the group's, everybody's.
const OWNER: u32 = 0o600;
const GROUP: u32 = 0o060;
const ANYBODY: u32 = 0o006;

/// The users that systemd makes for services.
const DYNAMIC_USERS: RangeInclusive<u32> = 61184..=65519;

/// Where an administrator adds to the service's unit.
const DROP_INS: &str = "/etc/systemd/system/microflo-bridge.service.d";

/// Whose a node is, and who may open it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its owner.
    pub uid: u32,
    /// The owner's name, where it has one.
    pub owner: Option<String>,
    /// Its group.
    pub gid: u32,
    /// The group's name, where it has one.
    pub group: Option<String>,
    /// The permission bits.
    pub mode: u32,
}

/// Somebody who wants to open it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opener {
    /// The user.
    pub uid: u32,
    /// The user's name, where it has one.
    pub name: Option<String>,
    /// The groups that are in effect.
    pub groups: Vec<u32>,
    /// The groups that the user is a member of since the last login or will be after the next.
    pub listed: Vec<u32>,
}

/// What keeps somebody from opening a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hindrance {
    /// No group may.
    NoGroup {
        /// Whose it is.
        owner: String,
        /// The permission bits.
        mode: u32,
    },
    /// Its group may.
    NotMember {
        /// The group.
        group: String,
        /// Who is not in it.
        user: String,
    },
    /// Its group may, and the opener is a service, whose user is made when it starts and has no name.
    ServiceNotMember {
        /// The group.
        group: String,
    },
    /// The user is in the group from the next login on.
    NotYet {
        /// The group.
        group: String,
        /// Who was added to it.
        user: String,
    },
    /// The bits allow it.
    Elsewhere {
        /// The group.
        group: String,
    },
}

impl Node {
    /// Whether the bits let somebody read and write.
    pub fn lets(&self, opener: &Opener) -> bool {
        let needed = match opener {
            Opener { uid: 0, .. } => return true,
            Opener { uid, .. } if *uid == self.uid => OWNER,
            Opener { groups, .. } if groups.contains(&self.gid) => GROUP,
            _ => ANYBODY,
        };
        self.mode & needed == needed
    }

    /// What keeps somebody out who could not open it.
    pub fn hindrance(&self, opener: &Opener) -> Hindrance {
        if self.mode & GROUP != GROUP || self.gid == 0 {
            let owner = self.owner.clone().unwrap_or_else(|| self.uid.to_string());
            return Hindrance::NoGroup { owner, mode: self.mode & 0o777 };
        }
        let group = self.group.clone().unwrap_or_else(|| self.gid.to_string());
        if opener.groups.contains(&self.gid) {
            return Hindrance::Elsewhere { group };
        }
        if DYNAMIC_USERS.contains(&opener.uid) {
            return Hindrance::ServiceNotMember { group };
        }
        let user = opener.name.clone().unwrap_or_else(|| "$USER".to_owned());
        if opener.listed.contains(&self.gid) {
            Hindrance::NotYet { group, user }
        } else {
            Hindrance::NotMember { group, user }
        }
    }
}

impl Hindrance {
    /// The line to type.
    pub fn command(&self, path: &Path) -> Option<String> {
        let path = path.display();
        match self {
            Hindrance::NoGroup { .. } => Some(format!("sudo chgrp dialout {path} && sudo chmod g+rw {path}")),
            Hindrance::NotMember { group, user } => Some(format!("sudo usermod -aG {group} {user}")),
            Hindrance::ServiceNotMember { group } => Some(format!(
                "sudo mkdir -p {DROP_INS} && printf '[Service]\\nSupplementaryGroups={group}\\n' | sudo tee {DROP_INS}/{group}.conf \
                 && sudo systemctl daemon-reload && sudo systemctl restart microflo-bridge"
            )),
            Hindrance::NotYet { group, .. } => Some(format!("newgrp {group}")),
            Hindrance::Elsewhere { .. } => None,
        }
    }

    /// What it is, with what to do, for the node at `path`.
    pub fn advice(&self, path: &Path) -> String {
        match (self, self.command(path)) {
            (Hindrance::NoGroup { .. }, Some(command)) => {
                format!("{self}; udev normally changes that within a second; if not: {command}")
            }
            (Hindrance::ServiceNotMember { .. }, Some(command)) => format!("{self}; put it there: {command}"),
            (Hindrance::NotMember { group, user }, Some(command)) => {
                format!("group {group} may; add {user} with: {command}, then log out and in again")
            }
            _ => self.to_string(),
        }
    }
}

impl fmt::Display for Hindrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Hindrance::NoGroup { owner, mode } => {
                write!(f, "it belongs to user {owner} with mode {mode:o} and no group may open it")
            }
            Hindrance::NotMember { group, user } => {
                write!(f, "group {group} may, and user {user} is not in it: join it, then log out and in again")
            }
            Hindrance::ServiceNotMember { group } => write!(f, "group {group} may, and the service is not in it"),
            Hindrance::NotYet { group, user } => {
                write!(f, "group {group} may, and {user} was added to it after logging in: log out and in again")
            }
            Hindrance::Elsewhere { group } => {
                write!(f, "group {group} may, and this user is in it; a container or sandbox keeps the device closed")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIALOUT: u32 = 20;

    fn node(mode: u32, gid: u32) -> Node {
        Node { uid: 0, owner: Some("root".into()), gid, group: Some("dialout".into()), mode }
    }

    fn ann(groups: &[u32], listed: &[u32]) -> Opener {
        Opener { uid: 1000, name: Some("ann".into()), groups: groups.into(), listed: listed.into() }
    }

    #[test]
    fn the_bits_of_owner_group_and_others_count_as_the_kernel_counts_them() {
        assert!(node(0o660, DIALOUT).lets(&ann(&[DIALOUT], &[])));
        assert!(!node(0o660, DIALOUT).lets(&ann(&[], &[DIALOUT])), "not before the next login");
        assert!(!node(0o640, DIALOUT).lets(&ann(&[DIALOUT], &[])), "reading is not enough");
        assert!(!node(0o606, DIALOUT).lets(&ann(&[DIALOUT], &[])), "the group counts before the others");
        assert!(node(0o666, DIALOUT).lets(&ann(&[], &[])));
        assert!(node(0o600, 0).lets(&Opener { uid: 0, ..ann(&[], &[]) }));
        assert!(Node { uid: 1000, ..node(0o600, 0) }.lets(&ann(&[], &[])));
    }

    #[test]
    fn each_hindrance_has_its_line_to_type() {
        let path = Path::new("/dev/ttyACM0");
        let command = |node: Node, opener: Opener| node.hindrance(&opener).command(path);
        let chgrp = "sudo chgrp dialout /dev/ttyACM0 && sudo chmod g+rw /dev/ttyACM0";
        assert_eq!(command(node(0o600, 0), ann(&[], &[])).as_deref(), Some(chgrp));
        let usermod = command(node(0o660, DIALOUT), ann(&[], &[]));
        assert_eq!(usermod.as_deref(), Some("sudo usermod -aG dialout ann"));
        let again = command(node(0o660, DIALOUT), ann(&[], &[DIALOUT]));
        assert_eq!(again.as_deref(), Some("newgrp dialout"));
        assert_eq!(command(node(0o660, DIALOUT), ann(&[DIALOUT], &[])), None);
        let service = Opener { uid: 61200, name: None, ..ann(&[], &[]) };
        let drop_in = command(node(0o660, DIALOUT), service).unwrap();
        assert!(
            drop_in.contains("SupplementaryGroups=dialout") && drop_in.contains("restart microflo-bridge"),
            "{drop_in}"
        );
        let advice = node(0o660, DIALOUT).hindrance(&ann(&[], &[])).advice(path);
        assert_eq!(advice, "group dialout may; add ann with: sudo usermod -aG dialout ann, then log out and in again");
    }
}
