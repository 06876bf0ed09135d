//! The raw socket's secret, checked before the upgrade.
//!
//! Programs send `Authorization: Bearer SECRET`. Browsers cannot set that header on a WebSocket, so they offer the
//! subprotocol `secret.SECRET`, which must then be selected: a browser fails the connection otherwise. Never in the query,
//! which ends up in logs.

use axum::http::header::SEC_WEBSOCKET_PROTOCOL;
use axum::http::{HeaderMap, HeaderValue};

use super::auth::{bearer, is_secret};
use super::refusal::Refusal;
use crate::actors::directory::Secrets;

const SUBPROTOCOL_PREFIX: &str = "secret.";

/// Checks the secret. The subprotocol to select, if the secret came in one.
pub fn authorize(headers: &HeaderMap, secrets: &Secrets) -> Result<Option<HeaderValue>, Refusal> {
    let mut offered = offered_subprotocols(headers).filter(|offer| offer.starts_with(SUBPROTOCOL_PREFIX)).peekable();
    let bearer = bearer(headers);
    if bearer.is_none() && offered.peek().is_none() {
        return Err(Refusal::unauthorized(
            "the raw socket needs the board's secret: \
             send `Authorization: Bearer SECRET`, or offer the subprotocol `secret.SECRET`",
        ));
    }
    let right = offered.find(|offer| is_secret(&offer[SUBPROTOCOL_PREFIX.len()..], &secrets.full));
    if right.is_none() && !bearer.is_some_and(|secret| is_secret(secret, &secrets.full)) {
        return Err(Refusal::unauthorized("this is not the board's secret"));
    }
    Ok(right.and_then(|right| HeaderValue::from_str(right).ok()))
}

fn offered_subprotocols(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all(SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}
