//! A registry's URL.

use std::net::IpAddr;

use reqwest::Url;
use uuid::Uuid;

use super::EndpointError;

/// A checked URL under which `/runtimes` lies.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    url: Url,
    name: String,
}

impl Endpoint {
    pub(super) fn parse(text: &str) -> Result<Endpoint, EndpointError> {
        // Before anything is shown: what precedes an @ is a password.
        if text.contains('@') {
            return Err(EndpointError::Credentials);
        }
        let url = Url::parse(text).map_err(|_| EndpointError::NotAUrl(text.to_owned()))?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(EndpointError::Query(text.to_owned()));
        }
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => return Err(EndpointError::PlainHttp(text.to_owned())),
            _ => return Err(EndpointError::NotAUrl(text.to_owned())),
        }
        let name = url.as_str().trim_end_matches('/').to_owned();
        Ok(Endpoint { url, name })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn is_plain(&self) -> bool {
        self.url.scheme() == "http"
    }

    pub(super) fn runtime(&self, id: Uuid) -> String {
        format!("{}/runtimes/{id}", self.name)
    }
}

fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_encrypted_or_nowhere() {
        for url in [
            "https://api.flowhub.io",
            "https://lab.example:8443/registry/",
            "http://localhost:3570",
            "http://127.0.0.1:3570/",
            "http://127.9.9.9",
            "http://[::1]:3570",
        ] {
            assert!(Endpoint::parse(url).is_ok(), "{url}");
        }
        for url in ["http://api.flowhub.io", "http://192.168.1.2", "http://localhost.example", "http://[2001:db8::1]"] {
            assert!(matches!(Endpoint::parse(url), Err(EndpointError::PlainHttp(_))), "{url}");
        }
        for url in ["", "api.flowhub.io", "ftp://localhost", "ws://localhost", "unix:/run/x", "https://"] {
            assert!(matches!(Endpoint::parse(url), Err(EndpointError::NotAUrl(_))), "{url}");
        }
        for url in ["https://host/?token=abc", "https://host/#x"] {
            assert!(matches!(Endpoint::parse(url), Err(EndpointError::Query(_))), "{url}");
        }
    }

    #[test]
    fn a_password_in_the_url_is_refused_and_not_repeated() {
        let error = Endpoint::parse("https://me:hush@host/").unwrap_err();
        assert!(matches!(error, EndpointError::Credentials));
        assert!(!format!("{error} {error:?}").contains("hush"));
    }

    #[test]
    fn a_slash_at_the_end_makes_no_other_registry() {
        let id = Uuid::nil();
        for url in ["https://lab.example/registry", "https://lab.example/registry/", "https://LAB.example:443/registry"]
        {
            let endpoint = Endpoint::parse(url).unwrap();
            assert_eq!(endpoint.name(), "https://lab.example/registry");
            assert_eq!(endpoint.runtime(id), format!("https://lab.example/registry/runtimes/{id}"));
        }
    }
}
