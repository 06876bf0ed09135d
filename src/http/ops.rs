//! Whether the bridge is well, and how long a request may take.

use std::time::Duration;

use axum::Json;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::refusal::Refusal;

/// How long a request may take until its answer begins. WebSockets and streams live on.
const REQUEST_LIMIT: Duration = Duration::from_secs(10);

/// `GET /healthz`: this process serves requests.
pub(super) async fn healthz() -> Json<Value> {
    Json(json!({ "status": "ok", "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") }))
}

/// Ends a request that takes too long, such as one whose body never comes.
pub(super) async fn time_limit(request: Request, next: Next) -> Response {
    match tokio::time::timeout(REQUEST_LIMIT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Refusal::new(
            StatusCode::REQUEST_TIMEOUT,
            format!("the request took longer than {} s", REQUEST_LIMIT.as_secs()),
        )
        .into_response(),
    }
}
