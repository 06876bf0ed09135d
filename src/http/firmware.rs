//! `/api/firmware`: component maps and embedded graphs of firmware builds.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::auth::Access;
use super::refusal::{JsonBody, Refusal};
use super::state::HttpState;
use crate::actors::directory::FirmwareView;
use crate::io::store::FirmwareRecord;
use crate::pure::firmwares::Subject;

/// A build as `/api/firmware` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirmwareJson {
    /// Its name.
    pub name: String,
    /// How many components it has.
    pub components: usize,
    /// Whether its embedded graph is known.
    pub graph: bool,
    /// Which boards have it: `board:ID`, `chip:VID:PID`, `default`.
    pub boards: Vec<String>,
}

impl From<FirmwareView> for FirmwareJson {
    fn from(view: FirmwareView) -> Self {
        let boards = view.subjects.iter().map(Subject::to_string).collect();
        FirmwareJson { name: view.name, components: view.components, graph: view.graph, boards }
    }
}

/// What `POST /api/firmware` takes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FirmwareBody {
    /// Its name; a build of the same name is replaced.
    pub name: String,
    /// Its component map, as `microflo generate` wrote it.
    pub components: String,
    /// Its embedded graph, likewise.
    #[serde(default)]
    pub graph: Option<String>,
    /// Which boards have it: `board:ID`, `chip:VID:PID`, `default`.
    #[serde(default)]
    pub boards: Vec<String>,
}

/// `GET /api/firmware`.
pub(super) async fn list(State(state): State<HttpState>) -> Result<Json<Vec<FirmwareJson>>, Refusal> {
    let firmwares = state.config.directory.firmwares().await?;
    Ok(Json(firmwares.into_iter().map(FirmwareJson::from).collect()))
}

/// `POST /api/firmware`.
pub(super) async fn add(
    State(state): State<HttpState>,
    access: Access,
    JsonBody(body): JsonBody<FirmwareBody>,
) -> Result<Json<FirmwareJson>, Refusal> {
    access.require_full()?;
    let subject = |text: &String| text.parse::<Subject>();
    let subjects = body.boards.iter().map(subject).collect::<Result<Vec<_>, _>>();
    let subjects = subjects.map_err(|error| Refusal::new(StatusCode::BAD_REQUEST, error.to_string()))?;
    let firmware = FirmwareRecord { name: body.name, components: body.components, graph: body.graph };
    Ok(Json(state.config.directory.add_firmware(firmware, subjects).await?.into()))
}

/// `DELETE /api/firmware/{name}`.
pub(super) async fn remove(
    State(state): State<HttpState>,
    Path(name): Path<String>,
    access: Access,
) -> Result<StatusCode, Refusal> {
    access.require_full()?;
    state.config.directory.remove_firmware(name).await?;
    Ok(StatusCode::NO_CONTENT)
}
