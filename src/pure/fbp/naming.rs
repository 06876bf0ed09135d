//! The graph in names, for messages. What the component map lacks is called by its number.

use serde_json::{Map, Value, json};

use super::message::PortName;
use crate::pure::model::graph::{Edge, Export, Graph, Group, Initial, Node, Port};
use crate::pure::model::library::{Direction, Library};

/// The name of a node's component.
pub(super) fn component(library: Option<&Library>, id: u8) -> String {
    match library.and_then(|library| library.by_id(id)) {
        Some(component) => component.name.clone(),
        None => format!("component-{id}"),
    }
}

/// A port by name.
pub(super) fn port(graph: &Graph, library: Option<&Library>, port: Port, direction: Direction) -> PortName {
    let node = graph.node(port.node);
    let known = node
        .and_then(|node| library?.by_id(node.component))
        .and_then(|component| component.port_by_id(direction, port.port));
    PortName {
        node: node.map(|node| node.name.clone()).unwrap_or_default(),
        port: known.map_or_else(|| port.port.to_string(), |known| known.name.clone()),
    }
}

/// `{src, tgt, graph}`.
pub(super) fn edge(graph: &Graph, library: Option<&Library>, edge: &Edge) -> Value {
    let src = port(graph, library, edge.src, Direction::Out);
    let tgt = port(graph, library, edge.tgt, Direction::In);
    json!({ "src": src.json(), "tgt": tgt.json(), "graph": graph.name() })
}

/// `{id, component, metadata, graph}`.
pub(super) fn node(graph: &Graph, library: Option<&Library>, node: &Node) -> Value {
    let component = component(library, node.component);
    json!({ "id": node.name, "component": component, "metadata": node.metadata, "graph": graph.name() })
}

/// `A OUT -> IN B`, for people.
pub(super) fn arrow(src: &PortName, tgt: &PortName) -> String {
    format!("{} {} -> {} {}", src.node, src.port, tgt.port, tgt.node)
}

/// The id of an edge in `network:data`.
pub(super) fn edge_id(src: &PortName, tgt: &PortName) -> String {
    format!("{}() {} -> {} {}()", src.node, src.port.to_uppercase(), tgt.port.to_uppercase(), tgt.node)
}

/// The id of an initial packet in `network:data`.
pub(super) fn initial_id(tgt: &PortName) -> String {
    format!("DATA -> {} {}()", tgt.port.to_uppercase(), tgt.node)
}

/// The whole graph in FBP's JSON format.
pub(super) fn fbp_json(graph: &Graph, library: Option<&Library>) -> Value {
    let processes: Map<String, Value> = graph
        .nodes()
        .map(|(_, node)| {
            let component = component(library, node.component);
            (node.name.clone(), json!({ "component": component, "metadata": node.metadata }))
        })
        .collect();
    let edges = graph.edges().iter().map(|edge| edge_entry(graph, library, edge));
    let initials = graph.initials().iter().map(|initial| initial_entry(graph, library, initial));
    json!({
        "caseSensitive": true,
        "properties": { "name": graph.title().unwrap_or(graph.name()), "environment": { "type": "microflo" } },
        "inports": exports(graph, library, Direction::In),
        "outports": exports(graph, library, Direction::Out),
        "groups": graph.groups().iter().map(|group| group_entry(graph, group)).collect::<Vec<_>>(),
        "processes": processes,
        "connections": edges.chain(initials).collect::<Vec<_>>(),
    })
}

fn exports(graph: &Graph, library: Option<&Library>, direction: Direction) -> Value {
    let entry = |export: &Export| {
        let inner = port(graph, library, export.port, direction);
        (export.public.clone(), json!({ "process": inner.node, "port": inner.port, "metadata": export.metadata }))
    };
    Value::Object(graph.exports(direction).iter().map(entry).collect())
}

/// `{name, nodes, metadata}`.
fn group_entry(graph: &Graph, group: &Group) -> Value {
    json!({ "name": group.name, "nodes": node_names(graph, group), "metadata": group.metadata })
}

/// The names of a group's nodes.
pub(super) fn node_names<'a>(graph: &'a Graph, group: &Group) -> Vec<&'a str> {
    group.nodes.iter().filter_map(|key| graph.node(*key)).map(|node| node.name.as_str()).collect()
}

fn edge_entry(graph: &Graph, library: Option<&Library>, edge: &Edge) -> Value {
    let src = port(graph, library, edge.src, Direction::Out);
    let tgt = port(graph, library, edge.tgt, Direction::In);
    let end = |port: PortName| json!({ "process": port.node, "port": port.port });
    json!({ "src": end(src), "tgt": end(tgt), "metadata": edge.metadata })
}

fn initial_entry(graph: &Graph, library: Option<&Library>, initial: &Initial) -> Value {
    let tgt = port(graph, library, initial.tgt, Direction::In);
    json!({ "data": initial.data, "tgt": { "process": tgt.node, "port": tgt.port }, "metadata": initial.metadata })
}
