//! `POST /api/boards/{id}/on-board`: what a board stores itself.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::api::{checked_label, parse_id};
use super::auth::Access;
use super::refusal::{JsonBody, Refusal};
use super::state::HttpState;
use crate::io::random;
use crate::pure::board::OwnChange;

/// The word for an id that nobody has yet.
pub const NEW: &str = "new";

/// What it takes: what is left out stays as it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnBoardBody {
    /// A UUID of version 4, or `new`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// At most 32 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// What it answers.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct OnBoardJson {
    /// The id that the board is known by now.
    pub id: Uuid,
    /// Whether anything had to be written.
    pub changed: bool,
}

/// The route.
pub(super) async fn store(
    State(state): State<HttpState>,
    Path(id): Path<String>,
    access: Access,
    JsonBody(body): JsonBody<OnBoardBody>,
) -> Result<Json<OnBoardJson>, Refusal> {
    access.require_full()?;
    let (id, directory) = (parse_id(&id)?, &state.config.directory);
    let label = body.label.as_deref().map(checked_label).transpose()?;
    let forgets_label = label.is_some();
    let change = OwnChange { id: body.id.as_deref().map(wanted).transpose()?, label };
    let new = change.id;
    let changed = directory.store(id, change).await?;
    let is_there = |id: &Uuid| directory.boards().iter().any(|board| board.id == *id);
    // Where the configuration says otherwise, it is not known by the id that it stores.
    let id = new.filter(is_there).unwrap_or(id);
    if forgets_label {
        // Else the label that was given here would hide it.
        directory.forget_label(id).await?;
    }
    Ok(Json(OnBoardJson { id, changed }))
}

fn wanted(id: &str) -> Result<Uuid, Refusal> {
    if id == NEW {
        let failed = |error: random::RandomError| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string());
        return random::uuid().map_err(failed);
    }
    let text = format!("`{id}` is no UUID; type `{NEW}` for a new one");
    Uuid::try_parse(id).map_err(|_| Refusal::new(StatusCode::BAD_REQUEST, text))
}
