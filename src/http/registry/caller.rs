//! Who is calling: from the peer's address and the token.

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use super::limits::{Source, source};
use super::{Failure, RegistryState};
use crate::http::auth::bearer;
use crate::io::store::User;
use crate::pure::registry::{Caller, Refusal};
use crate::pure::secret::Secret;

/// A caller with a valid token.
pub(super) struct Known(pub(super) User, pub(super) Secret);

impl FromRequestParts<RegistryState> for Known {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &RegistryState) -> Result<Known, Failure> {
        let (user, token) = user(parts, state).await?.ok_or(Refusal::Unauthenticated)?;
        Ok(Known(user, token))
    }
}

/// Anybody.
pub(super) struct Anyone(pub(super) Caller);

impl FromRequestParts<RegistryState> for Anyone {
    type Rejection = Failure;

    /// A token that is nobody's is refused, also where none would be needed.
    async fn from_request_parts(parts: &mut Parts, state: &RegistryState) -> Result<Anyone, Failure> {
        let user = user(parts, state).await?.map(|(user, _)| user.id);
        Ok(Anyone(Caller { user, local: source(parts) == Source::ThisHost, open: state.open }))
    }
}

async fn user(parts: &Parts, state: &RegistryState) -> Result<Option<(User, Secret)>, Failure> {
    if !parts.headers.contains_key(AUTHORIZATION) {
        return Ok(None);
    }
    let token = bearer(&parts.headers).ok_or(Refusal::Unauthenticated)?;
    let user = state.store.user_by_token(token).await?.ok_or(Refusal::Unauthenticated)?;
    if source(parts) != Source::ThisHost {
        state.limits.take_user(user.id)?;
    }
    Ok(Some((user, Secret::new(token))))
}
