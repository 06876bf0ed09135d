//! Answers longer than anybody expects.

use serde_json::json;

use crate::board::Board;
use crate::client::Fbp;
use crate::graph::initial;

/// Bytes of metadata: what a message may bring is a little more.
const METADATA_BYTES: usize = 16_000;

/// As many as a graph may have.
const INITIALS: usize = 256;

#[test]
fn a_graph_full_of_metadata_is_told_as_any_other() {
    let dir = tempfile::tempdir().unwrap();
    let board = Board::linux("empty", dir.path());
    let bridge = board.bridge(dir.path());
    let mut client = Fbp::connect(&bridge.board_in_state("ready"));
    client.order("graph:addnode", json!({ "graph": "main", "id": "a", "component": "Forward" }));
    client.order("network:start", json!({ "graph": "main" }));
    for number in 0..INITIALS {
        let mut packet = initial("main", &json!(number), "a", "in");
        packet["metadata"]["long"] = json!("\"".repeat(METADATA_BYTES / 2)); // twice as long in a string
        client.order("graph:addinitial", packet);
    }
    let graph = client.graph("main");
    println!("{} bytes", graph.to_string().len());
    assert_eq!(graph["connections"].as_array().unwrap().len(), INITIALS);
}
