//! Whole graphs on a line that loses bytes, and on a board that restarts: the graph that is shown is the graph that runs.

use std::time::Duration;

use firmware_proto::Dialect;
use microflo_bridge::sim::{self, Config, Direction};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::plant::{Loss, Plant};

/// Within this an upload has ended, whatever happens to it.
const ENDED_WITHIN: Duration = Duration::from_secs(5);

/// Time in which a session that was opened again, and a graph that comes back, come to rest.
const REST: Duration = Duration::from_secs(12);

/// timer → toggle → end, with a packet for the timer.
fn graph() -> Value {
    let edge = |src: &str, tgt: &str| json!({ "src": { "process": src, "port": "out" }, "tgt": { "process": tgt, "port": "in" } });
    json!({
        "properties": { "name": "mine" },
        "processes": {
            "timer": { "component": "Timer" }, "toggle": { "component": "ToggleBoolean" }, "end": { "component": "Forward" },
        },
        "connections": [
            edge("timer", "toggle"), edge("toggle", "end"),
            { "data": 300, "tgt": { "process": "timer", "port": "interval" } },
        ],
    })
}

/// A board with an embedded graph, and a client that has proved its secret.
fn plant(dialect: Dialect, restore: bool) -> Plant {
    let embedded = Some(sim::blink(dialect, Duration::from_millis(500)));
    let mut plant = Plant::ready(Config { embedded, ..Config::new(dialect) });
    plant.bridge.set_restore(restore);
    plant.answer("runtime:getruntime", &json!({}));
    plant
}

fn upload_again(plant: &mut Plant) {
    plant.upload(&graph());
    plant.run_until("the next upload ends", ENDED_WITHIN, |plant| plant.end().is_some());
    assert_eq!(plant.end(), Some(&Ok(())));
    assert_eq!(plant.difference(), None);
}

fn name(plant: &Plant) -> Value {
    plant.bridge.graph_json()["properties"]["name"].clone()
}

/// An upload in which these bytes are lost. False: it has not so many.
fn lossy_upload(dialect: Dialect, restore: bool, loss: Loss) -> bool {
    let what = format!("{dialect:?} restore: {restore} {loss:?}");
    let mut plant = plant(dialect, restore);
    plant.lose(loss);
    plant.upload(&graph());
    plant.run_until(&format!("{what}: it ends"), ENDED_WITHIN, |plant| plant.end().is_some());
    if plant.lost_at.is_none() {
        return false;
    }
    plant.run(REST);
    if plant.board.crashed().is_some() {
        return true;
    }
    let ended_well = plant.end() == Some(&Ok(()));
    match plant.difference() {
        None => {
            assert_eq!(name(&plant), "mine", "{what}");
            assert!(
                restore || ended_well,
                "{what}: what was told to have failed was done later, and nobody asked for that"
            );
        }
        Some(difference) => assert!(!restore && plant.is_told(), "{what}: {difference}\n{:#?}", plant.told),
    }
    upload_again(&mut plant);
    true
}

#[test]
fn every_loss_in_an_upload_is_told_or_mended() {
    let stride = if std::env::var("FAULTS").is_ok_and(|which| which == "all") { 1 } else { 11 };
    for dialect in Dialect::ALL {
        for direction in [Direction::ToBoard, Direction::FromBoard] {
            for (bytes, restore) in [(1, false), (3, true), (dialect.frame_len() - 1, true)] {
                let lossy = |after: &usize| lossy_upload(dialect, restore, Loss { direction, after: *after, bytes });
                let points = (0..).step_by(stride).take_while(lossy).count();
                println!("{dialect:?} {direction:?}: {bytes} lost at each of {points} points");
                assert!(points * stride > 10 * dialect.frame_len());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn resets_at_any_time_leave_the_graph_that_runs(
        ten_bytes: bool,
        restore: bool,
        uploaded: bool,
        at in 0_u64..400,
        again in proptest::option::of(0_u64..3000),
    ) {
        let dialect = if ten_bytes { Dialect::Microflo1 } else { Dialect::Flo01 };
        let mut plant = plant(dialect, restore);
        if uploaded {
            upload_again(&mut plant);
        } else {
            plant.upload(&graph());
        }
        plant.run(Duration::from_micros(at * 50));
        plant.reset();
        if let Some(again) = again {
            plant.run(Duration::from_millis(again));
            plant.reset();
        }
        plant.run(REST);
        prop_assert!(plant.end().is_some());
        let ended_well = plant.end() == Some(&Ok(()));
        prop_assert_eq!(plant.difference(), None);
        prop_assert!(plant.board.graph().running);
        let is_mine = name(&plant) == "mine";
        if restore && (uploaded || ended_well) {
            prop_assert!(is_mine, "what was there comes back");
        }
        if !restore {
            prop_assert!(!is_mine, "the embedded graph runs");
        }
        upload_again(&mut plant);
    }
}
