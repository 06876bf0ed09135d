//! The registry as a server of its own.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;

use super::{RegistryState, page};
use crate::http::guard::Guard;
use crate::http::guard_layer::guard;
use crate::http::ops::{healthz, time_limit};
use crate::http::{Addresses, Refusal, ide};
use crate::io::static_dir::StaticDir;
use crate::pure::registry::RECORD_LIMIT_BYTES;

/// All routes of `registry serve`: the registry's, behind the same guard as the bridge's, its page at `/`, and the UI in that
/// directory at `/ide/`.
pub fn standalone(state: RegistryState, addresses: &Addresses, ide: Option<StaticDir>) -> Router {
    Router::new()
        .route("/", get(page::html))
        .route("/healthz", get(healthz))
        .with_state(state.clone())
        .merge(super::router(state))
        .merge(ide::router(ide))
        .fallback(async || Refusal::not_found("there is nothing here; the registry is at /runtimes, its page at /"))
        .method_not_allowed_fallback(async || {
            Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "this path does not take that method; try GET")
        })
        .layer(DefaultBodyLimit::max(RECORD_LIMIT_BYTES))
        .layer(from_fn(time_limit))
        .layer(from_fn_with_state(Arc::new(Guard::new(addresses)), guard))
}
