//! A graph in FBP's JSON format, read against a component map before anything of it reaches a board.
//!
//! `{properties: {name}, processes: {NODE: {component, metadata?}}, connections: [{src: {process, port}, tgt: {process, port}, metadata?}
//! | {data, tgt, metadata?}], inports: {NAME: {process, port, metadata?}}, outports, groups: [{name, nodes, metadata?}]}`

use serde_json::{Map, Value};

use super::message::PortName;
use super::naming::{self, Match};
use super::refusal::{EXPORTS, GROUPS, INITIALS, Refusal};
use super::value::to_packets;
use crate::pure::model::danger::Danger;
use crate::pure::model::graph::{DEFAULT_NAME, Edge, Export, Graph, Group, Metadata, Node, Port};
use crate::pure::model::library::{Direction, Library, NAME_CHARS};
use crate::pure::model::limits::Limits;

/// Edges that a graph may have: MicroFlo out ports have one target each.
const CONNECTIONS: usize = 2048;

/// Reads a graph for a board that takes so much. Nothing in it is on a board; initial packets count as not sent.
pub(super) fn read(limits: Limits, json: &Value, library: Option<&Library>, names: Match) -> Result<Graph, Refusal> {
    let fields = json
        .as_object()
        .ok_or_else(|| malformed("the graph must be a JSON object with `processes` and `connections`"))?;
    let properties = fields.get("properties").and_then(Value::as_object);
    let text = |key: &str| properties.and_then(|it| it.get(key)).and_then(Value::as_str).map(cut);
    let name = text("id").or_else(|| text("name")).filter(|name| !name.is_empty());
    let title = text("name").filter(|title| !title.is_empty());
    let mut draft = Draft { graph: Graph::default(), library, names, most_nodes: limits.nodes };
    draft.graph.clear(name.unwrap_or_else(|| DEFAULT_NAME.to_owned()), title);
    draft.nodes(fields.get("processes"))?;
    draft.connections(fields.get("connections"))?;
    draft.exports(Direction::In, fields.get("inports"))?;
    draft.exports(Direction::Out, fields.get("outports"))?;
    draft.groups(fields.get("groups"))?;
    Ok(draft.graph)
}

struct Draft<'a> {
    graph: Graph,
    library: Option<&'a Library>,
    names: Match,
    /// Nodes that the board takes.
    most_nodes: usize,
}

