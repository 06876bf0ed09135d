//! `runtime`: what this is and what the asker may do.

use std::sync::Arc;

use serde_json::json;

use super::Runtime;
use super::message::{Incoming, outgoing_raw};
use super::permission::{Permission, capabilities};

/// The version of the FBP network protocol that is spoken.
const PROTOCOL_VERSION: &str = "0.8";

/// The payload of `runtime:runtime` as text, per permission.
#[derive(Debug, Default)]
pub(super) struct Description {
    nothing: Option<String>,
    full: Option<String>,
}

impl Runtime {
    /// Answered from what is known, always.
    pub(super) fn describe(&mut self, message: &Incoming, permission: Permission) -> Arc<str> {
        let known = match permission {
            Permission::Nothing => &self.description.nothing,
            Permission::Full => &self.description.full,
        };
        let payload = match known {
            Some(payload) => payload.clone(),
            None => self.description_text(permission),
        };
        let reply = outgoing_raw("runtime", "runtime", &payload, message.request_id.as_deref());
        match permission {
            Permission::Nothing => self.description.nothing = Some(payload),
            Permission::Full => self.description.full = Some(payload),
        }
        reply
    }

    fn description_text(&self, permission: Permission) -> String {
        let all = capabilities(self.library.is_some());
        let allowed = if permission == Permission::Full { all } else { &[] };
        let mut payload = json!({
            "id": self.identity.id,
            "label": self.identity.label,
            "type": "microflo",
            "version": PROTOCOL_VERSION,
            "allCapabilities": all,
            "capabilities": allowed,
        });
        if self.library.is_some() {
            payload["graph"] = json!(self.graph.name());
        }
        payload.to_string()
    }
}
