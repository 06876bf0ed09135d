//! `component`: what nodes can be made of, and the graph as the source of the main component.

use std::sync::Arc;

use serde_json::{Value, json};

use super::message::{Incoming, error, outgoing};
use super::refusal::Refusal;
use super::{Runtime, naming};
use crate::pure::model::library::{Component, Port};

fn entry(component: &Component) -> Value {
    let mut entry = json!({ "name": component.name, "description": component.description });
    if let Some(icon) = &component.icon {
        entry["icon"] = json!(icon);
    }
    entry["subgraph"] = json!(false);
    entry["inPorts"] = ports(&component.in_ports);
    entry["outPorts"] = ports(&component.out_ports);
    entry
}

fn ports(ports: &[Port]) -> Value {
    let port = |port: &Port| json!({ "id": port.name, "type": port.kind, "description": port.description, "addressable": false });
    ports.iter().map(port).collect()
}

/// A component's entry in the component map: there is no other source of it.
fn source(component: &Component) -> String {
    let side = |ports: &[Port]| -> Value {
        let entry = |port: &Port| {
            (port.name.clone(), json!({ "id": port.id, "type": port.kind, "description": port.description }))
        };
        Value::Object(ports.iter().map(entry).collect())
    };
    let mut map = json!({ "name": component.name, "id": component.id, "description": component.description });
    if let Some(icon) = &component.icon {
        map["icon"] = json!(icon);
    }
    map["inPorts"] = side(&component.in_ports);
    map["outPorts"] = side(&component.out_ports);
    format!("{map:#}")
}

impl Runtime {
    pub(super) fn component_list(&self, message: &Incoming) -> Vec<Arc<str>> {
        let id = message.request_id.as_deref();
        let Some(library) = &self.library else {
            return vec![error("component", &Refusal::NoLibrary.text(&self.identity.label), id)];
        };
        let components = library.components();
        let entries = components.iter().map(|component| outgoing("component", "component", &entry(component), id));
        let ready = outgoing("component", "componentsready", &json!(components.len()), id);
        entries.chain([ready]).collect()
    }

    pub(super) fn component_source(&self, message: &Incoming) -> Result<Value, Refusal> {
        let library = self.library.as_ref().ok_or(Refusal::NoLibrary)?;
        let name = message.name("name").map_err(Refusal::Malformed)?;
        let code = if name == self.graph.name() {
            naming::fbp_json(&self.graph, Some(library)).to_string()
        } else {
            source(library.by_name(&name).ok_or_else(|| Refusal::NoComponent(name.clone()))?)
        };
        Ok(json!({ "name": name, "language": "json", "code": code }))
    }
}
