//! The memory of the twin rule: who had a serial first.

use std::collections::BTreeMap;

use super::{Store, StoreError};
use crate::pure::identity::SerialMemory;

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
            "INSERT INTO serials (key, last_path, shared) VALUES (?, ?, ?)
             ON CONFLICT (key) DO UPDATE SET last_path = excluded.last_path, shared = excluded.shared",
        )
        .bind(key)
        .bind(&memory.last_path)
        .bind(memory.shared)
        .execute(&self.database.durable)
        .await?;
        Ok(())
    }
}
