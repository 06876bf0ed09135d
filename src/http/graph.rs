//! `/api/boards/{id}/graph`: the graph of a board, and another one in its place.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::mpsc;

use super::api::parse_id;
use super::auth::Access;
use super::refusal::{JsonBody, Refusal};
use super::state::HttpState;
use crate::actors::board::{UPLOAD_STEPS, Upload};
use crate::pure::fbp::UploadStep;

/// `GET /api/boards/{id}/graph`: FBP's JSON format.
pub(super) async fn show(
    State(state): State<HttpState>,
    Path(id): Path<String>,
    access: Access,
) -> Result<Json<Value>, Refusal> {
    access.require_full()?;
    Ok(Json(state.config.directory.graph(parse_id(&id)?).await?))
}

/// What `POST /api/boards/{id}/graph` takes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GraphBody {
    /// In FBP's JSON format.
    pub graph: Value,
    /// Whether to start it; true if not given.
    #[serde(default = "yes")]
    pub start: bool,
}

fn yes() -> bool {
    true
}

/// One line of the answer: how far it is, or how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UploadLine {
    /// So many of the graph's nodes, edges and packets are on the board, of so many.
    Progress {
        /// So many.
        done: usize,
        /// Of so many.
        total: usize,
    },
    /// The graph is on the board.
    Done,
    /// It is not, for this reason.
    Failed(String),
}

impl From<UploadStep> for UploadLine {
    fn from(step: UploadStep) -> Self {
        match step {
            UploadStep::Progress { done, total } => UploadLine::Progress { done, total },
            UploadStep::Ended(Ok(())) => UploadLine::Done,
            UploadStep::Ended(Err(why)) => UploadLine::Failed(why),
        }
    }
}

/// `POST /api/boards/{id}/graph`: answers with a line of JSON for each step, while it goes on; the last is `done` or `failed`.
pub(super) async fn upload(
    State(state): State<HttpState>,
    Path(id): Path<String>,
    access: Access,
    JsonBody(body): JsonBody<GraphBody>,
) -> Result<Response, Refusal> {
    access.require_full()?;
    let (steps, receiver) = mpsc::channel(UPLOAD_STEPS);
    let upload = Upload { graph: body.graph, start: body.start, steps };
    state.config.directory.upload(parse_id(&id)?, upload).await?;
    let lines = stream::unfold((receiver, false), |(mut receiver, ended)| async move {
        if ended {
            return None;
        }
        let step = receiver.recv().await.map(UploadLine::from);
        let line = step.unwrap_or_else(|| UploadLine::Failed("the board has gone meanwhile".to_owned()));
        let ended = !matches!(line, UploadLine::Progress { .. });
        let text = serde_json::to_string(&line).map(|text| text + "\n");
        Some((text, (receiver, ended)))
    });
    Ok(([(CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response())
}
