//! The random half of ids by port, where the host has no machine id.

use std::fmt;

use crate::io::random;

use super::database::Database;
use super::{Store, StoreError};

const NAME: &str = "host_key";

/// 32 random bytes, made once. Not shown by `Debug`: ids by port could be guessed from it.
#[derive(Clone, PartialEq, Eq)]
pub struct HostKey(pub [u8; 32]);

impl fmt::Debug for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HostKey(…)")
    }
}

impl Store {
    /// The stored key, made at the first call.
    pub async fn host_key(&self) -> Result<HostKey, StoreError> {
        let mut transaction = Database::begin(&self.database.durable).await?;
        let stored: Option<Vec<u8>> = sqlx::query_scalar("SELECT value FROM settings WHERE name = ?")
            .bind(NAME)
            .fetch_optional(&mut *transaction)
            .await?;
        if let Some(value) = stored {
            return value.try_into().map(HostKey).map_err(|_| StoreError::Damaged("host key"));
        }
        let key = HostKey(random::bytes()?);
        sqlx::query("INSERT INTO settings (name, value) VALUES (?, ?)")
            .bind(NAME)
            .bind(key.0.as_slice())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(key)
    }
}
