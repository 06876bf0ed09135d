//! Users and groups, as the files in `/etc` and the kernel have them.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::pure::access::{Node, Opener};

/// Whose a node is, and who may open it. `etc` is usually `/etc`.
pub fn node(path: &Path, etc: &Path) -> io::Result<Node> {
    let node = path.metadata()?;
    Ok(Node {
        uid: node.uid(),
        owner: name_of(&etc.join("passwd"), node.uid()),
        gid: node.gid(),
        group: name_of(&etc.join("group"), node.gid()),
        mode: node.mode(),
    })
}

/// This process as one that opens things.
pub fn own(etc: &Path) -> Opener {
    let uid = rustix::process::geteuid().as_raw();
    let groups = rustix::process::getgroups().unwrap_or_default();
    let groups = groups.into_iter().chain([rustix::process::getegid()]).map(|group| group.as_raw()).collect();
    opener(uid, groups, etc)
}

/// Another process as one that opens things, from its `status` file in `/proc`.
pub fn of_process(status: &str, etc: &Path) -> Option<Opener> {
    let numbers = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key))?;
        line.split_whitespace().map(|number| number.parse().ok()).collect::<Option<Vec<u32>>>()
    };
    // Real, effective, saved, file system.
    let uid = *numbers("Uid:")?.get(1)?;
    let mut groups = numbers("Groups:")?;
    groups.push(*numbers("Gid:")?.get(1)?);
    Some(opener(uid, groups, etc))
}

fn opener(uid: u32, groups: Vec<u32>, etc: &Path) -> Opener {
    let name = name_of(&etc.join("passwd"), uid);
    let listed = name.as_deref().map(|name| groups_of(&etc.join("group"), name)).unwrap_or_default();
    Opener { uid, name, groups, listed }
}

/// The name of an id in a passwd or group file.
fn name_of(file: &Path, id: u32) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(id)).then(|| name.to_owned())
    })
}

/// The groups that have a user as a member.
fn groups_of(file: &Path, user: &str) -> Vec<u32> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let groups = text.lines().filter_map(|line| {
        let mut fields = line.split(':').skip(2);
        let gid = fields.next()?.parse().ok()?;
        fields.next()?.split(',').any(|member| member == user).then_some(gid)
    });
    groups.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_memberships_come_from_the_files() {
        let etc = tempfile::tempdir().unwrap();
        fs::write(etc.path().join("passwd"), "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n")
            .unwrap();
        fs::write(etc.path().join("group"), "root:x:0:\ndialout:x:20:bob,ann\nvideo:x:44:annabel\n").unwrap();
        let status =
            "Name:\tmicroflo-bridge\nUid:\t1000\t1000\t1000\t1000\nGid:\t1000\t1000\t1000\t1000\nGroups:\t4 24\n";
        let ann = of_process(status, etc.path()).unwrap();
        assert_eq!(ann, Opener { uid: 1000, name: Some("ann".into()), groups: vec![4, 24, 1000], listed: vec![20] });
        let file = etc.path().join("file");
        fs::write(&file, "").unwrap();
        let node = node(&file, etc.path()).unwrap();
        assert_eq!(node.owner, name_of(&etc.path().join("passwd"), node.uid));
        assert_eq!(name_of(&etc.path().join("passwd"), 7), None);
        assert_eq!(of_process("Name:\tx\n", etc.path()), None);
    }

    #[test]
    fn this_process_is_in_its_own_group() {
        let own = own(Path::new("/etc"));
        assert!(own.groups.contains(&rustix::process::getegid().as_raw()));
    }
}
