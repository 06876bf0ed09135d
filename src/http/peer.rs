//! Who sent a request.

use std::net::SocketAddr;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;

use super::refusal::Refusal;

/// The other end of the connection on which a request came. The server puts it into every request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// The control socket: whoever may open that file is trusted.
    Control,
    /// A TCP connection.
    Tcp {
        /// Our end: one of the addresses that are listened on.
        local: SocketAddr,
        /// Their end.
        remote: SocketAddr,
    },
}

impl Peer {
    /// Whether it needs no token.
    pub fn is_trusted(self) -> bool {
        self == Peer::Control
    }

    /// Whether it is on this host. A proxy on this host counts as such too, whomever it speaks for.
    pub fn is_on_this_host(self) -> bool {
        match self {
            Peer::Control => true,
            Peer::Tcp { remote, .. } => remote.ip().to_canonical().is_loopback(),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Peer {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let missing = || Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "it is unknown where this request came from");
        parts.extensions.get::<Peer>().copied().ok_or_else(missing)
    }
}
