//! The registry's page: all runtimes of the user whose token is given, live. Its parts are in the program.

use axum::extract::State;
use axum::http::header;
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::RegistryState;

const JAVASCRIPT: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "text/javascript; charset=utf-8")];
const STYLES: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "text/css; charset=utf-8")];
const ICON: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "image/svg+xml")];

/// As of every answer, and text never becomes markup: browsers that know trusted types refuse to make any from a string.
const POLICY: &str = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; object-src 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";

/// The page at `/registry`, and its parts below.
pub(super) fn routes() -> Router<RegistryState> {
    Router::new()
        .route("/registry", get(html))
        .route("/registry/page.js", get(async || (JAVASCRIPT, include_str!("page/page.js"))))
        .route("/registry/page.css", get(async || (STYLES, include_str!("page/page.css"))))
        .route("/registry/icon.svg", get(async || (ICON, include_str!("../dashboard/page/icon.svg"))))
        .route("/registry/settings.json", get(settings))
}

pub(super) async fn html() -> impl IntoResponse {
    ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(include_str!("page/page.html")))
}

/// What the page must know of this server.
async fn settings(State(state): State<RegistryState>) -> Json<Value> {
    Json(json!({ "ide": state.ide }))
}
