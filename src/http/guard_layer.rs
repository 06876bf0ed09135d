//! The outermost layer: guard, CORS and security headers, around every route and around what is no route.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, ORIGIN, REFERRER_POLICY, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::guard::{Guard, Sender};
use super::peer::Peer;
use super::refusal::Refusal;

const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Set on every answer that does not set its own.
const SECURITY_HEADERS: [(HeaderName, &str); 5] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; object-src 'none'",
    ),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (CACHE_CONTROL, "no-store"),
    (CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
];

/// What browsers may remember of a preflight, in seconds.
const PREFLIGHT_MAX_AGE_S: &str = "600";

/// Lets a request through or refuses it, and adds headers to whatever the answer is.
pub(super) async fn guard(State(rules): State<Arc<Guard>>, peer: Peer, request: Request, next: Next) -> Response {
    let sender = match peer {
        Peer::Control => Ok(Sender::NoPage),
        Peer::Tcp { local, .. } => rules.check(local, request.method(), request.uri(), request.headers()),
    };
    let mut response = match sender {
        Err(error) => Refusal::from(error).into_response(),
        Ok(sender) => answer(sender, request, next).await,
    };
    for (name, value) in SECURITY_HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

async fn answer(sender: Sender, request: Request, next: Next) -> Response {
    let page = (sender != Sender::NoPage && has_cors(request.uri().path()))
        .then(|| request.headers().get(ORIGIN).cloned())
        .flatten();
    let Some(origin) = page else {
        return next.run(request).await;
    };
    let mut response =
        if is_preflight(&request) { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    allow(response.headers_mut(), origin);
    response
}

/// Paths whose answers pages of other, allowed origins may read.
fn has_cors(path: &str) -> bool {
    matches!(path, "/healthz" | "/user" | "/runtimes") || path.starts_with("/runtimes/")
}

fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

fn allow(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.append(VARY, HeaderValue::from_static("origin"));
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, PUT, POST, DELETE"));
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("authorization, content-type"));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(PREFLIGHT_MAX_AGE_S));
}
