//! Edits of a network that never rests: none of them harms the board.

use std::time::Duration;

use firmware_proto::Dialect;
use microflo_bridge::sim::{Config, Line};
use serde_json::json;

use crate::plant::Plant;
use crate::script::{flood, play, session};

fn flooding(dialect: Dialect, line: Option<Line>) -> Plant {
    let mut plant = Plant::ready(Config { line, ..Config::new(dialect) });
    play(&mut plant, &flood(), true);
    plant.run(Duration::from_millis(200));
    plant
}

fn assert_unharmed(plant: &Plant) {
    assert_eq!(plant.board.crashed(), None);
    assert!(!plant.is_told(), "the graph was never lost");
    assert_eq!(plant.difference(), None);
}

#[test]
fn every_node_of_a_flooding_network_can_be_removed() {
    for dialect in Dialect::ALL {
        for first in ["timer", "toggle", "end"] {
            let mut plant = flooding(dialect, None);
            for name in [first].into_iter().chain(["timer", "toggle", "end"].into_iter().filter(|name| *name != first))
            {
                let reply = plant.answer("graph:removenode", &json!({ "graph": "main", "id": name }));
                assert_eq!(reply["command"], "removenode", "{reply}");
                plant.run(Duration::from_millis(20));
                assert_unharmed(&plant);
            }
            assert!(plant.board.graph().nodes.is_empty() && plant.board.graph().running);
        }
    }
}

#[test]
fn a_session_on_a_flooding_board_harms_nothing() {
    for dialect in Dialect::ALL {
        for (uart, at_once) in [(false, false), (false, true), (true, false), (true, true)] {
            let mut plant = flooding(dialect, uart.then(|| Line::arduino(9600)));
            play(&mut plant, &session(dialect), at_once);
            plant.run_until("all is answered", Duration::from_secs(10), |plant| plant.unanswered().is_empty());
            plant.run(Duration::from_secs(1));
            assert_unharmed(&plant);
            assert_eq!((plant.board.dropped_bytes(), plant.board.lost_packets()), (0, 0));
        }
    }
}
