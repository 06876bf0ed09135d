//! A runtime's record: the keys that Flowhub knows, and all others as they came.

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::pure::secret::Secret;

/// The most bytes of JSON that a record may have, and so may the body that carries one. NoFlo UI's own extra keys take
/// about 2 KiB.
pub const RECORD_LIMIT_BYTES: usize = 64 * 1024;
/// The longest address, in characters.
const ADDRESS_LIMIT_CHARS: usize = 2_048;
/// The longest protocol or type, in characters.
const NAME_LIMIT_CHARS: usize = 64;
/// The longest label, in characters.
const LABEL_LIMIT_CHARS: usize = 256;
/// The longest description, in characters.
const DESCRIPTION_LIMIT_CHARS: usize = 4_096;
/// The longest secret, in characters.
const SECRET_LIMIT_CHARS: usize = 256;
/// Keys that belong to the registry: what a client sends for them is dropped.
const REGISTRY_KEYS: [&str; 3] = ["registered", "seen", "online"];

/// What a registry holds of a runtime.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The runtime's id, the same that it reports itself.
    pub id: Uuid,
    /// The user in whose list it is.
    pub user: Uuid,
    /// Where it is reached, for example `ws://localhost:3569/{id}`.
    pub address: String,
    /// How, for example `websocket`.
    pub protocol: String,
    /// What it is, for example `microflo`. The key is `type`.
    pub kind: String,
    /// Its name for people.
    pub label: Option<String>,
    /// More about it.
    pub description: Option<String>,
    /// Opens the runtime, and proves that an update comes from it.
    pub secret: Option<Secret>,
    /// Every other key, as it came.
    pub extra: Map<String, Value>,
}

/// The keys that a `PUT` brings. Checked one by one; `null` and, for a secret, `""` count as absent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Patch {
    pub(super) user: Option<Uuid>,
    pub(super) address: Option<String>,
    pub(super) protocol: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) label: Option<String>,
    pub(super) description: Option<String>,
    pub(super) secret: Option<Secret>,
    pub(super) extra: Map<String, Value>,
}

