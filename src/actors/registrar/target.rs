//! A registry to talk to: the embedded one by a call, others over HTTP. Both answer in the same words.

use std::time::SystemTime;

use uuid::Uuid;

use super::{EMBEDDED, RemoteRegistry};
use crate::io::registry_client::CallError;
use crate::io::store::{RegistryError, RegistryStore, StoreError};
use crate::pure::registration::{Answer, Wanted};
use crate::pure::registry::{Caller, Patch, Record, Refusal, UnixMillis};
use crate::pure::secret::Secret;

/// The protocol that boards are registered with.
const PROTOCOL: &str = "websocket";
/// The runtime type that boards are registered with.
const TYPE: &str = "microflo";

#[derive(Debug)]
pub(super) enum Target {
    Embedded { registry: RegistryStore, user: Uuid },
    Remote(RemoteRegistry),
}

impl Target {
    /// The bridge speaks to its own registry as the local user.
    pub(super) async fn embedded(registry: RegistryStore) -> Result<Target, StoreError> {
        let user = registry.local_user().await?.id;
        Ok(Target::Embedded { registry, user })
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Target::Embedded { .. } => EMBEDDED,
            Target::Remote(remote) => remote.client.url(),
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
            Target::Remote(remote) => far(remote.client.put(&record(id, remote.user, wanted, secret)).await),
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
        CallError::Unreachable { .. } | CallError::Timeout { .. } | CallError::Troubled { .. } => Answer::Failed(words),
    }
}
