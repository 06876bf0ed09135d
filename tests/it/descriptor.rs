//! `firmware descriptor`, on files as `microflo generate` writes them.

use std::path::Path;
use std::process::Command;

use firmware_proto::{Command as Sent, Dialect, Edge, Packet, PortRef};

use crate::support::PROGRAM;

/// The same as the unit test's, of the same files.
const HEADER: &str = include_str!("../../src/pure/descriptor/golden.h");

const MAP: &str = r#"{"components":{
    "Timer":{"id":27,"inPorts":{"interval":{"id":0},"reset":{"id":1}},"outPorts":{"out":{"id":0}}},
    "DigitalWrite":{"id":10,"inPorts":{"in":{"id":0},"pin":{"id":2}},"outPorts":{"out":{"id":0}}}}}"#;

const GRAPH: &str = r#"{"inports":{"pace":{"process":"timer","port":"INTERVAL"}},"outports":{"lamp":{"process":"led","port":"out"}},
    "processes":{"timer":{"component":"Timer"},"led":{"component":"DigitalWrite"}},
    "connections":[{"data":"500","tgt":{"process":"timer","port":"interval"}},
        {"src":{"process":"timer","port":"OUT"},"tgt":{"process":"led","port":"in"}},
        {"data":13,"tgt":{"process":"led","port":"pin"}}],"properties":{"name":"led"}}"#;

/// The embedded graph's command stream, with nodes of these components.
fn stream(components: &[u8]) -> Vec<u8> {
    let port = |node, port| PortRef { node, port };
    let create = components.iter().map(|component| Sent::CreateComponent { component: *component, parent: 0 });
    let rest = [
        Sent::ConnectNodes(Edge { src: port(1, 0), tgt: port(2, 0) }),
        Sent::SendPacket { target: port(1, 0), packet: Packet::Integer(500) },
        Sent::SendPacket { target: port(2, 2), packet: Packet::Integer(13) },
        Sent::StartNetwork,
        Sent::End,
    ];
    let frames = create.chain(rest).map(|command| command.encode(Dialect::Flo01, 0));
    std::iter::once(Dialect::Flo01.opening(0)).chain(frames).flat_map(|frame| frame.as_bytes().to_vec()).collect()
}

fn descriptor(dir: &Path, args: &[&str]) -> Result<String, String> {
    let output = Command::new(PROGRAM).args(["firmware", "descriptor"]).arg(dir).args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

#[test]
fn a_directory_becomes_a_header_without_a_bridge_running() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(dir.path().join(name), bytes).unwrap();
    let options = ["--label", "Lampe", "--node-limit", "20", "--message-limit", "30"];
    assert!(descriptor(dir.path(), &options).unwrap_err().contains("there is no component map"));
    write("componentlib-map.json", MAP.as_bytes());
    write("main.json", GRAPH.as_bytes());
    write("main.fbcs", &stream(&[27, 10]));
    let header = descriptor(dir.path(), &options).unwrap();
    let of_graph = |bytes: usize| format!("#define MICROFLO_DESCRIPTOR_GRAPH_BYTES {bytes}\n");
    assert_eq!(header, HEADER.replace(&of_graph(72), &of_graph(stream(&[27, 10]).len())));

    write("main.fbcs", &stream(&[27]));
    let refused = descriptor(dir.path(), &options).unwrap_err();
    assert!(refused.contains("makes other nodes than main.json has"), "{refused}");
    let refused = descriptor(dir.path(), &["--node-limit", "300"]).unwrap_err();
    assert!(refused.contains("300"), "{refused}");
}
