//! Who is calling: from the peer's address and the token.

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use super::{Failure, RegistryState};
use crate::http::Peer;
use crate::http::auth::bearer;
use crate::io::store::User;
use crate::pure::registry::{Caller, Refusal};

/// A caller with a valid token.
pub(super) struct Known(pub(super) User);

impl FromRequestParts<RegistryState> for Known {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &RegistryState) -> Result<Known, Failure> {
        Ok(Known(user(parts, state).await?.ok_or(Refusal::Unauthenticated)?))
    }
}

/// Anybody.
pub(super) struct Anyone(pub(super) Caller);

impl FromRequestParts<RegistryState> for Anyone {
    type Rejection = Failure;

    /// A token that is nobody's is refused, also where none would be needed.
    async fn from_request_parts(parts: &mut Parts, state: &RegistryState) -> Result<Anyone, Failure> {
        let user = user(parts, state).await?.map(|user| user.id);
        Ok(Anyone(Caller { user, local: is_local(parts) }))
    }
}

async fn user(parts: &Parts, state: &RegistryState) -> Result<Option<User>, Failure> {
    if !parts.headers.contains_key(AUTHORIZATION) {
        return Ok(None);
    }
    let token = bearer(&parts.headers).ok_or(Refusal::Unauthenticated)?;
    let user = state.store.user_by_token(token).await.map_err(crate::io::store::RegistryError::from)?;
    Ok(Some(user.ok_or(Refusal::Unauthenticated)?))
}

fn is_local(parts: &Parts) -> bool {
    parts.extensions.get::<Peer>().is_some_and(|peer| peer.is_on_this_host())
}
