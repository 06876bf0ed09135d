//! A registry to talk to: the embedded one by a call, others over HTTP. Both answer in the same words.

use std::time::SystemTime;

use uuid::Uuid;

use super::{EMBEDDED, RemoteRegistry};
use crate::io::registry_client::CallError;
use crate::io::store::{RegistryError, RegistryStore};
use crate::pure::registration::{Answer, Wanted};
use crate::pure::registry::{Caller, Patch, Record, Refusal, UnixMillis};
use crate::pure::secret::Secret;

/// The protocol that boards are registered with.
const PROTOCOL: &str = "websocket";
/// The runtime type that boards are registered with.
const TYPE: &str = "microflo";

/// What a registry's task is to know of its registry.
#[derive(Clone, Debug)]
pub(super) struct Aim {
    pub(super) target: Target,
    /// Whether it is for all boards, and not only for those that name it.
    pub(super) default: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Target {
    Embedded { registry: RegistryStore, user: Uuid },
    Remote(RemoteRegistry),
}

impl Target {
    pub(super) fn name(&self) -> &str {
        match self {
            Target::Embedded { .. } => EMBEDDED,
            Target::Remote(remote) => remote.client.url(),
        }
    }

    /// In whose list boards appear unless somebody says otherwise. The embedded registry has the local user's only.
    pub(super) fn user(&self) -> Uuid {
        match self {
            Target::Embedded { user, .. } => *user,
            Target::Remote(remote) => remote.user,
        }
    }

    pub(super) fn can_delete(&self) -> bool {
        match self {
            Target::Embedded { .. } => true,
            Target::Remote(remote) => remote.client.has_token(),
        }
    }

    pub(super) async fn put(&self, id: Uuid, wanted: Wanted, secret: String) -> Answer {
        match self {
            Target::Embedded { registry, user } => {
                let record = record(id, *user, wanted, secret);
                local(registry.put(id, Patch::from(record), caller(*user), now()).await.map(drop))
            }
            Target::Remote(remote) => {
                let user = wanted.user.unwrap_or(remote.user);
                far(remote.client.put(&record(id, user, wanted, secret)).await)
            }
        }
    }

    pub(super) async fn ping(&self, id: Uuid) -> Answer {
        match self {
            Target::Embedded { registry, .. } => local(registry.ping(id, now()).await),
            Target::Remote(remote) => far(remote.client.ping(id).await),
        }
    }

    pub(super) async fn delete(&self, id: Uuid) -> Answer {
        match self {
            Target::Embedded { registry, user } => local(registry.delete(id, caller(*user)).await),
            Target::Remote(remote) => far(remote.client.delete(id).await),
        }
    }
}

fn record(id: Uuid, user: Uuid, wanted: Wanted, secret: String) -> Record {
    Record {
        id,
        user,
        address: wanted.address,
        protocol: PROTOCOL.to_owned(),
        kind: TYPE.to_owned(),
        label: Some(wanted.label),
        description: Some(wanted.description),
        secret: Some(Secret::new(secret)),
        extra: serde_json::Map::new(),
    }
}

fn caller(user: Uuid) -> Caller {
    Caller::local(Some(user))
}

fn now() -> UnixMillis {
    SystemTime::now().into()
}

fn local(result: Result<(), RegistryError>) -> Answer {
    match result {
        Ok(()) => Answer::Accepted,
        Err(RegistryError::Refused(Refusal::NotFound)) => Answer::NotFound,
        Err(RegistryError::Refused(refusal @ (Refusal::WrongSecret | Refusal::NotOwner))) => {
            Answer::Forbidden(refusal.to_string())
        }
        Err(RegistryError::Refused(refusal)) => Answer::Refused(refusal.to_string()),
        Err(RegistryError::Store(error)) => Answer::Failed(error.to_string()),
    }
}

fn far(result: Result<(), CallError>) -> Answer {
    let Err(error) = result else { return Answer::Accepted };
    let words = error.to_string();
    match error {
        CallError::NotFound { .. } => Answer::NotFound,
        CallError::Forbidden { .. } => Answer::Forbidden(words),
        CallError::Unauthorized { .. } | CallError::Redirected { .. } | CallError::Refused { .. } => {
            Answer::Refused(words)
        }
        CallError::Tls { .. }
        | CallError::Untrusted { .. }
        | CallError::Unreachable { .. }
        | CallError::Timeout { .. }
        | CallError::Troubled { .. } => Answer::Failed(words),
    }
}
