//! Descriptors and their exchange: golden bytes per version, and properties under damage.

mod damage;
mod golden;
mod line;
mod reading;
mod writing;

use firmware_proto::Dialect;
use firmware_proto::descriptor::{Component, Edge, Export, HASH_BYTES, Initial, MAX_BYTES, Node, Parts};

/// No SHA-256 here: that is the host program's.
const HASH: [u8; HASH_BYTES] = [0xd0, 1, 2, 3, 4, 5, 6, 7];

const ID: [u8; 16] = [0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x41, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8];

fn parts(dialect: Dialect) -> Parts<'static> {
    Parts {
        dialect,
        node_limit: 20,
        message_limit: 30,
        label: "Ampel",
        title: "blink",
        words: &["interval", "reset", "out", "in", "pin"],
        components: &[
            Component { id: 27, name: "Timer", in_ports: &[1, 2], out_ports: &[3] },
            Component { id: 28, name: "ToggleBoolean", in_ports: &[4, 2], out_ports: &[3] },
            Component { id: 10, name: "DigitalWrite", in_ports: &[4, 0, 5], out_ports: &[3] },
        ],
        nodes: &[
            Node { component: 27, name: "timer" },
            Node { component: 28, name: "toggle" },
            Node { component: 10, name: "led" },
        ],
        edges: &[
            Edge { src_node: 1, src_port: 0, tgt_node: 2, tgt_port: 0 },
            Edge { src_node: 2, src_port: 0, tgt_node: 3, tgt_port: 0 },
        ],
        initials: &[Initial { node: 1, port: 0, data: "500" }, Initial { node: 3, port: 2, data: "13" }],
        in_ports: &[Export { name: "pace", node: 1, port: 0 }],
        out_ports: &[Export { name: "blink", node: 3, port: 0 }],
    }
}

fn descriptor(dialect: Dialect) -> Vec<u8> {
    let mut buffer = [0; MAX_BYTES];
    parts(dialect).write(&mut buffer, |_| HASH).unwrap().to_vec()
}
