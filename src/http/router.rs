//! The routes.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{delete, get, post};

use super::guard_layer::guard;
use super::ops::{healthz, time_limit};
use super::refusal::Refusal;
use super::state::HttpState;
use super::{api, dashboard, events, firmware, graph, ide, on_board, sockets};

/// The longest request body, in bytes.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// The longest request body with a graph or a component map, in bytes.
const MAX_LONG_BODY_BYTES: usize = 16 * 1024 * 1024;

/// All routes. `extra` brings the registry's, and must have no fallback; it comes behind the same guard and limits.
pub fn router(state: HttpState, extra: Router) -> Router {
    Router::new()
        .route("/", get(sockets::root))
        .route("/{id}", get(sockets::fbp))
        .route("/{id}/raw", get(sockets::raw))
        .route("/dashboard/{file}", get(dashboard::file))
        .route("/healthz", get(healthz))
        .route("/api/events", get(events::events))
        .route("/api/dashboard", get(dashboard::link))
        .route("/api/dashboard/token", post(dashboard::token))
        .route("/api/boards", get(api::boards))
        .route("/api/boards/{id}", get(api::board))
        .route("/api/boards/{id}/label", post(api::label))
        .route("/api/boards/{id}/on-board", post(on_board::store))
        .route("/api/boards/{id}/allow", post(api::allow))
        .route("/api/boards/{id}/ignore", post(api::ignore))
        .route("/api/boards/{id}/graph", get(graph::show).post(graph::upload).layer(long_bodies()))
        .route("/api/firmware", get(firmware::list).post(firmware::add).layer(long_bodies()))
        .route("/api/firmware/{name}", delete(firmware::remove))
        .route("/api/registry/user", get(api::local_user))
        .with_state(state.clone())
        .merge(ide::router(state.config.ide.clone()))
        .merge(extra)
        .fallback(nothing_here)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(from_fn(time_limit))
        .layer(from_fn_with_state(state.guard.clone(), guard))
}

/// For graphs and component maps.
fn long_bodies() -> DefaultBodyLimit {
    DefaultBodyLimit::max(MAX_LONG_BODY_BYTES)
}

async fn nothing_here() -> Refusal {
    Refusal::not_found("there is nothing here")
}

async fn wrong_method() -> Refusal {
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "this path does not take that method")
}
