//! There and back.

use std::collections::BTreeMap;

use firmware_proto::descriptor::{Descriptor, MAX_BYTES};
use firmware_proto::{Command, Dialect};
use serde_json::json;

use super::{CompileError, ExpandError, Options, compile, dialect_of, expand, header, makes_nodes_of};
use crate::pure::model::build::Build;
use crate::pure::model::library::{Direction, Library};

const MAP: &str = r#"{"components":{
    "Timer":{"id":27,"description":"not kept","inPorts":{"interval":{"id":0,"type":"integer"},"reset":{"id":1}},"outPorts":{"out":{"id":0}}},
    "DigitalWrite":{"id":10,"inPorts":{"in":{"id":0},"pin":{"id":2}},"outPorts":{"out":{"id":0}}}}}"#;

const GRAPH: &str = r#"{"inports":{"pace":{"process":"timer","port":"INTERVAL"}},"outports":{"lamp":{"process":"led","port":"out"}},
    "processes":{"timer":{"component":"Timer"},"led":{"component":"DigitalWrite"}},
    "connections":[{"data":"500","tgt":{"process":"timer","port":"interval"}},
        {"src":{"process":"timer","port":"OUT"},"tgt":{"process":"led","port":"in"}},
        {"data":13,"tgt":{"process":"led","port":"pin"}}],"properties":{"name":"led"}}"#;

fn options() -> Options {
    Options { dialect: Dialect::Flo01, node_limit: 20, message_limit: 30, label: "Lampe".to_owned() }
}

fn ports(library: &Library) -> BTreeMap<(String, u8, bool, u8), String> {
    let mut ports = BTreeMap::new();
    for component in library.components() {
        for direction in Direction::BOTH {
            for port in component.ports(direction) {
                let key = (component.name.clone(), component.id, direction == Direction::In, port.id);
                ports.insert(key, port.name.clone());
            }
        }
    }
    ports
}

#[test]
fn a_build_comes_back_with_its_names() {
    let build = Build::read(MAP, Some(GRAPH), "").unwrap();
    let bytes = compile(&build, &options()).unwrap();
    let expanded = expand(&bytes).unwrap();
    assert_eq!(ports(&expanded.build.library), ports(&build.library));
    assert_eq!((expanded.dialect, expanded.node_limit, expanded.message_limit), (Dialect::Flo01, 20, 30));
    assert_eq!(expanded.label, "Lampe");
    let graph = expanded.build.graph.unwrap();
    let expected = json!({
        "properties": { "name": "led" },
        "inports": { "pace": { "process": "timer", "port": "interval" } },
        "outports": { "lamp": { "process": "led", "port": "out" } },
        "processes": { "timer": { "component": "Timer" }, "led": { "component": "DigitalWrite" } },
        "connections": [
            { "src": { "process": "timer", "port": "out" }, "tgt": { "process": "led", "port": "in" } },
            { "data": "500", "tgt": { "process": "timer", "port": "interval" } },
            { "data": "13", "tgt": { "process": "led", "port": "pin" } },
        ],
    });
    assert_eq!(*graph, expected);
    let again = Build { library: expanded.build.library, graph: Some(graph), origin: String::new() };
    assert_eq!(compile(&again, &options()).unwrap(), bytes);
}

#[test]
fn a_build_without_a_graph_has_a_component_map_only() {
    let bytes = compile(&Build::read(MAP, None, "").unwrap(), &options()).unwrap();
    assert_eq!(expand(&bytes).unwrap().build.graph, None);
}

#[test]
fn a_changed_name_does_not_fit_the_hash() {
    let mut bytes = compile(&Build::read(MAP, Some(GRAPH), "").unwrap(), &options()).unwrap();
    let at = bytes.windows(5).position(|five| five == b"timer").unwrap();
    bytes[at] = b'l';
    assert!(Descriptor::read(&bytes).is_ok(), "it is sound");
    assert!(matches!(expand(&bytes), Err(ExpandError::Hash)));
}

#[test]
fn a_graph_that_the_build_has_no_room_for_is_refused() {
    let nodes: Vec<String> = (0..25).map(|n| format!(r#""n{n}":{{"component":"Timer"}}"#)).collect();
    let graph = format!(r#"{{"processes":{{{}}},"connections":[]}}"#, nodes.join(","));
    let build = Build::read(MAP, Some(&graph), "").unwrap();
    let error = compile(&build, &options()).unwrap_err().to_string();
    assert!(error.contains("19"), "{error}");
    assert!(compile(&build, &Options { node_limit: 26, ..options() }).is_ok());
}

#[test]
fn a_graph_of_another_build_is_refused_with_the_reason() {
    let graph = GRAPH.replace("DigitalWrite", "Servo");
    let error = compile(&Build::read(MAP, Some(&graph), "").unwrap(), &options()).unwrap_err();
    let said = error.to_string();
    assert!(matches!(error, CompileError::Graph(_)) && said.contains("Servo"), "{said}");
}

#[test]
fn what_does_not_fit_says_what_to_leave_out() {
    let library = |components: usize, ports: usize| {
        let ports = |component: usize| -> serde_json::Map<_, _> {
            (0..ports).map(|id| (format!("port-{component}-{id}"), json!({ "id": id }))).collect()
        };
        let components: serde_json::Map<_, _> = (0..components)
            .map(|id| (format!("Component{id}"), json!({ "id": id, "inPorts": ports(id), "outPorts": {} })))
            .collect();
        Build::read(&json!({ "components": components }).to_string(), None, "").unwrap()
    };
    assert!(compile(&library(25, 10), &options()).is_ok());
    let error = compile(&library(26, 10), &options()).unwrap_err().to_string();
    assert!(error.starts_with("the components have 260 different port names"), "{error}");
    let error = compile(&library(255, 1), &options()).unwrap_err().to_string();
    assert_eq!(error, format!("the descriptor has more than {MAX_BYTES} bytes; leave components out of the library"));
}

#[test]
fn the_header_is_as_firmware_expects_it() {
    let bytes = compile(&Build::read(MAP, Some(GRAPH), "").unwrap(), &options()).unwrap();
    assert_eq!(header(&bytes, &options(), Some(72)), include_str!("golden.h"));
    assert!(!header(&bytes, &options(), None).contains("GRAPH_BYTES"));
}

#[test]
fn a_command_stream_says_its_dialect_and_its_nodes() {
    for dialect in Dialect::ALL {
        let create = |component| Command::CreateComponent { component, parent: 0 };
        let stream = |commands: &[Command]| -> Vec<u8> {
            let frames = commands.iter().map(|command| command.encode(dialect, 1));
            std::iter::once(dialect.opening(1)).chain(frames).flat_map(|frame| frame.as_bytes().to_vec()).collect()
        };
        let build = Build::read(MAP, Some(GRAPH), "").unwrap();
        let bytes = compile(&build, &Options { dialect, ..options() }).unwrap();
        let descriptor = Descriptor::read(&bytes).unwrap();
        let right = stream(&[Command::ClearNodes, create(27), create(10), Command::End]);
        assert_eq!((dialect_of(&right), makes_nodes_of(&right, &descriptor)), (Some(dialect), true));
        assert!(!makes_nodes_of(&stream(&[create(10), create(27)]), &descriptor));
        assert!(!makes_nodes_of(&stream(&[create(27)]), &descriptor));
    }
    assert_eq!(dialect_of(b"#include"), None);
}
