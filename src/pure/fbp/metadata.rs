//! `graph:changenode`, `graph:changeedge` and `graph:changegroup`: what clients keep with nodes and edges. The board has no part in it.

use serde_json::{Map, Value, json};

use super::message::{METADATA_BYTES, PortName};
use super::refusal::Refusal;
use super::{Runtime, naming};
use crate::pure::model::library::Direction;

/// Metadata as a client gives it: a `null` deletes its key.
type Change = Map<String, Value>;

/// Whose metadata changes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Subject {
    Node(String),
    Edge(PortName, PortName),
    Group(String),
}

impl Runtime {
    /// Merges metadata. The confirmation holds all that is kept now.
    pub(super) fn change_metadata(&mut self, subject: &Subject, change: &Change) -> Result<Value, Refusal> {
        let (mut payload, kept) = match subject {
            Subject::Node(name) => {
                let node = self.graph.find(name).and_then(|key| self.graph.node_mut(key));
                let node = node.ok_or_else(|| Refusal::NoNode(name.clone()))?;
                (json!({ "id": name }), &mut node.metadata)
            }
            Subject::Group(name) => {
                let group = self.graph.groups_mut().find_mut(name).ok_or_else(|| Refusal::NoGroup(name.clone()))?;
                (json!({ "name": name }), &mut group.metadata)
            }
            Subject::Edge(src, tgt) => {
                let from = self.port_named(src, Direction::Out)?;
                let to = self.port_named(tgt, Direction::In)?;
                let edge = self.graph.edge_mut(from, to).ok_or_else(|| Refusal::NoEdge(naming::arrow(src, tgt)))?;
                (json!({ "src": src.json(), "tgt": tgt.json() }), &mut edge.metadata)
            }
        };
        merge(kept, change.clone())?;
        payload["metadata"] = Value::Object(kept.clone());
        payload["graph"] = json!(self.graph.name());
        Ok(payload)
    }
}

/// Keys that metadata may have.
const METADATA_KEYS: usize = 64;

fn merge(kept: &mut Map<String, Value>, change: Map<String, Value>) -> Result<(), Refusal> {
    let mut merged = kept.clone();
    for (key, value) in change {
        if value.is_null() {
            merged.shift_remove(&key);
        } else {
            merged.insert(key, value);
        }
    }
    if merged.len() > METADATA_KEYS {
        return Err(Refusal::Malformed(format!("metadata would have more than {METADATA_KEYS} keys")));
    }
    if json!(merged).to_string().len() > METADATA_BYTES {
        return Err(Refusal::Malformed(format!("metadata would take more than {METADATA_BYTES} bytes")));
    }
    *kept = merged;
    Ok(())
}
