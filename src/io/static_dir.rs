//! Files below one directory, and nothing outside: neither `..` nor a symbolic link leads out. The system sees to it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::fs::{Mode, OFlags, ResolveFlags, open, openat2};
use rustix::io::Errno;

/// The file that stands for a directory.
const INDEX: &str = "index.html";

/// Why a directory cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum StaticDirError {
    /// It is not there, or not a directory.
    #[error(
        "{} cannot be served as the IDE: {source}; give --ide the directory of a built UI, or a URL with http:// or https://",
        path.display()
    )]
    NoDirectory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It holds no page.
    #[error("{} has no {INDEX}; give --ide the directory that the UI's build has written", .0.display())]
    NoIndex(PathBuf),
}

/// A directory whose files may be read.
#[derive(Clone, Debug)]
pub struct StaticDir(PathBuf);

/// An open file.
#[derive(Debug)]
pub struct StaticFile {
    /// To read from.
    pub file: File,
    /// Its length in bytes.
    pub bytes: u64,
    /// Changes with its content.
    pub version: String,
}

impl StaticDir {
    /// That directory; it must hold an `index.html`.
    pub fn new(path: &Path) -> Result<Self, StaticDirError> {
        let failed = |source| StaticDirError::NoDirectory { path: path.to_owned(), source };
        let dir = StaticDir(path.canonicalize().map_err(failed)?);
        dir.root().map_err(|error| failed(error.into()))?;
        dir.open(INDEX).map_err(|_| StaticDirError::NoIndex(path.to_owned()))?;
        Ok(dir)
    }

    /// Opens the file at `path`, which is relative; one that ends with a slash, or is empty, means the `index.html` there. Blocks.
    pub fn open(&self, path: &str) -> io::Result<StaticFile> {
        let path = if path.is_empty() || path.ends_with('/') { format!("{path}{INDEX}") } else { path.to_owned() };
        // Without NONBLOCK a named pipe would be waited for.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let inside = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        let file = File::from(openat2(self.root()?, path, flags, Mode::empty(), inside)?);
        let about = file.metadata()?;
        if !about.is_file() {
            return Err(io::ErrorKind::NotFound.into());
        }
        let modified = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        let age = modified.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        Ok(StaticFile { file, bytes: about.len(), version: format!("{age:x}-{:x}", about.len()) })
    }

    /// Opened each time, since a new build may have taken its place.
    fn root(&self) -> Result<std::os::fd::OwnedFd, Errno> {
        open(&self.0, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Read;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_is_inside_is_read_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let ui = dir.path().join("ui");
        fs::create_dir_all(ui.join("js")).unwrap();
        fs::write(dir.path().join("secret"), "no").unwrap();
        assert!(matches!(StaticDir::new(&ui), Err(StaticDirError::NoIndex(_))));
        fs::write(ui.join("index.html"), "page").unwrap();
        fs::write(ui.join("js/app.js"), "app").unwrap();
        symlink("js/app.js", ui.join("inside.js")).unwrap();
        symlink("../secret", ui.join("outside")).unwrap();
        symlink(dir.path(), ui.join("up")).unwrap();
        symlink("/proc/self/root", ui.join("root")).unwrap();

        let ui = StaticDir::new(&ui).unwrap();
        let read = |path: &str| {
            let mut text = String::new();
            ui.open(path)?.file.read_to_string(&mut text)?;
            Ok::<_, io::Error>(text)
        };
        for (path, text) in [("", "page"), ("index.html", "page"), ("js/app.js", "app"), ("inside.js", "app")] {
            assert_eq!(read(path).unwrap(), text, "{path}");
        }
        for path in [
            "../secret",
            "js/../../secret",
            "/etc/passwd",
            "outside",
            "up/secret",
            "root/etc/passwd",
            "js",
            "js/",
            "x\0",
        ] {
            assert!(read(path).is_err(), "{path:?} must not be read");
        }
    }

    #[test]
    fn a_directory_that_is_not_there_says_what_to_give() {
        let error = StaticDir::new(Path::new("localhost:8080")).unwrap_err().to_string();
        assert!(error.contains("localhost:8080") && error.contains("http://"), "{error}");
    }
}
