//! The registry's tables, in the SQLite file or on PostgreSQL. Decisions are [`crate::pure::registry`]'s; each call here
//! is one transaction around them.

mod backend;
mod feed;
mod postgres;
mod runtimes;
mod token_file;
mod users;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::StoreError;
use super::database::Database;
use crate::pure::registry::{Presence, Refusal};
use backend::Backend;
use feed::Feed;

pub use feed::{WATCHERS_PER_USER, Watch, WatchError};
pub use postgres::{DatabaseUrl, DatabaseUrlError};
pub use users::{LocalUser, User, UserError, UserRow};

/// The registry's users and records. Cheap to clone.
#[derive(Clone, Debug)]
pub struct RegistryStore {
    backend: Backend,
    feed: Feed,
    presence: Presence,
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

impl RegistryStore {
    pub(super) async fn open(database: Arc<Database>, state_dir: &Path) -> Result<RegistryStore, StoreError> {
        let store = RegistryStore::new(Backend::Sqlite(database), state_dir);
        store.ensure_local_user().await?;
        Ok(store)
    }

    /// A registry on PostgreSQL. Nothing is asked of the server before [`RegistryStore::prepare`]. The local user's token
    /// is kept in `state_dir`, which several processes may share.
    pub fn on_postgres(url: &DatabaseUrl, state_dir: &Path) -> Result<RegistryStore, StoreError> {
        super::create_private_dir(state_dir)?;
        Ok(RegistryStore::new(Backend::Postgres(Arc::new(postgres::Postgres::new(url))), state_dir))
    }

    fn new(backend: Backend, state_dir: &Path) -> RegistryStore {
        let feed = Feed::new(matches!(backend, Backend::Sqlite(_)));
        RegistryStore { backend, feed, presence: Presence::default(), token_file: state_dir.join(token_file::NAME) }
    }

    /// The same with another idea of who is offline.
    pub fn with_presence(self, presence: Presence) -> RegistryStore {
        RegistryStore { presence, ..self }
    }

    /// Who is offline.
    pub fn presence(&self) -> Presence {
        self.presence
    }

    /// Makes the tables and the local user where they are missing. Until this has been done, every call fails with
    /// [`StoreError::Away`].
    pub async fn prepare(&self) -> Result<(), StoreError> {
        if let Backend::Postgres(postgres) = &self.backend
            && !postgres.is_ready()
        {
            postgres.migrate().await?;
            self.ensure_local_user().await?;
        }
        Ok(())
    }

    /// Tells watchers what other processes change, until the store is closed. Ends at once where there are none.
    pub async fn listen(&self) {
        if let Backend::Postgres(postgres) = &self.backend {
            postgres.listen(self).await;
        }
    }

    /// Follows the changes of one user's runtimes.
    pub fn watch(&self, user: uuid::Uuid) -> Result<Watch, WatchError> {
        self.feed.watch(user)
    }

    /// Ends all connections to the database. Calls fail from then on.
    pub async fn close(&self) {
        self.backend.close().await;
    }
}
