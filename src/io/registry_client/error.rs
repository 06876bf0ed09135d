//! What a registry can do to us, and what to do then.

use std::error::Error;

use reqwest::{Response, StatusCode, Url, header};
use serde_json::Value;

use crate::pure::secret::Secret;

/// The most characters of a registry's own words that are shown.
const SAID_LIMIT_CHARS: usize = 200;

/// Why a registry cannot be used as it is configured.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not a URL, or of a kind that is no registry's.
    #[error("{0:?} is not a registry's URL; write it as https://HOST[:PORT][/PATH]")]
    NotAUrl(String),
    /// Would send secrets in clear.
    #[error("{0:?} would send the boards' secrets unencrypted; use https:// (http:// is for localhost only)")]
    PlainHttp(String),
    /// User or password in it.
    #[error("a registry's URL must hold no user or password; configure a token instead")]
    Credentials,
    /// Question mark or hash in it.
    #[error("{0:?} has a query or fragment; give the registry's base URL only")]
    Query(String),
    /// Not to be sent in a header.
    #[error("the token holds spaces or other characters that a token never has; copy it again")]
    Token,
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// TLS could not be set up, so far.
    #[error(
        "cannot prepare an encrypted connection to {url}: {reason}; install CA certificates (apt install ca-certificates)"
    )]
    Tls {
        /// The registry.
        url: String,
        /// Why.
        reason: String,
    },
    /// No connection, or it broke.
    #[error("{url} cannot be reached: {reason}; check the network and the URL")]
    Unreachable {
        /// The registry.
        url: String,
        /// Why.
        reason: String,
    },
    /// Its certificate is not to be believed.
    #[error(
        "{url} shows a certificate that this system does not believe: {reason}; check the URL and the clock, or install its \
             authority's certificate (update-ca-certificates)"
    )]
    Untrusted {
        /// The registry.
        url: String,
        /// Why.
        reason: String,
    },
    /// No answer in time.
    #[error("{url} does not answer in time; is it overloaded, or behind a firewall?")]
    Timeout {
        /// The registry.
        url: String,
    },
    /// 401.
    #[error("{url} {}{said}", if *token { "does not know the configured token; get a new one" } else {
        "wants a token; configure one for it" })]
    Unauthorized {
        /// The registry.
        url: String,
        /// Whether a token was sent.
        token: bool,
        /// Its words, `" (it says: …)"` or empty.
        said: String,
    },
    /// 403.
    #[error("{url} holds a record of this id that is not ours: another secret, or another owner{said}")]
    Forbidden {
        /// The registry.
        url: String,
        /// Its words, `" (it says: …)"` or empty.
        said: String,
    },
    /// 404.
    #[error("{url} has no such runtime; if this stays, check the path in the URL")]
    NotFound {
        /// The registry.
        url: String,
    },
    /// 3xx. Not followed.
    #[error("{url} redirects{}; configure the registry's real URL", to.as_deref().map(|to| format!(" to {to}")).unwrap_or_default())]
    Redirected {
        /// The registry.
        url: String,
        /// Scheme and host of where it points, if it says.
        to: Option<String>,
    },
    /// Another 4xx: the same request will not do better.
    #[error("{url} refuses the request with {status}{said}; is it a Flowhub registry?")]
    Refused {
        /// The registry.
        url: String,
        /// The status.
        status: StatusCode,
        /// Its words, `" (it says: …)"` or empty.
        said: String,
    },
    /// 5xx, or too busy.
    #[error("{url} is in trouble: {status}{said}")]
    Troubled {
        /// The registry.
        url: String,
        /// The status.
        status: StatusCode,
        /// Its words, `" (it says: …)"` or empty.
        said: String,
    },
}

impl CallError {
    pub(super) fn from_send(url: &str, error: reqwest::Error) -> CallError {
        let url = url.to_owned();
        if error.is_timeout() {
            return CallError::Timeout { url };
        }
        let reason = innermost(&error);
        if is_untrusted(&error) {
            return CallError::Untrusted { url, reason };
        }
        CallError::Unreachable { url, reason }
    }
}

/// The cause at the end of the chain: the others repeat it in more words.
pub(super) fn innermost(error: &dyn Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    printable(&error.to_string())
}

/// Whether a TLS handshake failed by the other side's certificate. Errors of connections are wrapped in [`std::io::Error`]s,
/// whose `source` leaves out what they hold.
fn is_untrusted(error: &(dyn Error + 'static)) -> bool {
    let held = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    matches!(error.downcast_ref(), Some(rustls::Error::InvalidCertificate(_)))
        || held.is_some_and(|held| is_untrusted(held))
        || error.source().is_some_and(is_untrusted)
}

/// What the registry says for itself, ready to follow a sentence; without what must be hidden.
pub(super) fn said<'a>(body: &[u8], hide: impl Iterator<Item = &'a Secret>) -> String {
    let Ok(Value::Object(body)) = serde_json::from_slice(body) else { return String::new() };
    let Some(Value::String(message)) = body.get("message") else { return String::new() };
    let hidden = hide.filter(|secret| !secret.expose().is_empty());
    let message = hidden.fold(message.clone(), |text, secret| text.replace(secret.expose(), "…"));
    format!(" (it says: {})", printable(&message))
}

/// Scheme, host and port only: a path or query could hold anything.
pub(super) fn redirected_to(response: &Response) -> Option<String> {
    let location = response.headers().get(header::LOCATION)?.to_str().ok()?;
    let to = response.url().join(location).ok().filter(Url::has_host)?;
    Some(printable(&to.origin().ascii_serialization()))
}

/// One line of bounded length: no terminal or log is to be steered from outside.
fn printable(text: &str) -> String {
    let line = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    line.take(SAID_LIMIT_CHARS).collect::<String>().trim().to_owned()
}
