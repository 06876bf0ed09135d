//! The graph that each board had last.

use uuid::Uuid;

use super::{Store, StoreError};

impl Store {
    /// What was saved of a board.
    pub async fn graph(&self, board: Uuid) -> Result<Option<String>, StoreError> {
        let row: Option<(String,)> = sqlx::query_as("SELECT graph FROM graphs WHERE board = ?")
            .bind(board.to_string())
            .fetch_optional(&self.database.quick)
            .await?;
        Ok(row.map(|(graph,)| graph))
    }

    /// Saves what is to be known of a board when it comes back.
    pub async fn save_graph(&self, board: Uuid, graph: &str) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO graphs (board, graph) VALUES (?, ?) ON CONFLICT (board) DO UPDATE SET graph = excluded.graph",
        )
        .bind(board.to_string())
        .bind(graph)
        .execute(&self.database.quick)
        .await?;
        Ok(())
    }
}
