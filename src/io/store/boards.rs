//! Boards: label, secret, and ids that override the derived ones.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::io::random;
use crate::pure::secret::Secret;

use super::{Store, StoreError, parse_id};

/// What is stored of a board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoardRecord {
    /// Its stable id.
    pub id: Uuid,
    /// The label that a user gave it.
    pub label: Option<String>,
    /// Opens its sockets. Letters and digits only.
    pub secret: Secret,
    /// Opens them for looking only.
    pub read_secret: Secret,
}

impl Store {
    /// The board's record; a new board gets its secrets, which are on the disk before this returns.
    pub async fn ensure_board(&self, id: Uuid) -> Result<BoardRecord, StoreError> {
        if let Some(board) = self.board(id).await? {
            return Ok(board);
        }
        sqlx::query(
            "INSERT INTO boards (id, secret, read_secret) VALUES (?, ?, ?)
             ON CONFLICT (id) DO UPDATE SET read_secret = coalesce(read_secret, excluded.read_secret)",
        )
        .bind(id.to_string())
        .bind(random::secret()?.expose())
        .bind(random::secret()?.expose())
        .execute(&self.database.durable)
        .await?;
        self.board(id).await?.ok_or(StoreError::Damaged("board"))
    }

    /// The board's record, if it was ever seen and has its secrets.
    pub async fn board(&self, id: Uuid) -> Result<Option<BoardRecord>, StoreError> {
        let row: Option<(Option<String>, String, String)> =
            sqlx::query_as("SELECT label, secret, read_secret FROM boards WHERE id = ? AND read_secret IS NOT NULL")
                .bind(id.to_string())
                .fetch_optional(&self.database.durable)
                .await?;
        Ok(row.map(|(label, secret, read_secret)| {
            let (secret, read_secret) = (Secret::new(secret), Secret::new(read_secret));
            BoardRecord { id, label, secret, read_secret }
        }))
    }

    /// Gives a board a label, or with `None` its default again.
    pub async fn set_label(&self, id: Uuid, label: Option<&str>) -> Result<(), StoreError> {
        self.ensure_board(id).await?;
        sqlx::query("UPDATE boards SET label = ? WHERE id = ?")
            .bind(label)
            .bind(id.to_string())
            .execute(&self.database.durable)
            .await?;
        Ok(())
    }

    /// The ids that were chosen instead of derived ones, by the derived one.
    pub async fn load_id_overrides(&self) -> Result<BTreeMap<Uuid, Uuid>, StoreError> {
        let rows: Vec<(String, String)> =
            sqlx::query_as("SELECT derived, chosen FROM id_overrides").fetch_all(&self.database.durable).await?;
        rows.iter().map(|(derived, chosen)| Ok((parse_id(derived)?, parse_id(chosen)?))).collect()
    }

    /// From now on the board with this derived id has the chosen one.
    pub async fn save_id_override(&self, derived: Uuid, chosen: Uuid) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO id_overrides (derived, chosen) VALUES (?, ?)
             ON CONFLICT (derived) DO UPDATE SET chosen = excluded.chosen",
        )
        .bind(derived.to_string())
        .bind(chosen.to_string())
        .execute(&self.database.durable)
        .await?;
        Ok(())
    }
}
