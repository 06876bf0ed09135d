//! `graph:changenode`, `graph:changeedge` and `graph:changegroup`: what clients keep with nodes and edges. The board has no part in it.

use serde_json::{Map, Value, json};

use super::message::Incoming;
use super::refusal::Refusal;
use super::{Runtime, naming};
use crate::pure::model::library::Direction;

impl Runtime {
    /// Merges metadata: a `null` deletes its key. Returns the payload with all that is kept now.
    pub(super) fn change_metadata(&mut self, message: &Incoming) -> Result<Value, Refusal> {
        self.named_graph(message)?;
        let change = message.metadata().map_err(Refusal::Malformed)?.unwrap_or_default();
        let graph = self.graph.name().to_owned();
        if message.command == "changenode" {
            let name = message.name("id").map_err(Refusal::Malformed)?;
            let key = self.graph.find(&name);
            let node = key.and_then(|key| self.graph.node_mut(key)).ok_or_else(|| Refusal::NoNode(name.clone()))?;
            merge(&mut node.metadata, change)?;
            return Ok(json!({ "id": name, "metadata": node.metadata, "graph": graph }));
        }
        if message.command == "changegroup" {
            let name = message.name("name").map_err(Refusal::Malformed)?;
            let group = self.graph.groups_mut().find_mut(&name).ok_or_else(|| Refusal::NoGroup(name.clone()))?;
            merge(&mut group.metadata, change)?;
            return Ok(json!({ "name": name, "metadata": group.metadata, "graph": graph }));
        }
        let src = message.port("src").map_err(Refusal::Malformed)?;
        let tgt = message.port("tgt").map_err(Refusal::Malformed)?;
        let from = self.port_named(&src, Direction::Out)?;
        let to = self.port_named(&tgt, Direction::In)?;
        let edge = self.graph.edge_mut(from, to).ok_or_else(|| Refusal::NoEdge(naming::arrow(&src, &tgt)))?;
        merge(&mut edge.metadata, change)?;
        Ok(json!({ "src": src.json(), "tgt": tgt.json(), "metadata": edge.metadata, "graph": graph }))
    }
}

/// Keys that metadata may have; each value is bounded by the message that brought it.
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
    *kept = merged;
    Ok(())
}
