//! Whether a directory can be written to, or made.

use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use crate::pure::doctor::StateDir;

/// Looks at the state directory, or at the nearest directory above it that exists. Makes nothing.
pub fn state_dir(path: &Path) -> StateDir {
    StateDir { path: path.to_owned(), problem: problem(path) }
}

fn problem(path: &Path) -> Option<(PathBuf, String)> {
    let nearest = path.ancestors().find(|dir| dir.exists()).unwrap_or(Path::new("."));
    if !nearest.is_dir() {
        return Some((nearest.to_owned(), "it is no directory".to_owned()));
    }
    let error = access(nearest, Access::WRITE_OK | Access::EXEC_OK).err()?;
    Some((nearest.to_owned(), std::io::Error::from(error).to_string()))
}
