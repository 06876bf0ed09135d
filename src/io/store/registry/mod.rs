//! The registry's tables. Decisions are [`crate::pure::registry`]'s; each call here is one transaction around them.

mod runtimes;
mod token_file;
mod users;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::StoreError;
use super::database::Database;
use crate::pure::registry::Refusal;

pub use users::{LocalUser, User};

/// The registry's users and records. Cheap to clone.
#[derive(Clone, Debug)]
pub struct RegistryStore {
    database: Arc<Database>,
    token_file: PathBuf,
}

/// Why a call to the registry failed.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The registry's rules say no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for RegistryError {
    fn from(error: sqlx::Error) -> RegistryError {
        RegistryError::Store(error.into())
    }
}

impl RegistryStore {
    pub(super) async fn open(database: Arc<Database>, state_dir: &Path) -> Result<RegistryStore, StoreError> {
        let store = RegistryStore { database, token_file: state_dir.join(token_file::NAME) };
        store.ensure_local_user().await?;
        Ok(store)
    }
}
