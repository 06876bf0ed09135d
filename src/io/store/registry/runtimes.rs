//! The registry's records.

use serde_json::Value;
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{RegistryError, RegistryStore};
use crate::io::store::StoreError;
use crate::io::store::database::Database;
use crate::pure::registry::{self, Caller, Entry, Patch, Put, Record, Refusal, UnixMillis};
use crate::pure::secret::Secret;

const DAMAGED: StoreError = StoreError::Damaged("runtime record");

/// Id, record, secret, registered, seen.
type Row = (String, String, Option<String>, i64, i64);

impl RegistryStore {
    /// Registers a runtime or updates it.
    pub async fn put(&self, id: Uuid, patch: Patch, caller: Caller, now: UnixMillis) -> Result<Put, RegistryError> {
        let mut transaction = Database::begin(&self.database.quick).await?;
        let stored = select(&mut transaction, id).await?;
        let put = registry::put(stored, id, patch, caller, now)?;
        upsert(&mut transaction, &put.entry).await?;
        transaction.commit().await?;
        Ok(put)
    }

    /// Notes that a runtime is alive.
    pub async fn ping(&self, id: Uuid, now: UnixMillis) -> Result<(), RegistryError> {
        let mut transaction = Database::begin(&self.database.quick).await?;
        let stored = select(&mut transaction, id).await?;
        let entry = registry::ping(stored, now)?;
        sqlx::query("UPDATE runtimes SET seen = ? WHERE id = ?")
            .bind(entry.seen.0)
            .bind(id.to_string())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// One runtime, for its owner.
    pub async fn get(&self, id: Uuid, caller: Caller) -> Result<Entry, RegistryError> {
        let mut connection = self.database.quick.acquire().await?;
        Ok(registry::readable(select(&mut connection, id).await?, caller)?)
    }

    /// The caller's own runtimes, the first registered first.
    pub async fn list(&self, caller: Caller) -> Result<Vec<Entry>, RegistryError> {
        let user = caller.user.ok_or(Refusal::Unauthenticated)?;
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, record, secret, registered, seen FROM runtimes WHERE user = ? ORDER BY registered, id",
        )
        .bind(user.to_string())
        .fetch_all(&self.database.quick)
        .await?;
        Ok(rows.into_iter().map(entry).collect::<Result<_, _>>()?)
    }

    /// Removes one runtime, for its owner.
    pub async fn delete(&self, id: Uuid, caller: Caller) -> Result<(), RegistryError> {
        let mut transaction = Database::begin(&self.database.quick).await?;
        registry::readable(select(&mut transaction, id).await?, caller)?;
        sqlx::query("DELETE FROM runtimes WHERE id = ?").bind(id.to_string()).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(())
    }
}

async fn select(connection: &mut SqliteConnection, id: Uuid) -> Result<Option<Entry>, StoreError> {
    let row: Option<Row> = sqlx::query_as("SELECT id, record, secret, registered, seen FROM runtimes WHERE id = ?")
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?;
    row.map(entry).transpose()
}

async fn upsert(connection: &mut SqliteConnection, entry: &Entry) -> Result<(), StoreError> {
    let record = &entry.record;
    sqlx::query(
        "INSERT INTO runtimes (id, user, record, secret, registered, seen) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET
            user = excluded.user, record = excluded.record, secret = excluded.secret, seen = excluded.seen",
    )
    .bind(record.id.to_string())
    .bind(record.user.to_string())
    .bind(Value::Object(record.to_open_json()).to_string())
    .bind(record.secret.as_ref().map(Secret::expose))
    .bind(entry.registered.0)
    .bind(entry.seen.0)
    .execute(connection)
    .await?;
    Ok(())
}

fn entry((id, record, secret, registered, seen): Row) -> Result<Entry, StoreError> {
    let keys = serde_json::from_str(&record).map_err(|_| DAMAGED)?;
    let id = Uuid::parse_str(&id).map_err(|_| DAMAGED)?;
    let patch = Patch::parse(id, keys).map_err(|_| DAMAGED)?;
    let record = Record::create(id, patch, None).map_err(|_| DAMAGED)?;
    Ok(Entry {
        record: Record { secret: secret.map(Secret::new), ..record },
        registered: UnixMillis(registered),
        seen: UnixMillis(seen),
    })
}
