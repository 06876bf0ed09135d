//! The registry over HTTP, as Flowhub's own: `/runtimes…` and `/user`. It is part of the bridge, and a server of its own.
//!
//! Host and Origin are checked, and preflights answered, before a request gets here.

mod answer;
mod caller;
pub mod events;
pub mod limits;
mod page;
mod standalone;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::SystemTime;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router, middleware};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Lifecycle;
use crate::io::store::{RegistryError, RegistryStore, StoreError};
use crate::pure::registry::{Entry, Patch, RECORD_LIMIT_BYTES, Refusal, UnixMillis};

use answer::Failure;
use caller::{Anyone, Known};

pub use standalone::standalone;

/// What the routes need.
#[derive(Clone, Debug)]
pub struct RegistryState {
    /// Users and records.
    pub store: RegistryStore,
    /// Whether anybody may register runtimes, from anywhere.
    pub open: bool,
    /// How often somebody may call.
    pub limits: Arc<limits::Limits>,
    /// Where live URLs on the page point.
    pub ide: String,
    /// When to stop.
    pub lifecycle: Lifecycle,
}

impl RegistryState {
    /// With the usual limits; strangers need a token.
    pub fn new(store: RegistryStore, ide: String, lifecycle: Lifecycle) -> RegistryState {
        RegistryState { store, open: false, limits: Arc::default(), ide, lifecycle }
    }

    fn is_online(&self, entry: &Entry) -> bool {
        self.store.presence().is_online(entry.seen, now())
    }

    fn shown(&self, entry: &Entry) -> Value {
        Value::Object(entry.to_json(self.is_online(entry)))
    }
}

/// Which runtimes to list or watch.
#[derive(Clone, Debug, Default, serde::Deserialize)]
struct Which {
    /// Those of that type.
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// The registry's routes, and its page at `/registry`.
pub fn router(state: RegistryState) -> Router {
    let runtime = get(read).put(put).post(ping).delete(delete);
    Router::new()
        .route("/runtimes", get(list))
        .route("/runtimes/", get(list))
        .route("/runtimes/events", get(events::events))
        .route("/runtimes/{id}", runtime)
        .route("/user", get(user))
        .method_not_allowed_fallback(async || Failure::MethodNotAllowed)
        .layer(DefaultBodyLimit::max(RECORD_LIMIT_BYTES))
        .layer(middleware::from_fn_with_state(state.clone(), limits::limit))
        .layer(middleware::map_response(no_store))
        .merge(page::routes())
        .with_state(state)
}

/// Answers may hold secrets.
async fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn list(
    State(state): State<RegistryState>,
    Anyone(caller): Anyone,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Json<Vec<Value>>, Failure> {
    let Query(which) = which.map_err(|_| Failure::NotAQuery)?;
    let entries = state.store.list(caller, which.kind.as_deref()).await?;
    Ok(Json(entries.iter().map(|entry| state.shown(entry)).collect()))
}

async fn read(
    State(state): State<RegistryState>,
    Anyone(caller): Anyone,
    Path(id): Path<String>,
) -> Result<Json<Value>, Failure> {
    let id = caller.user.ok_or(Refusal::Unauthenticated).and_then(|_| known_id(&id))?;
    Ok(Json(state.shown(&state.store.get(id, caller).await?)))
}

/// Answers with the whole record: whoever may write it knows its secret or owns it.
async fn put(
    State(state): State<RegistryState>,
    Anyone(caller): Anyone,
    Path(id): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Failure> {
    let id = Uuid::parse_str(&id).map_err(|_| Failure::NotAUuid)?;
    let body = body.map_err(Failure::from_body)?;
    let body: Value = serde_json::from_slice(&body).map_err(Failure::not_json)?;
    let patch = Patch::parse(id, body).map_err(Refusal::Invalid)?;
    let put = state.store.put(id, patch, caller, now()).await?;
    let status = if put.created { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(state.shown(&put.entry))).into_response())
}

/// Needs no token and no body: whatever comes is not read.
async fn ping(State(state): State<RegistryState>, Path(id): Path<String>) -> Result<Json<Value>, Failure> {
    state.store.ping(known_id(&id)?, now()).await?;
    Ok(Json(json!({})))
}

async fn delete(
    State(state): State<RegistryState>,
    Anyone(caller): Anyone,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    let id = caller.user.ok_or(Refusal::Unauthenticated).and_then(|_| known_id(&id))?;
    state.store.delete(id, caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The shape that NoFlo UI keeps of a user. It takes `github.token` for its token here from then on: without one it lists nothing.
async fn user(Known(user, token): Known) -> Json<Value> {
    Json(json!({
        "id": user.id,
        "name": user.name,
        "avatar": "",
        "plan": {"type": "free"},
        "github": {"username": "", "token": token.expose()},
    }))
}

/// No runtime has an id that is not a UUID.
fn known_id(text: &str) -> Result<Uuid, Refusal> {
    Uuid::parse_str(text).map_err(|_| Refusal::NotFound)
}

fn now() -> UnixMillis {
    SystemTime::now().into()
}

impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Failure {
        match error {
            RegistryError::Refused(refusal) => Failure::Refused(refusal),
            RegistryError::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        match error {
            StoreError::Away(_) => {
                tracing::warn!(%error, "a call is refused");
                Failure::Away
            }
            error => {
                tracing::error!(%error, "registry");
                Failure::Store
            }
        }
    }
}
