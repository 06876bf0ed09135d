//! `/api`: what the command line uses, and what pages may read.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::auth::Access;
use super::board_json::BoardJson;
use super::peer::Peer;
use super::refusal::{JsonBody, Refusal};
use super::state::HttpState;
use crate::actors::directory::DirectoryError;
use crate::io::store::StoreError;
use crate::pure::identity::label::LABEL_CHARS;
use crate::pure::view::{BoardState, BoardView};

/// Which boards to list.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Which {
    /// Gone boards too.
    #[serde(default)]
    pub all: bool,
}

/// `GET /api/boards[?all=true]`.
pub(super) async fn boards(
    State(state): State<HttpState>,
    Query(which): Query<Which>,
    access: Access,
) -> Json<Vec<BoardJson>> {
    let boards = state.config.directory.boards();
    let mut shown = Vec::with_capacity(boards.len());
    for view in boards.iter().filter(|view| which.all || view.state != BoardState::Gone) {
        shown.push(show(&state, view, access).await);
    }
    Json(shown)
}

/// `GET /api/boards/{id}`.
pub(super) async fn board(
    State(state): State<HttpState>,
    Path(id): Path<String>,
    access: Access,
) -> Result<Json<BoardJson>, Refusal> {
    let id = parse_id(&id)?;
    let boards = state.config.directory.boards();
    let view = boards.iter().find(|view| view.id == id).ok_or(DirectoryError::NotFound(id))?;
    Ok(Json(show(&state, view, access).await))
}

pub(super) async fn show(state: &HttpState, view: &BoardView, access: Access) -> BoardJson {
    let secrets = match access {
        Access::Read => None,
        // Without its secrets a board is still worth showing.
        Access::Full => state.config.directory.secrets(view.id).await.ok(),
    };
    BoardJson::new(view, &state.config.addresses, secrets.as_ref())
}

/// What `POST /api/boards/{id}/label` takes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelBody {
    /// 1 to 64 characters, no control characters.
    pub label: String,
}

/// `POST /api/boards/{id}/label`.
pub(super) async fn label(
    State(state): State<HttpState>,
    Path(id): Path<String>,
    access: Access,
    JsonBody(body): JsonBody<LabelBody>,
) -> Result<StatusCode, Refusal> {
    access.require_full()?;
    let label = checked_label(&body.label)?;
    state.config.directory.set_label(parse_id(&id)?, label).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn checked_label(label: &str) -> Result<String, Refusal> {
    let label = label.trim();
    let right = (1..=LABEL_CHARS).contains(&label.chars().count()) && !label.chars().any(char::is_control);
    let message = || format!("a label has 1 to {LABEL_CHARS} characters, none of them control characters");
    right.then(|| label.to_owned()).ok_or_else(|| Refusal::new(StatusCode::BAD_REQUEST, message()))
}

/// What `POST /api/boards/{id}/allow` and `…/ignore` take.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdmitBody {
    /// For every device with this VID:PID on this host, not only this one.
    #[serde(default)]
    pub chip: bool,
}

/// `POST /api/boards/{id}/allow`.
pub(super) async fn allow(
    State(state): State<HttpState>,
    Path(id): Path<String>,
    access: Access,
    JsonBody(body): JsonBody<AdmitBody>,
) -> Result<StatusCode, Refusal> {
    admit(&state, &id, access, true, body).await
}

/// `POST /api/boards/{id}/ignore`.
pub(super) async fn ignore(
    State(state): State<HttpState>,
    Path(id): Path<String>,
    access: Access,
    JsonBody(body): JsonBody<AdmitBody>,
) -> Result<StatusCode, Refusal> {
    admit(&state, &id, access, false, body).await
}

async fn admit(
    state: &HttpState,
    id: &str,
    access: Access,
    allow: bool,
    body: AdmitBody,
) -> Result<StatusCode, Refusal> {
    access.require_full()?;
    state.config.directory.admit(parse_id(id)?, allow, body.chip).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The local user at the embedded registry, as `GET /api/registry/user` shows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LocalUserJson {
    /// The user's id.
    pub id: Uuid,
    /// The user's name.
    pub name: String,
    /// The user's token.
    pub token: String,
    /// The registry's URL.
    pub url: String,
}

/// `GET /api/registry/user`: over the control socket only, since it shows a token.
pub(super) async fn local_user(State(state): State<HttpState>, peer: Peer) -> Result<Json<LocalUserJson>, Refusal> {
    if !peer.is_trusted() {
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "this is told over the control socket only; type `microflo-bridge registry user show`",
        ));
    }
    let registry = state.config.registry.as_ref();
    let registry = registry.ok_or_else(|| Refusal::not_found("this bridge has no embedded registry"))?;
    // The token may have been replaced while the bridge runs.
    let failed = |error: StoreError| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string());
    let user = registry.local_user().await.map_err(failed)?;
    let url = state.config.addresses.http().to_owned();
    Ok(Json(LocalUserJson { id: user.id, name: user.name, token: user.token.expose().to_owned(), url }))
}

pub(super) fn parse_id(text: &str) -> Result<Uuid, Refusal> {
    let unknown = |_| Refusal::not_found(format!("`{text}` is no board id; `microflo-bridge list` shows the boards"));
    Uuid::try_parse(text).map_err(unknown)
}
