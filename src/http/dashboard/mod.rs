//! The dashboard: the page at `/`, its files, and the link that opens it with the token.
//!
//! The page is plain HTML, CSS and JavaScript modules in `page/`, which are part of the program; it asks no other server for
//! anything. It reads `GET /api/events` with the token in a header. The token comes in the fragment of the URL, which browsers
//! never send; only the control socket tells that URL.

mod assets;
mod codes;

use std::time::Instant;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HOST, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use self::assets::{Asset, INDEX};
pub use self::codes::Codes;
use super::peer::Peer;
use super::refusal::{JsonBody, Refusal};
use super::state::HttpState;
use crate::io::random;

/// Scripts and styles come from files of ours only, and text never becomes markup: browsers that know trusted types refuse
/// to make any from a string.
const POLICY: &str = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; object-src 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'; connect-src 'self'";

const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
/// What the page needs of what browsers can do: to write an address to the clipboard.
const PERMISSIONS: &str = "camera=(), microphone=(), geolocation=(), serial=(), usb=(), clipboard-write=(self)";

/// `GET /`.
pub(super) fn page(headers: &HeaderMap) -> Response {
    let about = [
        (CONTENT_TYPE, HeaderValue::from_static(INDEX.content_type)),
        (CONTENT_SECURITY_POLICY, policy(headers)),
        (PERMISSIONS_POLICY, HeaderValue::from_static(PERMISSIONS)),
    ];
    (about, INDEX.content).into_response()
}

/// `GET /dashboard/{file}`.
pub(super) async fn file(Path(name): Path<String>, headers: HeaderMap) -> Result<Response, Refusal> {
    let asset = assets::find(&name).ok_or_else(|| Refusal::not_found("the dashboard has no such file"))?;
    Ok(answer(asset, &headers))
}

/// Browsers remember a file, and ask each time whether it is still the one.
fn answer(asset: &Asset, headers: &HeaderMap) -> Response {
    let tag = assets::tag(asset);
    let known = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let about = [(ETAG, tag.as_str()), (CACHE_CONTROL, "no-cache"), (CONTENT_TYPE, asset.content_type)];
    if known.is_some_and(|known| known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag)) {
        return (StatusCode::NOT_MODIFIED, about).into_response();
    }
    (about, asset.content).into_response()
}

/// Some browsers' `'self'` does not cover WebSockets to the same host.
fn policy(headers: &HeaderMap) -> HeaderValue {
    // The guard has let no Host through that is not ours; IPv6 addresses are not written in policies.
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).filter(|host| is_plain(host));
    let policy = host.map_or_else(|| POLICY.to_owned(), |host| format!("{POLICY} ws://{host} wss://{host}"));
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static(POLICY))
}

fn is_plain(host: &str) -> bool {
    host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':'))
}

/// What `GET /api/dashboard` answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DashboardJson {
    /// The link that opens the page with the token.
    pub url: String,
    /// The same with a code, which is good once and for a minute.
    pub once: String,
}

/// `GET /api/dashboard`: over the control socket only, since it shows the token.
pub(super) async fn link(State(state): State<HttpState>, peer: Peer) -> Result<Json<DashboardJson>, Refusal> {
    if !peer.is_trusted() {
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "this is told over the control socket only; type `microflo-bridge dashboard`",
        ));
    }
    let (address, token) = (state.config.addresses.http(), state.config.admin_token.expose());
    let code = random::secret().map_err(|error| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    let once = format!("{address}#code={}", code.expose());
    state.codes.add(code, Instant::now());
    Ok(Json(DashboardJson { url: format!("{address}#token={token}"), once }))
}

/// What `POST /api/dashboard/token` takes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CodeBody {
    code: String,
}

/// What `POST /api/dashboard/token` answers.
#[derive(Debug, Serialize)]
pub(super) struct TokenJson {
    token: String,
}

/// `POST /api/dashboard/token`: changes a code for the token.
pub(super) async fn token(
    State(state): State<HttpState>,
    JsonBody(body): JsonBody<CodeBody>,
) -> Result<Json<TokenJson>, Refusal> {
    if !state.codes.take(&body.code, Instant::now()) {
        return Err(Refusal::unauthorized(
            "this link was used already or is too old; type `microflo-bridge dashboard`",
        ));
    }
    Ok(Json(TokenJson { token: state.config.admin_token.expose().to_owned() }))
}
