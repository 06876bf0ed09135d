//! A graph as a client keeps it that only listens: changed by what it is told.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::world::Edge;

/// Names of nodes with their components, and edges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Picture {
    pub(super) nodes: BTreeMap<String, String>,
    pub(super) edges: BTreeSet<Edge>,
}

impl Picture {
    /// What `component:getsource` tells of the main graph.
    pub(super) fn of(graph: &Value) -> Picture {
        let name = |value: &Value| value.as_str().unwrap().to_owned();
        let nodes = graph["processes"].as_object().unwrap().iter();
        let connections = graph["connections"].as_array().unwrap().iter();
        let edge = |it: &Value| {
            let end = |end: &str| (name(&it[end]["process"]), name(&it[end]["port"]));
            let ((src, out), (tgt, into)) = (end("src"), end("tgt"));
            (src, out, tgt, into)
        };
        Picture {
            nodes: nodes.map(|(id, node)| (id.clone(), name(&node["component"]))).collect(),
            edges: connections.filter(|it| it.get("src").is_some()).map(edge).collect(),
        }
    }

    /// Takes what it is told. Fails at what cannot be, such as the removal of what is not there.
    pub(super) fn apply(&mut self, message: &Value) -> Result<(), String> {
        if message["protocol"] != "graph" {
            return Ok(());
        }
        let payload = &message["payload"];
        let text = |key: &str| payload[key].as_str().unwrap_or_default().to_owned();
        let end = |key: &str| {
            let part = |part: &str| payload[key][part].as_str().unwrap_or_default().to_owned();
            (part("node"), part("port"))
        };
        let edge = || {
            let ((src, out), (tgt, into)) = (end("src"), end("tgt"));
            (src, out, tgt, into)
        };
        let possible = match message["command"].as_str().unwrap_or_default() {
            "clear" => {
                self.nodes.clear();
                self.edges.clear();
                true
            }
            "addnode" => self.nodes.insert(text("id"), text("component")).is_none(),
            "removenode" => self.nodes.remove(&text("id")).is_some(),
            "renamenode" => self.rename(&text("from"), &text("to")),
            "addedge" => self.edges.insert(edge()),
            "removeedge" => self.edges.remove(&edge()),
            _ => true,
        };
        if possible { Ok(()) } else { Err(format!("told of what cannot be: {message}; {self:?}")) }
    }

    fn rename(&mut self, from: &str, to: &str) -> bool {
        let name = |name: String| if name == from { to.to_owned() } else { name };
        let edges = std::mem::take(&mut self.edges).into_iter();
        self.edges = edges.map(|(src, out, tgt, into)| (name(src), out, name(tgt), into)).collect();
        self.nodes.remove(from).is_some_and(|component| self.nodes.insert(to.to_owned(), component).is_none())
    }
}
