//! The state directory: an SQLite database that survives kill -9 and is nobody else's to read.
//!
//! One file per concern; what boards need and what the registry needs do not mix. The registry's half stands behind
//! [`RegistryStore`], the only place that would have to know another database.

mod admissions;
mod boards;
mod database;
mod descriptors;
mod error;
mod firmwares;
mod graphs;
mod host_key;
mod lock;
mod registrations;
mod registry;
mod serials;
#[cfg(test)]
mod tests;

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;

use database::Database;
use lock::StateLock;

pub use boards::BoardRecord;
pub use error::StoreError;
pub use firmwares::FirmwareRecord;
pub use registrations::StoredRegistration;
pub use registry::{
    DatabaseUrl, DatabaseUrlError, LocalUser, RegistryError, RegistryStore, User, UserError, UserRow,
    WATCHERS_PER_USER, Watch, WatchError,
};

/// The state directory, open. Cheap to clone; the directory is free for another bridge when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct Store {
    database: Arc<Database>,
    registry: RegistryStore,
}

impl Store {
    /// Opens `state_dir`, creating it (0700) and what it holds (0600) where missing, with the registry's local user.
    pub async fn open(state_dir: &Path) -> Result<Store, StoreError> {
        create_private_dir(state_dir)?;
        let lock = StateLock::take(state_dir)?;
        let database = Arc::new(Database::open(state_dir, Some(lock)).await?);
        let registry = RegistryStore::open(database.clone(), state_dir).await?;
        Ok(Store { database, registry })
    }

    /// The registry's users and records.
    pub fn registry(&self) -> &RegistryStore {
        &self.registry
    }

    /// Writes all to the database file and closes it. Queries fail from then on.
    pub async fn close(&self) {
        self.database.close().await;
    }
}

impl RegistryStore {
    /// The registry in an SQLite file, beside the bridge or registry that may have it open: SQLite lets several
    /// processes take turns. For commands that come and go.
    pub async fn beside(state_dir: &Path) -> Result<RegistryStore, StoreError> {
        if !Database::is_in(state_dir) {
            return Err(StoreError::NoRegistry(state_dir.to_owned()));
        }
        let database = Arc::new(Database::open(state_dir, None).await?);
        RegistryStore::open(database, state_dir).await
    }
}

fn create_private_dir(dir: &Path) -> Result<(), StoreError> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(StoreError::file(dir))
}

fn parse_id(text: &str) -> Result<uuid::Uuid, StoreError> {
    uuid::Uuid::parse_str(text).map_err(|_| StoreError::Damaged("id"))
}
