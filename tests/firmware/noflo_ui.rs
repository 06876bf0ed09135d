//! What an IDE really sent, sent again.

use serde_json::{Value, json};

use crate::board::Board;
use crate::client::Fbp;

/// Messages of a live session of NoFlo UI, and the answers that it must get.
const LIVE_EDIT: &str = include_str!("../fbp/noflo-ui-live-edit.jsonl");

#[test]
fn a_live_session_of_noflo_ui_goes_through_on_real_firmware() {
    let dir = tempfile::tempdir().unwrap();
    let mut board = Board::linux("empty", dir.path());
    let bridge = board.bridge(dir.path());
    let mut client = Fbp::connect(&bridge.board_in_state("ready"));
    let mut sent = 0;
    for line in LIVE_EDIT.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let Some(message) = line.get("->") else { continue };
        let what = format!("{}:{}", message["protocol"].as_str().unwrap(), message["command"].as_str().unwrap());
        let mut payload = message["payload"].clone();
        payload.as_object_mut().unwrap().remove("secret");
        if what == "component:list" {
            client.send(&what, payload);
            client.wait_for("component:componentsready");
        } else {
            let reply = client.order(&what, payload.clone());
            for (key, value) in payload.as_object().unwrap().iter().filter(|_| message["protocol"] == "graph") {
                assert_eq!(&reply[key], value, "{what}");
            }
        }
        sent += 1;
    }
    let graph = client.order("component:getsource", json!({ "name": "main" }));
    println!("{sent} messages, the graph in the end: {}", graph["code"]);
    assert!(board.lives());
}
