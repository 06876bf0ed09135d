//! A graph as a client keeps it that only listens.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// `(src, out port, tgt, in port)`.
type Edge = (String, String, String, String);

#[derive(Debug, Default, PartialEq)]
pub(super) struct Picture {
    /// Components by name of the node.
    nodes: BTreeMap<String, String>,
    edges: BTreeSet<Edge>,
    /// Node and port by public name, in and out.
    exports: [BTreeMap<String, (String, String)>; 2],
    groups: BTreeMap<String, BTreeSet<String>>,
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

fn texts(value: &Value) -> BTreeSet<String> {
    value.as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect()
}

fn edge(value: &Value, node: &str) -> Edge {
    let [src, tgt] = [&value["src"], &value["tgt"]];
    (text(src, node), text(src, "port"), text(tgt, node), text(tgt, "port"))
}

impl Picture {
    /// What the runtime says that the graph is.
    pub(super) fn of(graph: &Value) -> Picture {
        let connections = graph["connections"].as_array().unwrap().iter();
        let exports = ["inports", "outports"].map(|side| {
            let exports = graph[side].as_object().unwrap().iter();
            exports.map(|(public, it)| (public.clone(), (text(it, "process"), text(it, "port")))).collect()
        });
        let nodes = graph["processes"].as_object().unwrap().iter();
        let groups = graph["groups"].as_array().unwrap().iter();
        Picture {
            nodes: nodes.map(|(name, it)| (name.clone(), text(it, "component"))).collect(),
            edges: connections.filter(|it| it.get("src").is_some()).map(|it| edge(it, "process")).collect(),
            exports,
            groups: groups.map(|it| (text(it, "name"), texts(&it["nodes"]))).collect(),
        }
    }

    /// Takes what it is told; panics at what cannot be.
    pub(super) fn hear(&mut self, message: &Value) {
        if message["protocol"] != "graph" || message["command"] == "error" {
            return;
        }
        let payload = &message["payload"];
        let text = |key: &str| text(payload, key);
        let command = message["command"].as_str().unwrap();
        let side = usize::from(command.ends_with("outport"));
        let possible = match command {
            "clear" => {
                *self = Picture::default();
                true
            }
            "addnode" => self.nodes.insert(text("id"), text("component")).is_none(),
            "removenode" => self.remove_node(&text("id")),
            "renamenode" => self.rename_node(&text("from"), &text("to")),
            "changenode" => self.nodes.contains_key(&text("id")),
            "addedge" => self.edges.insert(edge(payload, "node")),
            "removeedge" => self.edges.remove(&edge(payload, "node")),
            "changeedge" => self.edges.contains(&edge(payload, "node")),
            "addinport" | "addoutport" => {
                let inner = (text("node"), text("port"));
                self.nodes.contains_key(&inner.0) && self.exports[side].insert(text("public"), inner).is_none()
            }
            "removeinport" | "removeoutport" => self.exports[side].remove(&text("public")).is_some(),
            "renameinport" | "renameoutport" => {
                let inner = self.exports[side].remove(&text("from"));
                inner.is_some_and(|inner| self.exports[side].insert(text("to"), inner).is_none())
            }
            "addgroup" => {
                let nodes = texts(&payload["nodes"]);
                nodes.iter().all(|node| self.nodes.contains_key(node))
                    && self.groups.insert(text("name"), nodes).is_none()
            }
            "removegroup" => self.groups.remove(&text("name")).is_some(),
            "renamegroup" => {
                let nodes = self.groups.remove(&text("from"));
                nodes.is_some_and(|nodes| self.groups.insert(text("to"), nodes).is_none())
            }
            "changegroup" => self.groups.contains_key(&text("name")),
            "addinitial" | "removeinitial" => self.nodes.contains_key(payload["tgt"]["node"].as_str().unwrap()),
            other => panic!("told of {other}"),
        };
        assert!(possible, "told of what cannot be: {message}\n{self:?}");
    }

    /// Its edges must have been told before; exported ports and membership go with it.
    fn remove_node(&mut self, name: &str) -> bool {
        self.exports.iter_mut().for_each(|exports| exports.retain(|_, (node, _)| node != name));
        self.groups.values_mut().for_each(|nodes| _ = nodes.remove(name));
        self.nodes.remove(name).is_some() && self.edges.iter().all(|(src, _, tgt, _)| src != name && tgt != name)
    }

    fn rename_node(&mut self, from: &str, to: &str) -> bool {
        let name = |name: &String| if name == from { to.to_owned() } else { name.clone() };
        let edges = self.edges.iter().map(|(src, out, tgt, into)| (name(src), out.clone(), name(tgt), into.clone()));
        self.edges = edges.collect();
        let exports = self.exports.iter_mut().flat_map(BTreeMap::values_mut);
        exports.for_each(|(node, _)| *node = name(node));
        self.groups.values_mut().for_each(|nodes| *nodes = nodes.iter().map(name).collect());
        self.nodes.remove(from).is_some_and(|component| self.nodes.insert(to.to_owned(), component).is_none())
    }
}
