//! Tokens and secrets: read from headers, compared in constant time, never shown.

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use super::peer::Peer;
use super::refusal::Refusal;
use super::state::HttpState;
use crate::pure::secret::Secret;

/// The token that allows changes over TCP.
pub type AdminToken = Secret;

/// Whether an offered secret is the right one. An empty secret is none.
pub fn is_secret(offered: &str, secret: &Secret) -> bool {
    !offered.is_empty() && secret.matches(offered)
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
            Some(token) if state.config.admin_token.matches(token) => Ok(Access::Full),
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
        assert!(is_secret("s", &Secret::new("s")));
        assert!(!is_secret("s", &Secret::new("t")));
        assert!(!is_secret("", &Secret::new("")));
    }
}
