//! Which boards' records may exist at which registry: what a killed bridge left, the next one finds here.

use uuid::Uuid;

use super::{Store, StoreError, parse_id};

/// A record that may exist at a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRegistration {
    /// The board.
    pub board: Uuid,
    /// What went wrong there last.
    pub last_error: Option<String>,
}

impl Store {
    /// The records that may exist at `registry`.
    pub async fn registrations(&self, registry: &str) -> Result<Vec<StoredRegistration>, StoreError> {
        let rows: Vec<(String, Option<String>)> =
            sqlx::query_as("SELECT board, last_error FROM registrations WHERE registry = ? ORDER BY board")
                .bind(registry)
                .fetch_all(&self.database.quick)
                .await?;
        rows.into_iter()
            .map(|(board, last_error)| Ok(StoredRegistration { board: parse_id(&board)?, last_error }))
            .collect()
    }

    /// The registries at which records may exist, and how many.
    pub async fn registries_with_records(&self) -> Result<Vec<(String, i64)>, StoreError> {
        let rows = sqlx::query_as("SELECT registry, count(*) FROM registrations GROUP BY registry ORDER BY registry")
            .fetch_all(&self.database.quick)
            .await?;
        Ok(rows)
    }

    /// Remembers, before it is put, that a record may exist from now on.
    pub async fn remember_registration(&self, registry: &str, board: Uuid) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO registrations (registry, board) VALUES (?, ?) ON CONFLICT DO NOTHING")
            .bind(registry)
            .bind(board.to_string())
            .execute(&self.database.quick)
            .await?;
        Ok(())
    }

    /// Notes what went wrong last with a remembered record, or with `None` that all is well.
    pub async fn note_registration_error(
        &self,
        registry: &str,
        board: Uuid,
        error: Option<&str>,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE registrations SET last_error = ? WHERE registry = ? AND board = ? AND last_error IS NOT ?")
            .bind(error)
            .bind(registry)
            .bind(board.to_string())
            .bind(error)
            .execute(&self.database.quick)
            .await?;
        Ok(())
    }

    /// The record is known not to exist.
    pub async fn forget_registration(&self, registry: &str, board: Uuid) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM registrations WHERE registry = ? AND board = ?")
            .bind(registry)
            .bind(board.to_string())
            .execute(&self.database.quick)
            .await?;
        Ok(())
    }
}
