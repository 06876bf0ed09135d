//! PostgreSQL: reached by a URL whose password is never shown, away for a while without harm.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgListener, PgPool, PgPoolOptions, PgTransaction};
use sqlx::{ConnectOptions, Connection};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::RegistryStore;
use crate::io::store::StoreError;
use crate::pure::registry::EventKind;

/// Notifications go there: `KIND USER ID` of a runtime, `user USER` when a user's token has changed. Ids and nothing
/// else: a payload holds less than 8 kB, a record may be longer.
pub(super) const CHANNEL: &str = "microflo_registry";
/// Connections of one process, the listening one included.
const CONNECTIONS: u32 = 12;
/// How long a call waits for a connection.
const ACQUIRE_LIMIT: Duration = Duration::from_secs(3);
/// How long the server may take for one statement, in milliseconds.
const STATEMENT_LIMIT_MS: &str = "5000";
/// How long a statement waits for another transaction, in milliseconds.
const LOCK_LIMIT_MS: &str = "3000";
/// How long a transaction may lie open, in milliseconds: that of a process that hangs must not hold locks.
const IDLE_TRANSACTION_LIMIT_MS: &str = "10000";
/// How long nothing is heard until the listening connection is tried.
const SILENCE: Duration = Duration::from_secs(15);
/// The first and the longest pause before the server is tried again.
const RETRY: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// What a URL may say after `?`. The driver would log others, with their values.
const PARAMETERS: [&str; 15] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
];

static MIGRATIONS: Migrator = sqlx::migrate!("src/io/store/migrations_postgres");

/// Where a PostgreSQL database is, and how to log in. Its `Debug` shows neither.
#[derive(Clone)]
pub struct DatabaseUrl(PgConnectOptions);

/// A URL that cannot be used. It is not repeated: it may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseUrlError {
    /// Not PostgreSQL's.
    #[error(
        "the database's URL must begin with postgres://, as postgres://user:password@host/database; \
         leave it out to keep the registry in an SQLite file in the state directory"
    )]
    Scheme,
    /// A parameter that is not known.
    #[error("the database's URL has a parameter `{0}` that is not known; known are {list}", list = PARAMETERS.join(", "))]
    Parameter(String),
    /// Anything else.
    #[error("the database's URL cannot be read: {0}; write it as postgres://user:password@host:5432/database")]
    Unreadable(String),
}

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    fn from_str(text: &str) -> Result<DatabaseUrl, DatabaseUrlError> {
        if !["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme)) {
            return Err(DatabaseUrlError::Scheme);
        }
        let url = url::Url::parse(text).map_err(|error| DatabaseUrlError::Unreadable(error.to_string()))?;
        if let Some((name, _)) = url.query_pairs().find(|(name, _)| !PARAMETERS.contains(&&**name)) {
            return Err(DatabaseUrlError::Parameter(name.into_owned()));
        }
        let options: PgConnectOptions = text
            .parse()
            .map_err(|_| DatabaseUrlError::Unreadable("its port or one of its parameters is wrong".to_owned()))?;
        Ok(DatabaseUrl(options.disable_statement_logging()))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseUrl(…)")
    }
}

/// A PostgreSQL server.
pub(super) struct Postgres {
    pool: PgPool,
    ready: AtomicBool,
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").field("ready", &self.is_ready()).finish_non_exhaustive()
    }
}

impl Postgres {
    pub(super) fn new(url: &DatabaseUrl) -> Postgres {
        let options = url.0.clone().options([
            ("statement_timeout", STATEMENT_LIMIT_MS),
            ("lock_timeout", LOCK_LIMIT_MS),
            ("idle_in_transaction_session_timeout", IDLE_TRANSACTION_LIMIT_MS),
        ]);
        let pool =
            PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(ACQUIRE_LIMIT).connect_lazy_with(options);
        Postgres { pool, ready: AtomicBool::new(false) }
    }

    pub(super) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// Several processes may do this at once: one waits for the other.
    pub(super) async fn migrate(&self) -> Result<(), StoreError> {
        // A connection is asked for first, as its error says more.
        self.connect().await?.close().await.map_err(failure)?;
        MIGRATIONS.run(&self.pool).await.map_err(|error| match error {
            MigrateError::VersionMissing(_) => StoreError::NewerPostgres,
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => failure(error),
            error => StoreError::Postgres(error.to_string()),
        })?;
        self.ready.store(true, Ordering::Release);
        Ok(())
    }

    /// The pool tries until its time is over, and then knows not why; one connection of our own does.
    async fn connect(&self) -> Result<sqlx::PgConnection, StoreError> {
        match timeout(ACQUIRE_LIMIT, self.pool.connect_options().connect()).await {
            Ok(connection) => connection.map_err(failure),
            Err(_) => Err(StoreError::Away(format!("no answer within {} s", ACQUIRE_LIMIT.as_secs()))),
        }
    }

