//! The memory of the twin rule: who had a serial first.

use std::collections::BTreeMap;

use super::{Store, StoreError};
use crate::pure::identity::SerialMemory;
use crate::pure::identity::told::{MARKS_PER_PLACE, STORED};

impl Store {
    /// All serials ever seen, by serial key.
    pub async fn load_serials(&self) -> Result<BTreeMap<String, SerialMemory>, StoreError> {
        let rows: Vec<(String, String, bool)> =
            sqlx::query_as("SELECT key, last_path, shared FROM serials").fetch_all(&self.database.durable).await?;
        Ok(rows.into_iter().map(|(key, last_path, shared)| (key, SerialMemory { last_path, shared })).collect())
    }

    /// Remembers a serial, on the disk before this returns.
    pub async fn save_serial(&self, key: &str, memory: &SerialMemory) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO serials (key, last_path, shared, number)
             VALUES (?, ?, ?, (SELECT coalesce(max(number), 0) + 1 FROM serials))
             ON CONFLICT (key) DO UPDATE
             SET last_path = excluded.last_path, shared = excluded.shared, number = excluded.number",
        )
        .bind(key)
        .bind(&memory.last_path)
        .bind(memory.shared)
        .execute(&self.database.durable)
        .await?;
        Ok(())
    }

    /// Forgets all but the newest ids that boards in this place have stored, and the boards under those ids: made for them, and never
    /// given a label. Ids that two boards have shared stay. Returns the keys that are forgotten.
    pub async fn forget_old_marks(&self, place: &str) -> Result<Vec<String>, StoreError> {
        let mut transaction = self.database.durable.begin().await?;
        let forgotten: Vec<String> = sqlx::query_scalar(
            "DELETE FROM serials WHERE key IN (
                 SELECT key FROM serials WHERE last_path = ? AND NOT shared AND substr(key, 1, ?) = ?
                 ORDER BY number DESC LIMIT -1 OFFSET ?)
             RETURNING key",
        )
        .bind(place)
        .bind(i64::try_from(STORED.len()).unwrap_or(i64::MAX))
        .bind(STORED)
        .bind(i64::try_from(MARKS_PER_PLACE).unwrap_or(i64::MAX))
        .fetch_all(&mut *transaction)
        .await?;
        for id in forgotten.iter().filter_map(|key| key.strip_prefix(STORED)) {
            let deleted = sqlx::query(
                "DELETE FROM boards WHERE id = ?1 AND label IS NULL
                 AND NOT EXISTS (SELECT 1 FROM registrations WHERE board = ?1)",
            )
            .bind(id)
            .execute(&mut *transaction)
            .await?;
            if deleted.rows_affected() > 0 {
                sqlx::query("DELETE FROM graphs WHERE board = ?").bind(id).execute(&mut *transaction).await?;
            }
        }
        transaction.commit().await?;
        Ok(forgotten)
    }
}