/// Why a record is refused. None of the texts repeats a value: it could be a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// Not an object.
    #[error("the body is not a JSON object; send the runtime's keys, for example {{\"type\": \"microflo\", …}}")]
    NotAnObject,
    /// The body is about another runtime than the path.
    #[error("\"id\" in the body is not the id in the path; leave it out or make them equal")]
    OtherId,
    /// A key has the wrong type.
    #[error("\"{0}\" must be a string")]
    NotAString(&'static str),
    /// The user is not a UUID.
    #[error("\"user\" must be a UUID; `microflo-bridge registry user show` prints the local user's")]
    NotAUuid,
    /// A key is empty or has control characters in it.
    #[error("\"{0}\" must not be empty and must hold no control characters")]
    NotText(&'static str),
    /// A key is too long.
    #[error("\"{key}\" is longer than {limit} characters")]
    TooLong {
        /// Which.
        key: &'static str,
        /// How long it may be.
        limit: usize,
    },
    /// A key that every record needs is not there.
    #[error("\"{0}\" is missing; a runtime needs user, address, protocol and type")]
    Missing(&'static str),
    /// All keys together are too much.
    #[error("the record is larger than {RECORD_LIMIT_BYTES} bytes; leave out keys that the registry need not keep")]
    TooLarge,
}

impl Patch {
    /// Checks what a client sent for the runtime `id`.
    pub fn parse(id: Uuid, body: Value) -> Result<Patch, Invalid> {
        let Value::Object(mut keys) = body else { return Err(Invalid::NotAnObject) };
        if let Some(said) = take_string(&mut keys, "id")?
            && Uuid::parse_str(&said) != Ok(id)
        {
            return Err(Invalid::OtherId);
        }
        for key in REGISTRY_KEYS {
            keys.shift_remove(key);
        }
        let user = take_string(&mut keys, "user")?;
        Ok(Patch {
            user: user.map(|text| Uuid::parse_str(&text).map_err(|_| Invalid::NotAUuid)).transpose()?,
            address: take_line(&mut keys, "address", ADDRESS_LIMIT_CHARS)?,
            protocol: take_line(&mut keys, "protocol", NAME_LIMIT_CHARS)?,
            kind: take_line(&mut keys, "type", NAME_LIMIT_CHARS)?,
            label: take_text(&mut keys, "label", LABEL_LIMIT_CHARS)?,
            description: take_text(&mut keys, "description", DESCRIPTION_LIMIT_CHARS)?,
            secret: take_secret(&mut keys)?,
            extra: keys,
        })
    }
}

impl From<Record> for Patch {
    /// Every key of the record.
    fn from(record: Record) -> Patch {
        Patch {
            user: Some(record.user),
            address: Some(record.address),
            protocol: Some(record.protocol),
            kind: Some(record.kind),
            label: record.label,
            description: record.description,
            secret: record.secret,
            extra: record.extra,
        }
    }
}

impl Record {
    /// A new record, of `default_user` where the patch names none.
    pub fn create(id: Uuid, patch: Patch, default_user: Option<Uuid>) -> Result<Record, Invalid> {
        let record = Record {
            id,
            user: patch.user.or(default_user).ok_or(Invalid::Missing("user"))?,
            address: patch.address.ok_or(Invalid::Missing("address"))?,
            protocol: patch.protocol.ok_or(Invalid::Missing("protocol"))?,
            kind: patch.kind.ok_or(Invalid::Missing("type"))?,
            label: patch.label,
            description: patch.description,
            secret: patch.secret,
            extra: patch.extra,
        };
        record.sized()
    }

    /// This record with the keys of `patch` over it; keys that it does not bring stay.
    pub fn merged(mut self, patch: Patch) -> Result<Record, Invalid> {
        self.user = patch.user.unwrap_or(self.user);
        self.address = patch.address.unwrap_or(self.address);
        self.protocol = patch.protocol.unwrap_or(self.protocol);
        self.kind = patch.kind.unwrap_or(self.kind);
        self.label = patch.label.or(self.label);
        self.description = patch.description.or(self.description);
        self.secret = patch.secret.or(self.secret);
        self.extra.extend(patch.extra);
        self.sized()
    }

    /// All keys but the secret.
    pub fn to_open_json(&self) -> Map<String, Value> {
        let known = [
            ("id", Some(self.id.to_string())),
            ("user", Some(self.user.to_string())),
            ("address", Some(self.address.clone())),
            ("protocol", Some(self.protocol.clone())),
            ("type", Some(self.kind.clone())),
            ("label", self.label.clone()),
            ("description", self.description.clone()),
        ];
        let known = known.into_iter().filter_map(|(key, value)| Some((key.to_owned(), Value::String(value?))));
        known.chain(self.extra.clone()).collect()
    }

    /// All keys, the secret in clear: for a caller who has proved who it is.
    pub fn to_json(&self) -> Map<String, Value> {
        let mut keys = self.to_open_json();
        if let Some(secret) = &self.secret {
            keys.insert("secret".to_owned(), Value::String(secret.expose().to_owned()));
        }
        keys
    }

    fn sized(self) -> Result<Record, Invalid> {
        let bytes = Value::Object(self.to_json()).to_string().len();
        if bytes > RECORD_LIMIT_BYTES { Err(Invalid::TooLarge) } else { Ok(self) }
    }
}

fn take_string(keys: &mut Map<String, Value>, key: &'static str) -> Result<Option<String>, Invalid> {
    match keys.shift_remove(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Invalid::NotAString(key)),
    }
}

fn take_text(keys: &mut Map<String, Value>, key: &'static str, limit: usize) -> Result<Option<String>, Invalid> {
    let text = take_string(keys, key)?;
    match &text {
        Some(text) if text.chars().count() > limit => Err(Invalid::TooLong { key, limit }),
        _ => Ok(text),
    }
}

fn take_line(keys: &mut Map<String, Value>, key: &'static str, limit: usize) -> Result<Option<String>, Invalid> {
    let text = take_text(keys, key, limit)?;
    match &text {
        Some(text) if text.trim().is_empty() || text.contains(char::is_control) => Err(Invalid::NotText(key)),
        _ => Ok(text),
    }
}

fn take_secret(keys: &mut Map<String, Value>) -> Result<Option<Secret>, Invalid> {
    match take_text(keys, "secret", SECRET_LIMIT_CHARS)?.filter(|text| !text.is_empty()) {
        Some(text) if text.contains(char::is_control) => Err(Invalid::NotText("secret")),
        text => Ok(text.map(Secret::new)),
    }
}