    pub(super) async fn begin(&self) -> Result<PgTransaction<'static>, StoreError> {
        if !self.is_ready() {
            return Err(StoreError::Away("it was not reached yet".to_owned()));
        }
        self.pool.begin().await.map_err(failure)
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    /// Hears of changes and tells watchers, until the pool is closed. While the server is away nobody can watch.
    pub(super) async fn listen(&self, store: &RegistryStore) {
        let mut pause = RETRY.0;
        while !self.pool.is_closed() {
            match self.hear(store).await {
                Ok(()) => pause = RETRY.0,
                Err(sqlx::Error::PoolClosed) => return,
                Err(error) => tracing::warn!(error = %failure(error), "changes of the registry are not heard of"),
            }
            store.feed.set_hears_all(false);
            sleep(pause).await;
            pause = (pause * 2).min(RETRY.1);
        }
    }

    /// Until the connection is lost.
    async fn hear(&self, store: &RegistryStore) -> Result<(), sqlx::Error> {
        let mut listener = PgListener::connect_with(&self.pool).await?;
        listener.eager_reconnect(false);
        listener.listen(CHANNEL).await?;
        store.feed.set_hears_all(true);
        loop {
            match timeout(SILENCE, listener.try_recv()).await {
                Ok(Ok(Some(notification))) => heard(store, notification.payload()).await,
                Ok(Ok(None)) => return Ok(()),
                Ok(Err(error)) => return Err(error),
                Err(_) => match timeout(ACQUIRE_LIMIT, sqlx::query("SELECT 1").execute(&mut listener)).await {
                    Ok(Ok(_)) => {}
                    Ok(Err(error)) => return Err(error),
                    Err(_) => return Ok(()),
                },
            }
        }
    }
}

/// One notification.
async fn heard(store: &RegistryStore, text: &str) {
    let mut words = text.split(' ');
    let (kind, user, id) = (words.next().unwrap_or_default(), id(words.next()), id(words.next()));
    match (kind.parse::<EventKind>(), user, id) {
        (Ok(kind), Some(user), Some(id)) if store.feed.is_watched(user) => {
            if let Err(error) = store.retell(kind, user, id).await {
                tracing::warn!(%error, "a change was heard of and could not be read");
                // Whoever comes again has missed nothing.
                store.feed.drop_user(user);
            }
        }
        (Err(()), Some(user), None) => store.feed.drop_user(user),
        _ => {}
    }
}

fn id(word: Option<&str>) -> Option<Uuid> {
    Uuid::parse_str(word?).ok()
}

/// Whether the server is away, or has said no.
pub(super) fn failure(error: sqlx::Error) -> StoreError {
    /// Connection lost, too many connections, server stops or starts, time over.
    const PASSING: [&str; 5] = ["08", "53", "57P", "57014", "55P03"];
    match &error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => StoreError::Away(error.to_string()),
        sqlx::Error::Database(said) => match said.code() {
            Some(code) if PASSING.iter().any(|passing| code.starts_with(passing)) => {
                StoreError::Away(said.message().to_owned())
            }
            _ => StoreError::Postgres(said.message().to_owned()),
        },
        _ => StoreError::Postgres(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_url_is_told_without_what_it_holds() {
        for (text, word) in [
            ("mysql://me:hush@host/db", "postgres://"),
            ("/var/lib/hush.db", "postgres://"),
            ("postgres://me:hush@host:port/db", "cannot be read"),
            ("postgres://me@host/db?pasword=hush", "`pasword`"),
            ("postgres://me:hush@host/db?sslmode=maybe", "parameters"),
        ] {
            let error = text.parse::<DatabaseUrl>().unwrap_err();
            assert!(error.to_string().contains(word), "{text}: {error}");
            assert!(!format!("{error} {error:?}").contains("hush"), "{error:?}");
        }
        let url: DatabaseUrl = "postgresql://me:hush@host/db?sslmode=require".parse().unwrap();
        assert!(!format!("{url:?}").contains("hush"));
    }

    #[tokio::test]
    async fn a_server_that_is_away_is_told_from_a_wrong_answer() {
        // Nobody listens at port 1.
        let url: DatabaseUrl = "postgres://me:hush@127.0.0.1:1/db".parse().unwrap();
        let postgres = Postgres::new(&url);
        let error = postgres.migrate().await.unwrap_err();
        assert!(matches!(error, StoreError::Away(_)), "{error:?}");
        assert!(matches!(postgres.begin().await, Err(StoreError::Away(_))));
        assert!(!format!("{error} {error:?} {postgres:?}").contains("hush"));
    }
}
