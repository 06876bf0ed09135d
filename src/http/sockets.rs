//! The WebSocket routes: which board, which protocol, and what is checked before the upgrade.

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Path, State};
use axum::http::header::UPGRADE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use super::dashboard;
use super::raw;
use super::refusal::Refusal;
use super::state::HttpState;
use super::ws;
use crate::actors::directory::ClientKind;
use crate::pure::view::{BoardState, BoardView};

/// The subprotocol of the FBP network protocol. Clients that offer it must get it; none need offer it.
const FBP_SUBPROTOCOL: &str = "noflo";

type Upgrade = Result<WebSocketUpgrade, WebSocketUpgradeRejection>;

/// `/`: the page for people; as a WebSocket, the only board's FBP socket.
pub(super) async fn root(State(state): State<HttpState>, headers: HeaderMap, upgrade: Upgrade) -> Response {
    if !headers.contains_key(UPGRADE) {
        return dashboard::page(&headers);
    }
    let boards = state.config.directory.boards();
    match only_board(&boards) {
        Ok(id) => fbp_socket(state, id, upgrade).await.into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

/// `/{id}`: FBP.
pub(super) async fn fbp(
    State(state): State<HttpState>,
    Path(id): Path<String>,
    upgrade: Upgrade,
) -> Result<Response, Refusal> {
    fbp_socket(state, board_id(&id)?, upgrade).await
}

async fn fbp_socket(state: HttpState, id: Uuid, upgrade: Upgrade) -> Result<Response, Refusal> {
    known(&state, id)?;
    let upgrade = websocket(upgrade)?.protocols([FBP_SUBPROTOCOL]);
    open(state, id, ClientKind::Fbp, upgrade).await
}

/// `/{id}/raw`: the board's binary protocol. The secret comes with the request.
pub(super) async fn raw(
    State(state): State<HttpState>,
    Path(id): Path<String>,
    headers: HeaderMap,
    upgrade: Upgrade,
) -> Result<Response, Refusal> {
    let id = board_id(&id)?;
    known(&state, id)?;
    let mut upgrade = websocket(upgrade)?;
    let secrets = state.config.directory.secrets(id).await?;
    if let Some(subprotocol) = raw::authorize(&headers, &secrets)? {
        upgrade.set_selected_protocol(subprotocol);
    }
    open(state, id, ClientKind::Raw, upgrade).await
}

async fn open(state: HttpState, id: Uuid, kind: ClientKind, upgrade: WebSocketUpgrade) -> Result<Response, Refusal> {
    let link = state.config.directory.connect(id, kind).await?;
    Ok(ws::configure(upgrade, kind).on_upgrade(move |socket| async move {
        let lifecycle = state.config.lifecycle.clone();
        lifecycle.track(ws::serve(socket, link, kind, state.socket_limits, lifecycle.stopping())).await;
    }))
}

fn board_id(text: &str) -> Result<Uuid, Refusal> {
    const HYPHENATED_CHARS: usize = 36;
    let id = (text.len() == HYPHENATED_CHARS).then(|| Uuid::try_parse(text).ok()).flatten();
    id.ok_or_else(|| Refusal::not_found("there is nothing here; GET /api/boards lists the boards and their addresses"))
}

/// Unknown boards are told before anything else is checked.
fn known(state: &HttpState, id: Uuid) -> Result<(), Refusal> {
    let boards = state.config.directory.boards();
    match boards.iter().any(|board| board.id == id) {
        true => Ok(()),
        false => Err(crate::actors::directory::DirectoryError::NotFound(id).into()),
    }
}

fn websocket(upgrade: Upgrade) -> Result<WebSocketUpgrade, Refusal> {
    upgrade.map_err(|rejection| {
        Refusal::new(
            StatusCode::UPGRADE_REQUIRED,
            format!("this address speaks WebSocket; open it in Flowhub, or see `microflo-bridge list` ({rejection})"),
        )
    })
}

/// The board that `/` stands for.
fn only_board(boards: &[BoardView]) -> Result<Uuid, Refusal> {
    let hidden = [BoardState::Gone, BoardState::Ignored, BoardState::NotAllowed];
    let served: Vec<_> = boards.iter().filter(|board| !hidden.contains(&board.state)).collect();
    match served.as_slice() {
        [] => Err(Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "no board is connected; plug one in, and see `microflo-bridge list --all` for what is known",
        )),
        [board] => Ok(board.id),
        several => {
            let paths: Vec<_> = several.iter().map(|board| format!("/{} ({})", board.id, board.label)).collect();
            let message = format!("there is more than one board; connect to one of {}", paths.join(", "));
            Err(Refusal::new(StatusCode::CONFLICT, message))
        }
    }
}
