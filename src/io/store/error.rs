//! What can go wrong with the state directory.

use std::io;
use std::path::PathBuf;

use crate::io::random::RandomError;

/// Why the store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or directory could not be made, read or written.
    #[error("cannot use {path}: {source}; check its owner and permissions, or choose another --state-dir")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another bridge uses the directory.
    #[error("another microflo-bridge{} uses the state directory {dir}; stop it, or choose another --state-dir",
        pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default())]
    InUse {
        /// The directory.
        dir: PathBuf,
        /// Its process, if it said so.
        pid: Option<u32>,
    },
    /// The tables are of a later version.
    #[error(
        "the state in {dir} was written by a newer microflo-bridge; update this one, or choose another --state-dir"
    )]
    Newer {
        /// The directory.
        dir: PathBuf,
    },
    /// The tables could not be made.
    #[error("the database in {dir} could not be prepared: {source}")]
    Migrate {
        /// The directory.
        dir: PathBuf,
        /// Why.
        source: sqlx::migrate::MigrateError,
    },
    /// SQLite failed.
    #[error("the database in the state directory failed: {0}; check the disk's space and health")]
    Database(#[from] sqlx::Error),
    /// PostgreSQL is not there at present.
    #[error("the registry's PostgreSQL is not reached: {0}; start it, or check the database's URL")]
    Away(String),
    /// PostgreSQL said no.
    #[error("the registry's PostgreSQL said: {0}; check the database's URL and the user's rights there")]
    Postgres(String),
    /// PostgreSQL's tables are of a later version.
    #[error("the registry's tables on PostgreSQL were written by a newer microflo-bridge; update this one")]
    NewerPostgres,
    /// The local user's token was made on another host.
    #[error(
        "the local user's token is not in {0}: it was made on another host, or lost; \
         `microflo-bridge registry user rotate local` makes a new one"
    )]
    TokenElsewhere(PathBuf),
    /// Nobody has made a registry there.
    #[error(
        "there is no registry in {0} yet: name the directory of the one that you mean with --state-dir, \
         or its PostgreSQL with --database; `microflo-bridge registry serve` makes one"
    )]
    NoRegistry(PathBuf),
    /// A stored value is not what it should be.
    #[error("the database in the state directory holds a damaged {0}; restore it from a backup, or remove it")]
    Damaged(&'static str),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
}

impl StoreError {
    pub(super) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> StoreError {
        let path = path.into();
        move |source| StoreError::File { path, source }
    }
}
