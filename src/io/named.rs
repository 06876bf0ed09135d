//! Ports that the user named: whether they are there, and whether each is still the one that it was.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Which making of a named path this is. It changes when the path, or what a link there leads to, is made anew: what a
/// replug is to a USB port. It changes with owner and permissions too, and never by use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Making {
    name: Stamp,
    target: Stamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    /// PTYs use their inode numbers again, so the time tells them apart.
    changed: (i64, i64),
}

impl Stamp {
    fn of(file: &Metadata) -> Stamp {
        Stamp { device: file.dev(), inode: file.ino(), changed: (file.ctime(), file.ctime_nsec()) }
    }
}

/// The making of a path; `None` where nothing is. A dangling link, as a killed PTY leaves one, is nothing.
pub fn making(path: &Path) -> Option<Making> {
    let (name, target) = (path.symlink_metadata().ok()?, path.metadata().ok()?);
    Some(Making { name: Stamp::of(&name), target: Stamp::of(&target) })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_that_leads_elsewhere_is_another_making_and_a_dangling_one_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let (link, one, two) = (dir.path().join("link"), dir.path().join("one"), dir.path().join("two"));
        fs::write(&one, "").unwrap();
        fs::write(&two, "").unwrap();
        assert_eq!(making(&link), None);
        symlink(&one, &link).unwrap();
        let first = making(&link);
        assert!(first.is_some());
        assert_eq!(making(&link), first);
        fs::remove_file(&link).unwrap();
        symlink(&two, &link).unwrap();
        assert_ne!(making(&link), first);
        fs::remove_file(&two).unwrap();
        assert_eq!(making(&link), None);
    }
}
