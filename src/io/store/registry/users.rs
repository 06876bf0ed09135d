//! The registry's users. Tokens are stored as hashes; only the local user's lies beside in clear.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{RegistryStore, token_file};
use crate::io::random;
use crate::io::store::database::Database;
use crate::io::store::{StoreError, parse_id};
use crate::pure::secret::Secret;

/// The local user's name.
const LOCAL_NAME: &str = "local";

/// Who has a list of runtimes at this registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// What records have as `user`.
    pub id: Uuid,
    /// For people.
    pub name: String,
}

/// The user made at first start, with the token in clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalUser {
    /// What records have as `user`.
    pub id: Uuid,
    /// For people.
    pub name: String,
    /// What `Authorization: Bearer` takes.
    pub token: Secret,
}

impl RegistryStore {
    /// The local user, for `registry user show`.
    pub async fn local_user(&self) -> Result<LocalUser, StoreError> {
        let row: Option<(String, String)> =
            sqlx::query_as("SELECT id, name FROM users WHERE local = 1").fetch_optional(&self.database.durable).await?;
        let (id, name) = row.ok_or(StoreError::Damaged("local user"))?;
        let token = token_file::read(&self.token_file)?.ok_or(StoreError::Damaged("token of the local user"))?;
        Ok(LocalUser { id: parse_id(&id)?, name, token })
    }

    /// Whose token this is.
    pub async fn user_by_token(&self, token: &str) -> Result<Option<User>, StoreError> {
        let row: Option<(String, String)> = sqlx::query_as("SELECT id, name FROM users WHERE token_hash = ?")
            .bind(hash(token))
            .fetch_optional(&self.database.quick)
            .await?;
        row.map(|(id, name)| Ok(User { id: parse_id(&id)?, name })).transpose()
    }

    /// Makes the local user where there is none, and a new token where file and table do not agree: the file was lost,
    /// or writing it was interrupted.
    pub(super) async fn ensure_local_user(&self) -> Result<(), StoreError> {
        let mut transaction = Database::begin(&self.database.durable).await?;
        let stored: Option<Vec<u8>> = sqlx::query_scalar("SELECT token_hash FROM users WHERE local = 1")
            .fetch_optional(&mut *transaction)
            .await?;
        let kept = token_file::read(&self.token_file)?.map(|token| hash(token.expose()));
        if stored.is_some() && stored == kept {
            return Ok(());
        }
        let token = random::secret()?;
        token_file::write(&self.token_file, &token)?;
        sqlx::query(
            "INSERT INTO users (id, name, token_hash, local) VALUES (?, ?, ?, 1)
             ON CONFLICT (local) WHERE local = 1 DO UPDATE SET token_hash = excluded.token_hash",
        )
        .bind(random::uuid()?.to_string())
        .bind(LOCAL_NAME)
        .bind(hash(token.expose()))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// A token has 256 random bits: a plain hash needs no salt, and looking it up by an index tells nothing about it.
fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token).to_vec()
}
