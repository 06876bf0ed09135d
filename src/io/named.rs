//! Ports that the user named: whether they are there, and whether each is still the one that it was.

use std::fs::Metadata;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

/// Which making of a named path this is. It changes when the path, or what a link there leads to, is made anew: what a
/// replug is to a USB port. It changes with owner and permissions too, and never by use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Making {
    name: Stamp,
    target: Stamp,
    links_to_pty: bool,
}

/// The kernel's major numbers of pseudo-terminals' ends for programs.
const PTY_MAJORS: std::ops::RangeInclusive<u32> = 136..=143;

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

impl Making {
    /// Whether this is a link that was left behind: its pseudo-terminal has ended, and another one, of whoever, has got its number.
    pub fn is_left_from(&self, before: &Making) -> bool {
        self.links_to_pty && self.name == before.name && self.target != before.target
    }
}

/// The making of a path; `None` where nothing is. A dangling link, as a killed PTY leaves one, is nothing.
pub fn making(path: &Path) -> Option<Making> {
    let (name, target) = (path.symlink_metadata().ok()?, path.metadata().ok()?);
    let is_pty = target.file_type().is_char_device() && PTY_MAJORS.contains(&rustix::fs::major(target.rdev()));
    Some(Making { name: Stamp::of(&name), target: Stamp::of(&target), links_to_pty: is_pty && name.is_symlink() })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::fd::OwnedFd;
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;

    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

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
        assert!(!making(&link).unwrap().is_left_from(&first.unwrap()));
        fs::remove_file(&two).unwrap();
        assert_eq!(making(&link), None);
    }

    fn pty() -> (OwnedFd, PathBuf) {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let path = PathBuf::from(ptsname(&master, Vec::new()).unwrap().into_string().unwrap());
        (master, path)
    }

    /// A link to a pseudo-terminal that has ended, and another one with its number. Once more if others took the number, or if the
    /// kernel's clock for files, which ticks in milliseconds, stood still.
    fn reused(link: &Path) -> (Making, OwnedFd, PathBuf) {
        for _ in 0..1000 {
            let (first, path) = pty();
            let _ = fs::remove_file(link);
            symlink(&path, link).unwrap();
            let before = making(link).unwrap();
            assert!(!making(link).unwrap().is_left_from(&before));
            drop(first);
            let (second, other) = pty();
            if other == path && making(link).is_some_and(|now| now.target != before.target) {
                return (before, second, path);
            }
        }
        panic!("somebody is always faster");
    }

    #[test]
    fn a_link_does_not_follow_the_number_of_its_pty_to_another() {
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("link");
        let (before, _second, path) = reused(&link);
        assert!(making(&link).unwrap().is_left_from(&before));
        fs::remove_file(&link).unwrap();
        symlink(&path, &link).unwrap();
        assert!(!making(&link).unwrap().is_left_from(&before), "the link was made anew");
    }
}
