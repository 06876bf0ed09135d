//! URLs: the bridge's own, the IDE's, and registries'.

use std::str::FromStr;

use serde::{Deserialize, Deserializer};
use url::Url;

use super::value::{ValueError, from_text};

/// An http or https URL without user name, password or fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebUrl(Url);

impl WebUrl {
    /// The URL.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// Without a slash at the end: a registry's name in `status` and in the store.
    pub fn name(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }

    /// Scheme, host and port as browsers send them in `Origin`.
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }
}

impl FromStr for WebUrl {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let mut url = Url::parse(text).map_err(|e| ValueError::Url { text: text.to_owned(), reason: e.to_string() })?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ValueError::Credentials);
        }
        if !matches!(url.scheme(), "http" | "https") {
            return Err(ValueError::Scheme(text.to_owned()));
        }
        url.set_fragment(None);
        Ok(WebUrl(url))
    }
}

impl<'de> Deserialize<'de> for WebUrl {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        from_text(source)
    }
}

/// One answer to "which registry?".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistryChoice {
    /// `none`: not even the embedded one.
    None,
    /// That one, beside the embedded one.
    Url(WebUrl),
}

impl FromStr for RegistryChoice {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        if text == "none" {
            return Ok(RegistryChoice::None);
        }
        let url: WebUrl = text.parse()?;
        if url.url().scheme() == "http" && !is_loopback(url.url()) {
            return Err(ValueError::PlainRegistry(text.to_owned()));
        }
        Ok(RegistryChoice::Url(url))
    }
}

impl<'de> Deserialize<'de> for RegistryChoice {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        from_text(source)
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_registry_is_for_loopback_only() {
        for good in ["http://127.0.0.1:1/", "http://[::1]:1/", "http://localhost:1/", "https://lab.example/", "none"] {
            assert!(good.parse::<RegistryChoice>().is_ok(), "{good}");
        }
        assert!(matches!("http://lab.example/".parse::<RegistryChoice>(), Err(ValueError::PlainRegistry(_))));
    }

    #[test]
    fn a_url_with_a_password_is_refused_and_the_error_does_not_repeat_it() {
        let error = "https://me:hunter2@lab.example".parse::<WebUrl>().unwrap_err();
        assert!(!error.to_string().contains("hunter2"));
    }

    #[test]
    fn other_schemes_are_refused() {
        assert_eq!("ws://lab.example".parse::<WebUrl>(), Err(ValueError::Scheme("ws://lab.example".into())));
        assert!(matches!("lab".parse::<WebUrl>(), Err(ValueError::Url { .. })));
    }
}
