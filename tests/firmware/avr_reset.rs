//! The reset button of an Arduino.

use std::time::Instant;

use firmware_proto::{Command, Response};
use serde_json::json;

use crate::board::Board;
use crate::client::{Fbp, Raw};
use crate::graph::{answers, send_row};
use crate::support::PATIENCE;

#[test]
fn a_reset_is_noticed_and_clients_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let board = Board::mega("forward", dir.path());
    let bridge = board.bridge(dir.path());
    let shown = bridge.board_in_state("ready");
    let (mut client, mut raw) = (Fbp::connect(&shown), Raw::connect(&shown));
    let ids = send_row(&mut client, "mine", 5);
    answers(&mut client, &ids, PATIENCE);
    client.told.clear();

    let pressed = board.press_reset();
    // The FBP client sees the embedded graph come back in place of its own.
    let clear = client.wait_for("graph:clear");
    println!("{:?} after the reset the FBP client is told {}", pressed.elapsed(), clear["payload"]);
    assert_eq!(clear["payload"]["id"], "main");
    for what in ["graph:addnode", "graph:addnode", "graph:addedge", "network:started"] {
        println!("  {what} {}", client.wait_for(what)["payload"]);
    }
    // The raw client gets what a board says at its start.
    let mut boot = Vec::new();
    while boot.last() != Some(&Response::TransmissionEnded) {
        boot.push(raw.response().expect("boot chatter"));
    }
    println!("the raw client is told {boot:?}");
    assert_eq!(boot[0], Response::CommunicationOpen);
    let nodes = boot.iter().filter(|response| matches!(response, Response::NodeAdded { .. })).count();
    assert_eq!(nodes, 2);

    let after = bridge.board_in_state("ready");
    println!("ready again within {:?} of the reset", pressed.elapsed());
    assert_eq!(after["id"], shown["id"]);
    assert_eq!(after["clients"], 2, "sockets stay open");
    raw.open();
    raw.send(&[Command::Ping([0; 8])]);
    assert!(matches!(raw.response(), Some(Response::Pong(_))));
    let graph = client.graph("main");
    assert_eq!(graph["processes"].as_object().unwrap().len(), 2);
    assert_eq!(graph["connections"].as_array().unwrap().len(), 1);
}

#[test]
fn a_reset_in_the_middle_of_an_upload_answers_every_request() {
    let dir = tempfile::tempdir().unwrap();
    let board = Board::mega("forward", dir.path());
    let bridge = board.bridge(dir.path());
    let shown = bridge.board_in_state("ready");
    let mut client = Fbp::connect(&shown);
    let ids = send_row(&mut client, "mine", 40);
    client.answer(&ids[10]);
    let pressed = board.press_reset();
    let began = Instant::now();
    let (replies, last) = answers(&mut client, &ids[11..], PATIENCE);
    let failed: Vec<_> = replies.iter().filter(|reply| reply["command"] == "error").collect();
    println!("{} of {} failed, the last answer after {:?}", failed.len(), replies.len(), last - began);
    println!("first: {}", failed[0]["payload"]["message"]);
    assert!(failed.len() > 60, "most had not been sent");

    bridge.wait("it is ready again, with its embedded graph", |bridge| {
        bridge.boards()[0]["state"] == "ready" && pressed.elapsed().as_secs() > 1
    });
    client.wait_for("graph:clear");
    println!("its own graph is known again {:?} after the reset", pressed.elapsed());
    let ids = send_row(&mut client, "mine", 10);
    let (replies, _) = answers(&mut client, &ids, PATIENCE);
    assert!(replies.iter().all(|reply| reply["command"] != "error"), "{replies:?}");
    client.order("network:start", json!({ "graph": "mine" }));
}
