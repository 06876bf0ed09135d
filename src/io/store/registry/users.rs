//! The registry's users. Tokens are stored as hashes; only the local user's lies beside in clear.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::backend::{Backend, Durability, Transaction, on, run};
use super::{RegistryStore, token_file};
use crate::io::random;
use crate::io::store::{StoreError, parse_id};
use crate::pure::registry::{BadUserName, user_name};
use crate::pure::secret::Secret;

/// The local user's name.
const LOCAL_NAME: &str = "local";
/// Changes of users are made one after the other.
const USERS: Uuid = Uuid::nil();

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

/// A user, as whoever runs the registry sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRow {
    /// Who.
    pub user: User,
    /// Whether it is the one made at first start.
    pub local: bool,
    /// How many runtimes are in the list.
    pub runtimes: u64,
}

/// Why a user cannot be made, found or changed.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// The name.
    #[error(transparent)]
    Name(#[from] BadUserName),
    /// There is one.
    #[error("there is a user `{0}` already; `microflo-bridge registry user rotate` gives a new token")]
    Taken(String),
    /// There is none.
    #[error("there is no user `{0}`; `microflo-bridge registry user list` shows all")]
    Unknown(String),
    /// It would come again.
    #[error("the local user cannot be removed: it is made at every start; `registry user rotate` gives a new token")]
    Local,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Id, name, whether local, number of runtimes.
type Row = (String, String, bool, i64);

impl RegistryStore {
    /// The local user, for `registry user show`.
    pub async fn local_user(&self) -> Result<LocalUser, StoreError> {
        let mut transaction = self.backend.read().await?;
        let row: Option<(String, String)> =
            on!(&mut transaction, c => sqlx::query_as("SELECT id, name FROM users WHERE local").fetch_optional(c))?;
        let (id, name) = row.ok_or(StoreError::Damaged("local user"))?;
        let token = token_file::read(&self.token_file)?;
        let token = token.ok_or_else(|| StoreError::TokenElsewhere(self.token_file.clone()))?;
        Ok(LocalUser { id: parse_id(&id)?, name, token })
    }

    /// Whose token this is.
    pub async fn user_by_token(&self, token: &str) -> Result<Option<User>, StoreError> {
        let mut transaction = self.backend.read().await?;
        let row: Option<(String, String)> = on!(&mut transaction, c =>
            sqlx::query_as("SELECT id, name FROM users WHERE token_hash = $1").bind(hash(token)).fetch_optional(c))?;
        row.map(|(id, name)| Ok(User { id: parse_id(&id)?, name })).transpose()
    }

    /// All users, by name.
    pub async fn users(&self) -> Result<Vec<UserRow>, StoreError> {
        let mut transaction = self.backend.read().await?;
        let rows: Vec<Row> = on!(&mut transaction, c => sqlx::query_as(
            "SELECT id, name, local, (SELECT count(*) FROM runtimes WHERE \"user\" = users.id) FROM users ORDER BY name",
        ).fetch_all(c))?;
        rows.into_iter().map(row).collect()
    }

    /// One user, by name or id.
    pub async fn user(&self, name_or_id: &str) -> Result<UserRow, UserError> {
        find(self.users().await?, name_or_id)
    }

    /// Makes a user. The token is shown now or never.
    pub async fn add_user(&self, name: &str) -> Result<(User, Secret), UserError> {
        let name = user_name(name)?;
        let (id, token) = (random::uuid().map_err(StoreError::from)?, random::secret().map_err(StoreError::from)?);
        let mut transaction = self.backend.begin(Durability::Durable, &USERS).await?;
        let taken: Option<(String,)> = on!(&mut transaction, c =>
            sqlx::query_as("SELECT id FROM users WHERE name = $1").bind(name.to_owned()).fetch_optional(c))?;
        if taken.is_some() {
            return Err(UserError::Taken(name.to_owned()));
        }
        insert(&mut transaction, id, name, &token, false).await?;
        transaction.commit().await?;
        Ok((User { id, name: name.to_owned() }, token))
    }

    /// Gives a user a new token; the old one opens nothing from now on. The local user's is written to its file too.
    pub async fn rotate_user(&self, name_or_id: &str) -> Result<(UserRow, Secret), UserError> {
        let found = self.user(name_or_id).await?;
        let token = random::secret().map_err(StoreError::from)?;
        let mut transaction = self.backend.begin(Durability::Durable, &USERS).await?;
        set_token(&mut transaction, found.user.id, &token).await?;
        transaction.notify(&format!("user {}", found.user.id)).await?;
        if found.local {
            token_file::write(&self.token_file, &token)?;
        }
        transaction.commit().await?;
        self.feed.drop_user(found.user.id);
        Ok((found, token))
    }

    /// Removes a user, and the user's records.
    pub async fn remove_user(&self, name_or_id: &str) -> Result<UserRow, UserError> {
        let found = self.user(name_or_id).await?;
        if found.local {
            return Err(UserError::Local);
        }
        let id = found.user.id;
        let mut transaction = self.backend.begin(Durability::Durable, &USERS).await?;
        run!(&mut transaction, c =>
            sqlx::query("DELETE FROM runtimes WHERE \"user\" = $1").bind(id.to_string()).execute(c))?;
        run!(&mut transaction, c => sqlx::query("DELETE FROM users WHERE id = $1").bind(id.to_string()).execute(c))?;
        transaction.notify(&format!("user {id}")).await?;
        transaction.commit().await?;
        self.feed.drop_user(id);
        Ok(found)
    }

    /// Makes the local user where there is none. In the SQLite file, which is this host's alone, it also gets a new token
    /// where file and table do not agree: the file was lost, or writing it was interrupted. On PostgreSQL the token may
    /// well be on another host.
    pub(super) async fn ensure_local_user(&self) -> Result<(), StoreError> {
        let mut transaction = self.backend.begin(Durability::Durable, &USERS).await?;
        let stored: Option<(String, Vec<u8>)> = on!(&mut transaction, c =>
            sqlx::query_as("SELECT id, token_hash FROM users WHERE local").fetch_optional(c))?;
        let kept = token_file::read(&self.token_file)?.map(|token| hash(token.expose()));
        let shared = matches!(self.backend, Backend::Postgres(_));
        let token = match &stored {
            Some((_, stored)) if shared || kept.as_ref() == Some(stored) => return Ok(()),
            _ => random::secret()?,
        };
        token_file::write(&self.token_file, &token)?;
        match stored {
            Some((id, _)) => set_token(&mut transaction, parse_id(&id)?, &token).await?,
            None => insert(&mut transaction, random::uuid()?, LOCAL_NAME, &token, true).await?,
        }
        transaction.commit().await
    }
}

async fn insert(
    transaction: &mut Transaction,
    id: Uuid,
    name: &str,
    token: &Secret,
    local: bool,
) -> Result<(), StoreError> {
    run!(transaction, c => sqlx::query("INSERT INTO users (id, name, token_hash, local) VALUES ($1, $2, $3, $4)")
        .bind(id.to_string()).bind(name.to_owned()).bind(hash(token.expose())).bind(local).execute(c))
}

async fn set_token(transaction: &mut Transaction, id: Uuid, token: &Secret) -> Result<(), StoreError> {
    run!(transaction, c => sqlx::query("UPDATE users SET token_hash = $1 WHERE id = $2")
        .bind(hash(token.expose())).bind(id.to_string()).execute(c))
}

fn find(users: Vec<UserRow>, name_or_id: &str) -> Result<UserRow, UserError> {
    let id = Uuid::parse_str(name_or_id).ok();
    let fits = |row: &UserRow| row.user.name == name_or_id || Some(row.user.id) == id;
    users.into_iter().find(fits).ok_or_else(|| UserError::Unknown(name_or_id.to_owned()))
}

fn row((id, name, local, runtimes): Row) -> Result<UserRow, StoreError> {
    let user = User { id: parse_id(&id)?, name };
    Ok(UserRow { user, local, runtimes: runtimes.try_into().unwrap_or_default() })
}

/// A token has 256 random bits: a plain hash needs no salt, and looking it up by an index tells nothing about it.
fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token).to_vec()
}
