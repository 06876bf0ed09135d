//! Descriptor → component map and graph.

use firmware_proto::Dialect;
use firmware_proto::descriptor::content::Fixed;
use firmware_proto::descriptor::{ContentError, Descriptor, Export, HASH_BYTES};
use serde_json::{Map, Value, json};

use super::hash;
use crate::pure::model::build::Build;
use crate::pure::model::library::{Library, LibraryError};

/// Where a build of a descriptor is known from.
const ORIGIN: &str = "the board itself";

/// What a descriptor says.
#[derive(Clone, Debug, PartialEq)]
pub struct Expanded {
    /// Component map and embedded graph.
    pub build: Build,
    /// What the firmware speaks.
    pub dialect: Dialect,
    /// Places for nodes, of which the last is never used.
    pub node_limit: u8,
    /// Places for packets on their way.
    pub message_limit: u8,
    /// What a board without a label of its own is called; may be empty.
    pub label: String,
    /// What the firmware is known by.
    pub hash: [u8; HASH_BYTES],
}

/// Why a descriptor cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ExpandError {
    /// Its bytes make no sense.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// The hash in it is not that of its bytes.
    #[error(
        "the descriptor's hash is not that of its content; make the board's header again with `firmware descriptor`, and flash it"
    )]
    Hash,
    /// The component map in it is none.
    #[error(transparent)]
    Components(#[from] LibraryError),
}

/// Reads a whole descriptor.
pub fn expand(bytes: &[u8]) -> Result<Expanded, ExpandError> {
    let descriptor = Descriptor::read(bytes)?;
    let Fixed { dialect, node_limit, message_limit, label, hash: promised, .. } = *descriptor.fixed();
    if hash(Descriptor::hashed(bytes)) != promised {
        return Err(ExpandError::Hash);
    }
    let library = Library::from_json(&component_map(&descriptor).to_string())?;
    let build = Build { library, graph: graph(&descriptor).map(Into::into), origin: ORIGIN.to_owned() };
    Ok(Expanded { build, dialect, node_limit, message_limit, label: label.to_owned(), hash: promised })
}

/// As `microflo generate` writes it, without what a descriptor leaves out.
fn component_map(descriptor: &Descriptor<'_>) -> Value {
    let ports = |words| -> Value {
        descriptor.ports(words).map(|(id, name)| (name.to_owned(), json!({ "id": id }))).collect::<Map<_, _>>().into()
    };
    let components: Map<String, Value> = descriptor
        .components()
        .map(|component| {
            let (ins, outs) = (ports(component.in_ports), ports(component.out_ports));
            (component.name.to_owned(), json!({ "id": component.id, "inPorts": ins, "outPorts": outs }))
        })
        .collect();
    json!({ "components": components })
}

/// The embedded graph in FBP's JSON format; `None` if it is not in the descriptor.
fn graph(descriptor: &Descriptor<'_>) -> Option<Value> {
    let names = Names(descriptor);
    let processes: Map<String, Value> = descriptor
        .nodes()
        .map(|(_, node)| (node.name.to_owned(), json!({ "component": names.component(node.component) })))
        .collect();
    if processes.is_empty() {
        return None;
    }
    let edges = descriptor.edges().map(|edge| {
        let (src, tgt) = (names.out_port(edge.src_node, edge.src_port), names.in_port(edge.tgt_node, edge.tgt_port));
        json!({ "src": src, "tgt": tgt })
    });
    let initials = descriptor
        .initials()
        .map(|initial| json!({ "data": initial.data, "tgt": names.in_port(initial.node, initial.port) }));
    let inports = descriptor.in_ports().map(|Export { name, node, port }| (name.to_owned(), names.in_port(node, port)));
    let outports =
        descriptor.out_ports().map(|Export { name, node, port }| (name.to_owned(), names.out_port(node, port)));
    Some(json!({
        "properties": { "name": descriptor.fixed().title },
        "inports": inports.collect::<Map<_, _>>(),
        "outports": outports.collect::<Map<_, _>>(),
        "processes": processes,
        "connections": edges.chain(initials).collect::<Vec<_>>(),
    }))
}

/// What numbers stand for. A descriptor that was read has a name for each.
struct Names<'d>(&'d Descriptor<'d>);

impl Names<'_> {
    fn component(&self, id: u8) -> &str {
        self.0.components().find(|component| component.id == id).map_or("", |component| component.name)
    }

    fn in_port(&self, node: u8, port: u8) -> Value {
        self.port(node, port, true)
    }

    fn out_port(&self, node: u8, port: u8) -> Value {
        self.port(node, port, false)
    }

    fn port(&self, id: u8, port: u8, is_in: bool) -> Value {
        let node = self.0.nodes().find(|(number, _)| *number == id).map(|(_, node)| node);
        let component = node.and_then(|node| self.0.components().find(|component| component.id == node.component));
        let words = component.map_or(&[][..], |component| if is_in { component.in_ports } else { component.out_ports });
        let name = self.0.ports(words).find(|(number, _)| *number == port).map_or("", |(_, name)| name);
        json!({ "process": node.map_or("", |node| node.name), "port": name })
    }
}
