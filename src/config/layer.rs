//! One source of settings: everything optional.

use std::fmt;
use std::marker::PhantomData;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::value::StrDeserializer;
use serde::de::{self, Deserializer, IntoDeserializer, SeqAccess, Visitor};
use uuid::Uuid;

use super::{Baud, BoardRule, GenericPolicy, Ide, ListenAddress, Origins, RegistryEntry, WebUrl};
use crate::pure::secret::Secret;

/// What one source says. Its field names are the keys of the configuration file.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Layer {
    /// Addresses to listen on.
    #[serde(deserialize_with = "one_or_many")]
    pub listen: Option<Vec<ListenAddress>>,
    /// Registries, or `none`.
    #[serde(deserialize_with = "one_or_many")]
    pub registry: Option<Vec<RegistryEntry>>,
    /// Whose boards these are, at the registries.
    pub user: Option<Uuid>,
    /// The token for those registries; without it records can be put there but not deleted.
    pub registry_token: Option<Secret>,
    /// How others reach this bridge.
    pub public_url: Option<WebUrl>,
    /// Where live URLs point.
    pub ide: Option<Ide>,
    /// What happens to generic chips.
    pub generic: Option<GenericPolicy>,
    /// The certificate that the listen addresses are served with, and those that lead to its root; PEM.
    pub tls_cert: Option<PathBuf>,
    /// Its key; PEM.
    pub tls_key: Option<PathBuf>,
    /// Rates to try.
    pub bauds: Option<Vec<Baud>>,
    /// Whether boards are announced by multicast DNS where other hosts can reach the bridge.
    pub mdns: Option<bool>,
    /// The state directory.
    pub state_dir: Option<PathBuf>,
    /// Settings for some boards only.
    pub board: Vec<BoardRule>,
    /// What is known of registries, whoever chooses them: their tokens and users.
    #[serde(skip)]
    pub known: Vec<RegistryEntry>,
    /// Where all that comes from.
    #[serde(skip)]
    pub origins: Origins,
}

impl Layer {
    /// This layer laid over a lower one: what it says holds, the rest shows through. Rules of both stay, these first.
    pub fn over(self, lower: Layer) -> Layer {
        let mut board = self.board;
        board.extend(lower.board);
        let mut known = self.known;
        known.extend(lower.known);
        Layer {
            listen: self.listen.or(lower.listen),
            registry: self.registry.or(lower.registry),
            user: self.user.or(lower.user),
            registry_token: self.registry_token.or(lower.registry_token),
            public_url: self.public_url.or(lower.public_url),
            ide: self.ide.or(lower.ide),
            generic: self.generic.or(lower.generic),
            tls_cert: self.tls_cert.or(lower.tls_cert),
            tls_key: self.tls_key.or(lower.tls_key),
            bauds: self.bauds.or(lower.bauds),
            mdns: self.mdns.or(lower.mdns),
            state_dir: self.state_dir.or(lower.state_dir),
            board,
            known,
            origins: self.origins.over(lower.origins),
        }
    }

    /// Parts what is known of registries from which ones are chosen: a list of registries that are for some boards only
    /// chooses none.
    pub(super) fn part_registries(&mut self) {
        let Some(entries) = self.registry.take_if(|entries| !entries.is_empty()) else { return };
        self.known.extend(entries.iter().filter(|entry| entry.url().is_some()).cloned());
        let chosen: Vec<_> = entries.into_iter().filter(|entry| entry.default).collect();
        self.registry = (!chosen.is_empty()).then_some(chosen);
    }
}

/// `key = "a"` as well as `key = ["a", "b"]`.
pub(super) fn one_or_many<'de, D, T>(source: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct OneOrMany<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrMany<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string or an array of strings")
        }

        fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Vec<T>, A::Error> {
            Ok(vec![T::deserialize(de::value::MapAccessDeserializer::new(map))?])
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<T>, E> {
            let one: StrDeserializer<'_, E> = text.into_deserializer();
            Ok(vec![T::deserialize(one)?])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Vec<T>, A::Error> {
            let mut all = Vec::new();
            while let Some(element) = elements.next_element()? {
                all.push(element);
            }
            Ok(all)
        }
    }
    source.deserialize_any(OneOrMany(PhantomData)).map(Some)
}
