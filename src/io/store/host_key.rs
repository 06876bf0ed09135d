//! The random half of ids by port, where the host has no machine id.

use crate::io::random;
use crate::pure::identity::HostKey;

use super::database::Database;
use super::{Store, StoreError};

const NAME: &str = "host_key";

impl Store {
    /// The stored key, made at the first call.
    pub async fn host_key(&self) -> Result<HostKey, StoreError> {
        let mut transaction = Database::begin(&self.database.durable).await?;
        let stored: Option<Vec<u8>> = sqlx::query_scalar("SELECT value FROM settings WHERE name = ?")
            .bind(NAME)
            .fetch_optional(&mut *transaction)
            .await?;
        if let Some(value) = stored {
            return value.try_into().map(HostKey::from_random).map_err(|_| StoreError::Damaged("host key"));
        }
        let key: [u8; 32] = random::bytes()?;
        sqlx::query("INSERT INTO settings (name, value) VALUES (?, ?)")
            .bind(NAME)
            .bind(key.as_slice())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(HostKey::from_random(key))
    }
}
