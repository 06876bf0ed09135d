//! The local user's token in clear, beside the database, for this user's eyes only.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::io::random::SECRET_CHARS;
use crate::io::store::StoreError;
use crate::pure::secret::Secret;

pub(super) const NAME: &str = "registry-token";

/// The token, if the file has one.
pub(super) fn read(path: &Path) -> Result<Option<Secret>, StoreError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text.trim()).filter(|text| text.len() >= SECRET_CHARS).map(Secret::new)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StoreError::File { path: path.to_owned(), source }),
    }
}

/// Replaces the file as a whole, on the disk before this returns.
pub(super) fn write(path: &Path, token: &Secret) -> Result<(), StoreError> {
    let new = path.with_extension("new");
    let written = || {
        // A leftover of an interrupted write may have any mode: start from nothing.
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        writeln!(file, "{}", token.expose())?;
        file.sync_all()?;
        fs::rename(&new, path)
    };
    written().map_err(StoreError::file(path))
}
