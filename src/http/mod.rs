//! The one HTTP port and the control socket: one router for both.
//!
//! Every request passes [`guard`] first, whatever its path: WebSocket upgrades, preflights and pages that do not exist too.
//! [`peer::Peer`] tells who asks: the control socket, which needs no token, or TCP.
//!
//! | module | holds |
//! |---|---|
//! | [`server`], [`counted`], [`control`] | listening, connection limits, graceful stop; the control socket |
//! | [`guard`], [`guard_layer`], [`auth`] | Host and Origin; security headers; tokens and secrets |
//! | [`mod@router`], [`api`], [`on_board`], [`events`], [`graph`], [`firmware`], [`ops`] | the routes |
//! | [`dashboard`], [`ide`] | the page at `/`, and a UI of the user's at `/ide/` |
//! | [`sockets`], [`raw`], [`ws`] | upgrades, and the loop of an open WebSocket |
//! | [`addresses`], [`live_url`], [`board_json`] | what a board looks like from outside |

pub mod addresses;
pub mod api;
pub mod auth;
pub mod board_json;
pub mod control;
pub mod counted;
pub mod dashboard;
pub mod events;
pub mod firmware;
pub mod graph;
pub mod guard;
pub mod guard_layer;
pub mod ide;
pub mod lifecycle;
pub mod live_url;
pub mod on_board;
pub mod ops;
pub mod peer;
pub mod raw;
pub mod refusal;
pub mod registry;
pub mod router;
pub mod server;
pub mod sockets;
pub mod state;
pub mod ws;

#[cfg(test)]
pub(crate) mod tests;

pub use addresses::Addresses;
pub use auth::AdminToken;
pub use lifecycle::Lifecycle;
pub use peer::Peer;
pub use refusal::Refusal;
pub use router::router;
pub use server::Listeners;
pub use state::{HttpConfig, HttpState};
