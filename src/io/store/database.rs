//! The SQLite file and the connections to it.

use std::fs::{OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous, SqliteTransaction,
};

use super::StoreError;
use super::lock::StateLock;

const FILE: &str = "state.db";
/// How long one connection waits for the other's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a query waits for its turn.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// Page cache per connection, in KiB: SQLite's default of 2,000 would be felt in a bridge of 15 MB.
const CACHE_KIB: u32 = 256;
/// Prepared statements kept per connection.
const STATEMENTS: usize = 48;

static MIGRATIONS: Migrator = sqlx::migrate!("src/io/store/migrations");

/// Two connections that differ in what survives a power cut. A killed process loses nothing on either.
#[derive(Debug)]
pub(super) struct Database {
    /// Each commit is on the disk before it returns: secrets, ids, users, answers.
    pub(super) durable: SqlitePool,
    /// Commits reach the disk soon: what is written every minute and can be written again.
    pub(super) quick: SqlitePool,
    _lock: Option<StateLock>,
}

impl Database {
    pub(super) async fn open(dir: &Path, lock: Option<StateLock>) -> Result<Database, StoreError> {
        let path = dir.join(FILE);
        create_private(&path).map_err(StoreError::file(&path))?;
        let durable = pool(&path, SqliteSynchronous::Full);
        MIGRATIONS.run(&durable).await.map_err(|error| match error {
            MigrateError::VersionMissing(_) => StoreError::Newer { dir: dir.to_owned() },
            source => StoreError::Migrate { dir: dir.to_owned(), source },
        })?;
        Ok(Database { durable, quick: pool(&path, SqliteSynchronous::Normal), _lock: lock })
    }

    /// Whether there is one in that directory.
    pub(super) fn is_in(dir: &Path) -> bool {
        dir.join(FILE).exists()
    }

    pub(super) async fn close(&self) {
        self.quick.close().await;
        self.durable.close().await;
    }

    /// A transaction that may read first and write then: it has the writer's place from the start.
    pub(super) async fn begin(pool: &SqlitePool) -> Result<SqliteTransaction<'static>, StoreError> {
        Ok(pool.begin_with("BEGIN IMMEDIATE").await?)
    }
}

fn pool(path: &Path, synchronous: SqliteSynchronous) -> SqlitePool {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .statement_cache_capacity(STATEMENTS)
        .pragma("cache_size", format!("-{CACHE_KIB}"))
        .disable_statement_logging();
    SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(options)
}

/// SQLite gives its `-wal` and `-shm` files the mode of this one.
fn create_private(path: &Path) -> std::io::Result<()> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(())
}
