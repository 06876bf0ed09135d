//! The memory of the twin rule: who had a serial first.

use std::collections::HashMap;

use super::{Store, StoreError};

/// What is remembered of a serial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SerialRow {
    /// The path of the board to which the serial's id belongs.
    pub last_path: String,
    /// Whether two boards were ever seen with it.
    pub shared: bool,
}

impl Store {
    /// All serials ever seen, by serial key.
    pub async fn load_serials(&self) -> Result<HashMap<String, SerialRow>, StoreError> {
        let rows: Vec<(String, String, bool)> =
            sqlx::query_as("SELECT key, last_path, shared FROM serials").fetch_all(&self.database.durable).await?;
        Ok(rows.into_iter().map(|(key, last_path, shared)| (key, SerialRow { last_path, shared })).collect())
    }

    /// Remembers a serial, on the disk before this returns.
    pub async fn save_serial(&self, key: &str, row: &SerialRow) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO serials (key, last_path, shared) VALUES (?, ?, ?)
             ON CONFLICT (key) DO UPDATE SET last_path = excluded.last_path, shared = excluded.shared",
        )
        .bind(key)
        .bind(&row.last_path)
        .bind(row.shared)
        .execute(&self.database.durable)
        .await?;
        Ok(())
    }
}
