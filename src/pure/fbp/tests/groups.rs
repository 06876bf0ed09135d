//! Groups: kept for clients, and true to the nodes that there are.

use firmware_proto::Dialect;
use serde_json::json;

use super::bench::{Bench, commands};

#[test]
fn groups_cost_the_board_nothing_and_follow_their_nodes() {
    let mut bench = Bench::new(Dialect::Flo01);
    bench.nodes("Forward", &["a", "b"]);
    let sent = bench.sent.len();
    let group = json!({ "name": "g", "nodes": ["a", "b"], "metadata": { "description": "two" } });
    let added = bench.graph("addgroup", group.clone());
    assert_eq!(added[0]["payload"]["nodes"], json!(["a", "b"]));
    assert!(bench.refused("addgroup", group).contains("there is a group g in the graph already"));
    let changed = bench.graph("changegroup", json!({ "name": "g", "metadata": { "color": 3, "description": null } }));
    assert_eq!(changed[0]["payload"]["metadata"], json!({ "color": 3 }));
    bench.graph("renamegroup", json!({ "from": "g", "to": "h" }));
    bench.graph("renamenode", json!({ "from": "b", "to": "c" }));
    assert_eq!(bench.sent.len(), sent);
    let listed = bench.runtime.graph_json()["groups"].clone();
    assert_eq!(listed, json!([{ "name": "h", "nodes": ["a", "c"], "metadata": { "color": 3 } }]));
    bench.graph("removenode", json!({ "id": "c" }));
    assert_eq!(bench.runtime.graph_json()["groups"][0]["nodes"], json!(["a"]));
    assert_eq!(commands(&bench.graph("removegroup", json!({ "name": "h" }))), ["removegroup"]);
    assert_eq!(bench.runtime.graph_json()["groups"], json!([]));
}

#[test]
fn a_group_of_what_is_not_there_is_refused() {
    let mut bench = Bench::new(Dialect::Flo01);
    bench.nodes("Forward", &["a"]);
    assert!(bench.refused("addgroup", json!({ "name": "g", "nodes": ["a", "z"] })).contains("no node z"));
    assert!(bench.refused("addgroup", json!({ "name": "g", "nodes": "a" })).contains("`nodes` must be an array"));
    assert!(bench.refused("removegroup", json!({ "name": "g" })).contains("no group g"));
    assert!(bench.refused("changegroup", json!({ "name": "g", "metadata": {} })).contains("no group g"));
    assert!(bench.refused("renamegroup", json!({ "from": "g", "to": "h" })).contains("no group g"));
}

#[test]
fn a_node_is_in_a_group_once() {
    let mut bench = Bench::new(Dialect::Flo01);
    bench.nodes("Forward", &["a"]);
    bench.graph("addgroup", json!({ "name": "g", "nodes": vec!["a"; 60] }));
    assert_eq!(bench.runtime.graph_json()["groups"][0]["nodes"], json!(["a"]));
}