impl Draft<'_> {
    fn nodes(&mut self, processes: Option<&Value>) -> Result<(), Refusal> {
        let none = Map::new();
        let processes = match processes {
            None | Some(Value::Null) => &none,
            Some(Value::Object(processes)) => processes,
            Some(_) => return Err(malformed("`processes` must be an object")),
        };
        if processes.len() > self.most_nodes {
            let what = format!("a graph of {} nodes", processes.len());
            return Err(Refusal::Danger { what, danger: Danger::TooManyNodes(self.most_nodes) });
        }
        for (name, process) in processes {
            if !(1..=NAME_CHARS).contains(&name.chars().count()) {
                return Err(Refusal::Malformed(format!(
                    "the node name `{}` must have 1 to {NAME_CHARS} characters",
                    cut(name)
                )));
            }
            let component = process.get("component").and_then(Value::as_str);
            let component = component.ok_or_else(|| Refusal::Malformed(format!("node {name} has no `component`")))?;
            let id = naming::component_id(self.library, component, self.names);
            let component = id.ok_or_else(|| Refusal::NoComponent(cut(component)))?;
            self.graph.add_node(Node { name: name.clone(), component, metadata: metadata(process), device: None });
        }
        Ok(())
    }

    fn connections(&mut self, connections: Option<&Value>) -> Result<(), Refusal> {
        for connection in list(connections, "connections", CONNECTIONS)? {
            let tgt = end(connection, "tgt")?;
            match connection.get("src").filter(|src| !src.is_null()) {
                Some(_) => self.edge(&end(connection, "src")?, &tgt, connection)?,
                None => self.initial(&tgt, connection)?,
            }
        }
        Ok(())
    }

    fn edge(&mut self, src: &PortName, tgt: &PortName, connection: &Value) -> Result<(), Refusal> {
        let (from, to) = (self.port(src, Direction::Out)?, self.port(tgt, Direction::In)?);
        if let Some(taken) = self.graph.edge_from(from) {
            return Err(naming::taken(&self.graph, self.library, src, taken));
        }
        self.graph.add_edge(Edge { src: from, tgt: to, metadata: metadata(connection) });
        Ok(())
    }

    fn initial(&mut self, tgt: &PortName, connection: &Value) -> Result<(), Refusal> {
        let data = connection.get("data").ok_or_else(|| malformed("a connection needs `src` or `data`"))?;
        let to = self.port(tgt, Direction::In)?;
        if self.graph.initials().len() >= INITIALS {
            return Err(Refusal::TooManyInitials);
        }
        let kind = naming::kind(&self.graph, self.library, to);
        let packets = to_packets(data, kind).map_err(|error| Refusal::Value {
            node: tgt.node.clone(),
            port: tgt.port.clone(),
            error,
        })?;
        self.graph.add_initial(to, data.clone(), metadata(connection), packets, false);
        Ok(())
    }

    fn exports(&mut self, direction: Direction, exports: Option<&Value>) -> Result<(), Refusal> {
        let Some(exports) = exports.and_then(Value::as_object) else { return Ok(()) };
        if exports.len() > EXPORTS {
            return Err(Refusal::TooManyExports { direction });
        }
        for (public, inner) in exports {
            let port = self.port(&process(inner)?, direction)?;
            let export = Export { public: cut(public), port, metadata: metadata(inner) };
            self.graph.exports_mut(direction).add(export);
        }
        Ok(())
    }

    fn groups(&mut self, groups: Option<&Value>) -> Result<(), Refusal> {
        for group in list(groups, "groups", GROUPS)? {
            let name = group.get("name").and_then(Value::as_str).map(cut).unwrap_or_default();
            let members = list(group.get("nodes"), "nodes", self.most_nodes)?;
            let nodes = members.iter().filter_map(|node| self.graph.find(node.as_str()?)).collect();
            self.graph.groups_mut().add(Group { name, nodes, metadata: metadata(group) });
        }
        Ok(())
    }

    fn port(&self, name: &PortName, direction: Direction) -> Result<Port, Refusal> {
        naming::find_port(&self.graph, self.library, name, direction, self.names)
    }
}

fn list<'a>(value: Option<&'a Value>, what: &str, most: usize) -> Result<&'a [Value], Refusal> {
    match value {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(entries)) if entries.len() <= most => Ok(entries),
        Some(_) => Err(Refusal::Malformed(format!("`{what}` must be an array of at most {most}"))),
    }
}

fn end(connection: &Value, key: &str) -> Result<PortName, Refusal> {
    match connection.get(key) {
        Some(end) => process(end),
        None => Err(Refusal::Malformed(format!("a connection needs `{key}`"))),
    }
}

/// `{process, port}`.
fn process(value: &Value) -> Result<PortName, Refusal> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(cut);
    match (text("process"), text("port"), value.get("index").filter(|index| !index.is_null())) {
        (Some(node), Some(port), None) => Ok(PortName { node, port }),
        (Some(node), Some(port), Some(_)) => {
            Err(Refusal::Malformed(format!("port {port} of node {node} has an index, and MicroFlo ports have none")))
        }
        _ => Err(malformed("an object {process, port} is needed")),
    }
}

fn metadata(of: &Value) -> Metadata {
    of.get("metadata").and_then(Value::as_object).cloned().unwrap_or_default()
}

fn cut(text: &str) -> String {
    text.chars().take(NAME_CHARS).collect()
}

fn malformed(text: &str) -> Refusal {
    Refusal::Malformed(text.to_owned())
}
