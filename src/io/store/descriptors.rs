//! What boards have said of their firmware, so that it is read once.

use std::sync::Arc;

use firmware_proto::Dialect;

use super::{Store, StoreError};
use crate::pure::introduction::{DESCRIPTORS, Descriptor, Descriptors};

impl Store {
    /// Those that were read last. One that is not what it was is left out: it is read again from the next board that has it.
    pub async fn descriptors(&self) -> Result<Descriptors, StoreError> {
        let rows: Vec<(String, String, Vec<u8>)> =
            sqlx::query_as("SELECT fingerprint, dialect, bytes FROM descriptors ORDER BY number")
                .fetch_all(&self.database.durable)
                .await?;
        let mut known = Descriptors::default();
        for (fingerprint, dialect, bytes) in rows {
            let dialect = Dialect::ALL.into_iter().find(|known| known.name() == dialect);
            let read = dialect.and_then(|dialect| Descriptor::of(&bytes, dialect).ok());
            match read.filter(|read| read.fingerprint.to_string() == fingerprint) {
                Some(read) => _ = known.add(Arc::new(read)),
                None => tracing::warn!(fingerprint, "what a board said of its firmware is stored damaged"),
            }
        }
        Ok(known)
    }

    /// Keeps one, and forgets the oldest.
    pub async fn save_descriptor(&self, descriptor: &Descriptor) -> Result<(), StoreError> {
        sqlx::query("INSERT OR REPLACE INTO descriptors (fingerprint, dialect, bytes) VALUES (?, ?, ?)")
            .bind(descriptor.fingerprint.to_string())
            .bind(descriptor.dialect.name())
            .bind(&*descriptor.bytes)
            .execute(&self.database.quick)
            .await?;
        sqlx::query(
            "DELETE FROM descriptors WHERE number NOT IN (SELECT number FROM descriptors ORDER BY number DESC LIMIT ?)",
        )
        .bind(i64::try_from(DESCRIPTORS).unwrap_or(i64::MAX))
        .execute(&self.database.quick)
        .await?;
        Ok(())
    }
}
