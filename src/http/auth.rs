//! Tokens and secrets: read from headers, compared in constant time, never shown.

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::peer::Peer;
use super::refusal::Refusal;
use super::state::HttpState;

/// The token that allows changes over TCP. Only its digest is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct AdminToken(Sha256Digest);

type Sha256Digest = [u8; 32];

impl AdminToken {
    /// From the token; 256 random bits are expected.
    pub fn new(token: &str) -> Self {
        AdminToken(digest(token))
    }

    fn is(&self, offered: &str) -> bool {
        digest(offered).ct_eq(&self.0).into()
    }
}

impl std::fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AdminToken(…)")
    }
}

fn digest(text: &str) -> Sha256Digest {
    Sha256::digest(text.as_bytes()).into()
}

/// Whether an offered secret is the right one. An empty secret is none. Takes the same time wherever they differ.
pub fn is_secret(offered: &str, secret: &str) -> bool {
    !offered.is_empty() && bool::from(digest(offered).ct_eq(&digest(secret)))
}

/// The token of `Authorization: Bearer TOKEN`.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// What a request to the API may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// See boards, without secrets.
    Read,
    /// See secrets and make changes.
    Full,
}

impl Access {
    /// Refuses unless changes are allowed.
    pub fn require_full(self) -> Result<(), Refusal> {
        match self {
            Access::Full => Ok(()),
            Access::Read => Err(Refusal::unauthorized(
                "changes need the admin token (Authorization: Bearer …); \
                 the microflo-bridge command on the same computer needs none",
            )),
        }
    }
}

impl FromRequestParts<HttpState> for Access {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &HttpState) -> Result<Self, Refusal> {
        if Peer::from_request_parts(parts, state).await?.is_trusted() {
            return Ok(Access::Full);
        }
        if !parts.headers.contains_key(AUTHORIZATION) {
            return Ok(Access::Read);
        }
        match bearer(&parts.headers) {
            Some(token) if state.config.admin_token.is(token) => Ok(Access::Full),
            _ => Err(Refusal::unauthorized("the admin token in the Authorization header is wrong")),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_bearer_token_is_read_whatever_the_case_of_the_scheme() {
        let headers = |value: &'static str| HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static(value))]);
        assert_eq!(bearer(&headers("Bearer abc")), Some("abc"));
        assert_eq!(bearer(&headers("bearer abc")), Some("abc"));
        assert_eq!(bearer(&headers("Basic abc")), None);
        assert_eq!(bearer(&headers("Bearer")), None);
        assert_eq!(bearer(&HeaderMap::new()), None);
    }

    #[test]
    fn an_empty_secret_never_fits() {
        assert!(is_secret("s", "s"));
        assert!(!is_secret("s", "t"));
        assert!(!is_secret("", ""));
    }

    #[test]
    fn a_token_is_not_shown_in_debug_output() {
        assert_eq!(format!("{:?}", AdminToken::new("hunter2")), "AdminToken(…)");
    }
}
