//! `runtime`: what this is and what the asker may do.

use std::sync::Arc;

use serde_json::json;

use super::Runtime;
use super::message::{Incoming, outgoing_raw};
use super::permission::{Permission, all_capabilities};

/// The version of the FBP network protocol that is spoken.
const PROTOCOL_VERSION: &str = "0.8";

/// The payload of `runtime:runtime` as text, per permission.
#[derive(Debug, Default)]
pub(super) struct Description {
    nothing: Option<String>,
    read: Option<String>,
    full: Option<String>,
}

impl Description {
    fn of(&mut self, permission: Permission) -> &mut Option<String> {
        match permission {
            Permission::Nothing => &mut self.nothing,
            Permission::Read => &mut self.read,
            Permission::Full => &mut self.full,
        }
    }
}

impl Runtime {
    /// Answered from what is known, always. Whoever may use exported ports hears of them, too, if there are any.
    pub(super) fn describe(&mut self, message: &Incoming, permission: Permission) -> Vec<Arc<str>> {
        let known = self.description.of(permission).take();
        let payload = known.unwrap_or_else(|| self.description_text(permission));
        let reply = outgoing_raw("runtime", "runtime", &payload, message.request_id.as_deref());
        *self.description.of(permission) = Some(payload);
        let ports = (permission == Permission::Full && self.has_exports()).then(|| self.ports_message());
        [reply].into_iter().chain(ports).collect()
    }

    fn description_text(&self, permission: Permission) -> String {
        let has_library = self.library.is_some();
        let mut payload = json!({
            "id": self.identity.id,
            "label": self.identity.label,
            "type": "microflo",
            "version": PROTOCOL_VERSION,
            "allCapabilities": all_capabilities(has_library),
            "capabilities": permission.capabilities(has_library),
        });
        if has_library {
            payload["graph"] = json!(self.graph.name());
        }
        payload.to_string()
    }
}
