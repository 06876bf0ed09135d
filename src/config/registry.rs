//! Registries: which ones, with whose token, and for whom.

use std::fmt;

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{self, Deserializer, IntoDeserializer, MapAccess, Visitor};
use uuid::Uuid;

use super::web::{RegistryChoice, WebUrl};
use crate::pure::secret::Secret;

/// One element of `registry`: a URL, `none`, or `[[registry]]` with what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryEntry {
    /// Which one.
    pub choice: RegistryChoice,
    /// The token for it.
    pub token: Option<Secret>,
    /// In whose list the boards appear there.
    pub user: Option<Uuid>,
    /// Whether it is for every board, and not only for those that name it.
    pub default: bool,
}

impl From<RegistryChoice> for RegistryEntry {
    fn from(choice: RegistryChoice) -> RegistryEntry {
        RegistryEntry { choice, token: None, user: None, default: true }
    }
}

impl RegistryEntry {
    /// The URL, if it is one.
    pub fn url(&self) -> Option<&WebUrl> {
        match &self.choice {
            RegistryChoice::Url(url) => Some(url),
            RegistryChoice::None => None,
        }
    }
}

/// `[[registry]]`, word for word.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    url: RegistryChoice,
    token: Option<Secret>,
    user: Option<Uuid>,
    #[serde(default = "yes")]
    default: bool,
}

fn yes() -> bool {
    true
}

impl<'de> Deserialize<'de> for RegistryEntry {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct Entry;
        impl<'de> Visitor<'de> for Entry {
            type Value = RegistryEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a URL, `none`, or a table with url, token, user")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<RegistryEntry, E> {
                let text: StrDeserializer<'_, E> = text.into_deserializer();
                Ok(RegistryChoice::deserialize(text)?.into())
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RegistryEntry, A::Error> {
                let Table { url, token, user, default } = Table::deserialize(MapAccessDeserializer::new(map))?;
                Ok(RegistryEntry { choice: url, token, user, default })
            }
        }
        source.deserialize_any(Entry)
    }
}

/// A registry somewhere else, with everything decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteSettings {
    /// Where.
    pub url: WebUrl,
    /// Without it records can be put there but not deleted.
    pub token: Option<Secret>,
    /// In whose list the boards appear there; the local user's unless told otherwise.
    pub user: Option<Uuid>,
    /// Whether boards that name no registry are registered there.
    pub default: bool,
}

/// What opening a port does to a board.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResetPolicy {
    /// What is usual for its family.
    #[default]
    Auto,
    /// Opening resets it, so it is given time to start.
    OnOpen,
    /// Opening does not reset it: it is spoken to at once, and DTR and RTS are left alone.
    None,
}

impl std::str::FromStr for ResetPolicy {
    type Err = super::ValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(ResetPolicy::Auto),
            "on-open" => Ok(ResetPolicy::OnOpen),
            "none" => Ok(ResetPolicy::None),
            _ => Err(super::ValueError::Reset(text.to_owned())),
        }
    }
}

impl ResetPolicy {
    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            ResetPolicy::Auto => "auto",
            ResetPolicy::OnOpen => "on-open",
            ResetPolicy::None => "none",
        }
    }
}
