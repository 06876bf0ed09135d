//! The graph in names, for messages. What the component map lacks is called by its number.

use serde_json::{Map, Value, json};

use super::message::PortName;
use super::refusal::Refusal;
use crate::pure::model::graph::{Edge, Export, Graph, Group, Initial, Node, Port};
use crate::pure::model::library::{Direction, Library};

/// The name of a node's component.
pub(super) fn component(library: Option<&Library>, id: u8) -> String {
    match library.and_then(|library| library.by_id(id)) {
        Some(component) => component.name.clone(),
        None => format!("component-{id}"),
    }
}

/// The number of a component by name.
pub(super) fn component_id(library: Option<&Library>, name: &str, how: Match) -> Option<u8> {
    match library.and_then(|library| library.by_name(name)) {
        Some(known) => Some(known.id),
        None if how == Match::Own => {
            let id = name.strip_prefix("component-")?.parse().ok()?;
            library.and_then(|library| library.by_id(id)).is_none().then_some(id)
        }
        None => None,
    }
}

/// How names are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Match {
    Exact,
    /// Where none is the same, upper and lower case do not count, as in graphs that people write.
    AnyCase,
    /// The names that this module gives, also for what the component map lacks.
    Own,
}

/// A port by its names.
pub(super) fn find_port(
    graph: &Graph,
    library: Option<&Library>,
    name: &PortName,
    direction: Direction,
    how: Match,
) -> Result<Port, Refusal> {
    let found = graph.find(&name.node).and_then(|key| Some((key, graph.node(key)?)));
    let (key, node) = found.ok_or_else(|| Refusal::NoNode(name.node.clone()))?;
    let Some(known) = library.and_then(|library| library.by_id(node.component)) else {
        let number = name.port.parse().ok().filter(|_| how == Match::Own);
        let port = number.ok_or_else(|| Refusal::NoComponent(component(library, node.component)))?;
        return Ok(Port { node: key, port });
    };
    let any_case = || known.ports(direction).iter().find(|port| port.name.eq_ignore_ascii_case(&name.port));
    let port = known.port(direction, &name.port).or_else(|| any_case().filter(|_| how == Match::AnyCase));
    match port {
        Some(port) => Ok(Port { node: key, port: port.id }),
        None => {
            let ports: Vec<&str> = known.ports(direction).iter().map(|port| port.name.as_str()).collect();
            let ports = if ports.is_empty() { "none".to_owned() } else { ports.join(", ") };
            let (node, port, component) = (name.node.clone(), name.port.clone(), known.name.clone());
            Err(Refusal::NoPort { node, component, direction, port, known: ports })
        }
    }
}

/// The type that the component map gives an in port.
pub(super) fn kind<'a>(graph: &Graph, library: Option<&'a Library>, port: Port) -> &'a str {
    let component = graph.node(port.node).and_then(|node| library?.by_id(node.component));
    component.and_then(|known| known.port_by_id(Direction::In, port.port)).map_or("", |known| known.kind.as_str())
}

/// An out port has a target already.
pub(super) fn taken(graph: &Graph, library: Option<&Library>, src: &PortName, by: &Edge) -> Refusal {
    let target = port(graph, library, by.tgt, Direction::In);
    let target = format!("port {} of node {}", target.port, target.node);
    Refusal::PortTaken { node: src.node.clone(), port: src.port.clone(), target }
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

/// `{src: {data}, tgt, metadata, graph}`.
pub(super) fn initial(graph: &Graph, library: Option<&Library>, initial: &Initial) -> Value {
    let tgt = port(graph, library, initial.tgt, Direction::In);
    json!({ "src": { "data": initial.data }, "tgt": tgt.json(), "metadata": initial.metadata, "graph": graph.name() })
}

/// `{public, node, port, metadata, graph}` of each exported port.
pub(super) fn exported(graph: &Graph, library: Option<&Library>, direction: Direction) -> Vec<Value> {
    let entry = |export: &Export| {
        let inner = port(graph, library, export.port, direction);
        json!({ "public": export.public, "node": inner.node, "port": inner.port, "metadata": export.metadata,
            "graph": graph.name() })
    };
    graph.exports(direction).iter().map(entry).collect()
}

/// `{name, nodes, metadata, graph}`.
pub(super) fn group(graph: &Graph, group: &Group) -> Value {
    json!({ "name": group.name, "nodes": node_names(graph, group), "metadata": group.metadata, "graph": graph.name() })
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
fn node_names<'a>(graph: &'a Graph, group: &Group) -> Vec<&'a str> {
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
