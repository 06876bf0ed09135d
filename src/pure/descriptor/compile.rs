//! Component map and graph → descriptor.

use firmware_proto::Dialect;
use firmware_proto::descriptor::content::WORDS;
use firmware_proto::descriptor::{self as wire, MAX_BYTES, Parts, WriteError};
use serde_json::Value;

use super::hash;
use crate::pure::fbp;
use crate::pure::model::build::Build;
use crate::pure::model::graph::Graph;
use crate::pure::model::library::{Component, Direction};
use crate::pure::model::limits::Limits;

/// What the files do not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// What the firmware speaks.
    pub dialect: Dialect,
    /// Its `MICROFLO_NODE_LIMIT`.
    pub node_limit: u8,
    /// Its `MICROFLO_MESSAGE_LIMIT`.
    pub message_limit: u8,
    /// What a board without a label of its own is called; may be empty.
    pub label: String,
}

/// Why there is no descriptor.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// The graph does not fit the component map, or the build's limits.
    #[error(
        "the graph does not fit the build: {0}; map and graph must be of one `microflo generate`, and the limits those of its build"
    )]
    Graph(String),
    /// More port names than a descriptor can hold.
    #[error(
        "the components have {0} different port names, more than the {WORDS} that fit; leave components out of the library"
    )]
    Words(usize),
    /// It gets too long, or would not be sound.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Makes the descriptor of a build.
pub fn compile(build: &Build, options: &Options) -> Result<Vec<u8>, CompileError> {
    let library = &build.library;
    let limits = Limits::of_build(options.node_limit, options.message_limit);
    let source = build.graph.as_deref().map(|json| fbp::read_source(json, library, limits)).transpose();
    let mut graph = source.map_err(CompileError::Graph)?.unwrap_or_default();
    // The generator numbers nodes in the order of the source, from 1.
    graph.set_devices(1..=u8::MAX);

    let mut words = Vec::new();
    let ports: Vec<[Vec<u8>; 2]> = library
        .components()
        .iter()
        .map(|component| Direction::BOTH.map(|direction| numbered(component, direction, &mut words)))
        .collect();
    if words.len() > WORDS {
        return Err(CompileError::Words(words.len()));
    }
    let components: Vec<wire::Component<'_>> = std::iter::zip(library.components(), &ports)
        .map(|(component, [in_ports, out_ports])| wire::Component {
            id: component.id,
            name: &component.name,
            in_ports,
            out_ports,
        })
        .collect();
    let nodes: Vec<wire::Node<'_>> =
        graph.nodes().map(|(_, node)| wire::Node { component: node.component, name: &node.name }).collect();
    let data: Vec<String> = graph.initials().iter().map(|initial| as_text(&initial.data)).collect();
    let parts = Parts {
        dialect: options.dialect,
        node_limit: options.node_limit,
        message_limit: options.message_limit,
        label: &options.label,
        title: graph.title().unwrap_or_default(),
        words: &words,
        components: &components,
        nodes: &nodes,
        edges: &edges(&graph),
        initials: &initials(&graph, &data),
        in_ports: &exports(&graph, Direction::In),
        out_ports: &exports(&graph, Direction::Out),
    };
    Ok(parts.write(&mut [0; MAX_BYTES], hash)?.to_vec())
}

/// A component's ports by number, as words from 1; 0 where a number has no port.
fn numbered<'a>(component: &'a Component, direction: Direction, words: &mut Vec<&'a str>) -> Vec<u8> {
    let ports = component.ports(direction);
    let count = ports.iter().map(|port| usize::from(port.id) + 1).max().unwrap_or(0);
    let mut numbered = vec![0; count];
    for port in ports {
        let known = words.iter().position(|word| *word == port.name);
        let index = known.unwrap_or_else(|| {
            words.push(&port.name);
            words.len() - 1
        });
        // Too many words are refused afterwards.
        numbered[usize::from(port.id)] = u8::try_from(index + 1).unwrap_or(0);
    }
    numbered
}

fn edges(graph: &Graph) -> Vec<wire::Edge> {
    let ends = |edge: &crate::pure::model::graph::Edge| Some((graph.port_ref(edge.src)?, graph.port_ref(edge.tgt)?));
    let edge = |(src, tgt): (firmware_proto::PortRef, firmware_proto::PortRef)| wire::Edge {
        src_node: src.node,
        src_port: src.port,
        tgt_node: tgt.node,
        tgt_port: tgt.port,
    };
    graph.edges().iter().filter_map(ends).map(edge).collect()
}

fn initials<'a>(graph: &Graph, data: &'a [String]) -> Vec<wire::Initial<'a>> {
    let place = |(initial, data): (&crate::pure::model::graph::Initial, &'a String)| {
        let port = graph.port_ref(initial.tgt)?;
        Some(wire::Initial { node: port.node, port: port.port, data })
    };
    std::iter::zip(graph.initials(), data).filter_map(place).collect()
}

fn exports(graph: &Graph, direction: Direction) -> Vec<wire::Export<'_>> {
    let place = |export: &'_ crate::pure::model::graph::Export| graph.port_ref(export.port);
    let exports = graph.exports(direction).iter();
    exports
        .filter_map(|export| {
            let port = place(export)?;
            Some(wire::Export { name: &export.public, node: port.node, port: port.port })
        })
        .collect()
}

/// Data as a `.fbp` file has it.
fn as_text(data: &Value) -> String {
    data.as_str().map_or_else(|| data.to_string(), str::to_owned)
}
