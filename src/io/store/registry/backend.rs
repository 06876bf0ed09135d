//! The two databases behind one set of queries: both know `$1`, `ON CONFLICT` and the same column names and types.

use std::sync::Arc;

use sqlx::postgres::PgTransaction;
use sqlx::sqlite::SqliteTransaction;
use uuid::Uuid;

use super::postgres::{self, Postgres};
use crate::io::store::StoreError;
use crate::io::store::database::Database;

#[derive(Clone, Debug)]
pub(super) enum Backend {
    Sqlite(Arc<Database>),
    Postgres(Arc<Postgres>),
}

/// What must survive a power cut, and what may be written again. On PostgreSQL everything survives.
#[derive(Clone, Copy, Debug)]
pub(super) enum Durability {
    Durable,
    Quick,
}

pub(super) enum Transaction {
    Sqlite(SqliteTransaction<'static>),
    Postgres(PgTransaction<'static>),
}

/// Asks the same of either database.
macro_rules! on {
    ($transaction:expr, $connection:ident => $query:expr) => {
        match $transaction {
            Transaction::Sqlite(transaction) => {
                let $connection = &mut **transaction;
                $query.await.map_err(crate::io::store::StoreError::from)
            }
            Transaction::Postgres(transaction) => {
                let $connection = &mut **transaction;
                $query.await.map_err(crate::io::store::registry::postgres::failure)
            }
        }
    };
}
pub(super) use on;

/// Has either database do the same.
macro_rules! run {
    ($transaction:expr, $connection:ident => $query:expr) => {
        on!($transaction, $connection => futures_util::TryFutureExt::map_ok($query, drop))
    };
}
pub(super) use run;

impl Backend {
    /// A transaction that may read first and write then: nobody else writes about the same `subject` meanwhile.
    pub(super) async fn begin(&self, durability: Durability, subject: &Uuid) -> Result<Transaction, StoreError> {
        match self {
            Backend::Sqlite(database) => {
                let pool = match durability {
                    Durability::Durable => &database.durable,
                    Durability::Quick => &database.quick,
                };
                Ok(Transaction::Sqlite(Database::begin(pool).await?))
            }
            Backend::Postgres(server) => {
                let mut transaction = server.begin().await?;
                let (key, _) = subject.as_u64_pair();
                sqlx::query("SELECT pg_advisory_xact_lock($1)")
                    .bind(key.cast_signed())
                    .execute(&mut *transaction)
                    .await
                    .map_err(postgres::failure)?;
                Ok(Transaction::Postgres(transaction))
            }
        }
    }

    /// A transaction that only reads.
    pub(super) async fn read(&self) -> Result<Transaction, StoreError> {
        match self {
            Backend::Sqlite(database) => Ok(Transaction::Sqlite(database.quick.begin().await?)),
            Backend::Postgres(server) => Ok(Transaction::Postgres(server.begin().await?)),
        }
    }

    pub(super) async fn close(&self) {
        match self {
            Backend::Sqlite(database) => database.close().await,
            Backend::Postgres(server) => server.close().await,
        }
    }
}

impl Transaction {
    pub(super) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Transaction::Sqlite(transaction) => transaction.commit().await.map_err(StoreError::from),
            Transaction::Postgres(transaction) => transaction.commit().await.map_err(postgres::failure),
        }
    }

    /// Tells all processes on this database, this one included, when the transaction is committed. On SQLite there is
    /// one process, which tells itself.
    pub(super) async fn notify(&mut self, text: &str) -> Result<(), StoreError> {
        if let Transaction::Postgres(transaction) = self {
            sqlx::query("SELECT pg_notify($1, $2)")
                .bind(postgres::CHANNEL)
                .bind(text)
                .execute(&mut **transaction)
                .await
                .map_err(postgres::failure)?;
        }
        Ok(())
    }

    /// Whether other processes hear of a change by the database.
    pub(super) fn notifies(&self) -> bool {
        matches!(self, Transaction::Postgres(_))
    }
}
