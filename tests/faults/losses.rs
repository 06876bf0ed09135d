//! Lost bytes: every request is answered once and in time, and whoever believes in a graph is right or was told.

use std::time::Duration;

use firmware_proto::Dialect;
use microflo_bridge::sim::{Config, Direction, Line};
use proptest::prelude::*;
use serde_json::json;

use crate::plant::{Loss, Plant};
use crate::script::{flood, play, session};

/// Within this after a loss every request has its answer.
const ANSWERED_WITHIN: Duration = Duration::from_secs(3);

/// Time in which a session that was opened again comes to rest.
const REST: Duration = Duration::from_secs(5);

/// A session in which this is lost, and its end. `None`: there were not so many bytes.
fn lossy_session(mut plant: Plant, loss: Loss, at_once: bool) -> Option<Plant> {
    let what = format!("{:?} {loss:?} at once: {at_once}", plant.dialect());
    plant.told.clear();
    plant.lose(loss);
    let acts = session(plant.dialect());
    play(&mut plant, &acts, at_once);
    plant.run(ANSWERED_WITHIN);
    plant.lost_at?;
    plant.run_until("all is answered", ANSWERED_WITHIN, |plant| plant.unanswered().is_empty());
    assert!(plant.answered_after_loss() <= ANSWERED_WITHIN, "{what}: {:?}", plant.answered_after_loss());
    assert!(plant.answers.values().all(|answers| answers.len() == 1), "{what}: {:?}", plant.answers);
    plant.run(REST);
    if let Some(difference) = plant.difference() {
        assert!(plant.is_told(), "{what}: nobody is told\n{difference}\n{:#?}", plant.told);
    }
    if let Some(crash) = plant.board.crashed() {
        assert_eq!(loss.direction, Direction::ToBoard, "{what}: {crash}");
    } else {
        assert_works_again(&mut plant, &what);
    }
    Some(plant)
}

/// A graph that is uploaded now is the graph that runs.
fn assert_works_again(plant: &mut Plant, what: &str) {
    let clear = json!({ "id": "main", "name": "main", "main": true });
    let cleared = plant.answer("graph:clear", &clear);
    assert_eq!(cleared["command"], "clear", "{what}: {cleared}");
    plant.told.clear();
    play(plant, &flood(), true);
    let data = |plant: &Plant| plant.told.iter().any(|told| told["command"] == "data");
    plant.run_until(&format!("{what}, after it: data"), Duration::from_secs(2), data);
    assert_eq!(plant.difference(), None, "{what}, after it");
}

/// From one point of a session to the next, unless `FAULTS=all` asks for each: meets every place in a frame of 8 and of 10.
const STRIDE: usize = 7;

/// Loses any number of bytes below a frame at each point of a session.
fn every_loss(dialect: Dialect, direction: Direction) {
    let stride = if std::env::var("FAULTS").is_ok_and(|which| which == "all") { 1 } else { STRIDE };
    let plant = || Plant::ready(Config::new(dialect));
    for bytes in 1..dialect.frame_len() {
        let lossy = |after| lossy_session(plant(), Loss { direction, after, bytes }, true);
        let points = (bytes % stride..).step_by(stride).take_while(|after| lossy(*after).is_some()).count();
        println!("{dialect:?} {direction:?}: {bytes} lost at each of {points} points");
        assert!(points * stride > 20 * dialect.frame_len(), "a session has more bytes than {points} * {stride}");
    }
}

#[test]
fn every_loss_at_every_point_on_the_way_to_an_8_byte_board() {
    every_loss(Dialect::Flo01, Direction::ToBoard);
}

#[test]
fn every_loss_at_every_point_on_the_way_from_an_8_byte_board() {
    every_loss(Dialect::Flo01, Direction::FromBoard);
}

#[test]
fn every_loss_at_every_point_on_the_way_to_a_10_byte_board() {
    every_loss(Dialect::Microflo1, Direction::ToBoard);
}

#[test]
fn every_loss_at_every_point_on_the_way_from_a_10_byte_board() {
    every_loss(Dialect::Microflo1, Direction::FromBoard);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn losses_while_a_timer_floods(
        ten_bytes: bool,
        to_board: bool,
        uart: bool,
        at_once: bool,
        after in 0_usize..2000,
        lost in 1_usize..10,
    ) {
        let dialect = if ten_bytes { Dialect::Microflo1 } else { Dialect::Flo01 };
        let line = uart.then(|| Line::arduino(9600));
        let mut plant = Plant::ready(Config { line, ..Config::new(dialect) });
        play(&mut plant, &flood(), true);
        plant.run(Duration::from_secs(2));
        prop_assert!(plant.told.iter().any(|told| told["command"] == "data"));
        let direction = if to_board { Direction::ToBoard } else { Direction::FromBoard };
        let after = if to_board { after % 300 } else { after };
        lossy_session(plant, Loss { direction, after, bytes: lost.min(dialect.frame_len() - 1) }, at_once);
    }

    #[test]
    fn losses_step_by_step(ten_bytes: bool, to_board: bool, uart: bool, after in 0_usize..300, lost in 1_usize..10) {
        let dialect = if ten_bytes { Dialect::Microflo1 } else { Dialect::Flo01 };
        let line = uart.then(|| Line::arduino(9600));
        let plant = Plant::ready(Config { line, ..Config::new(dialect) });
        let direction = if to_board { Direction::ToBoard } else { Direction::FromBoard };
        lossy_session(plant, Loss { direction, after, bytes: lost.min(dialect.frame_len() - 1) }, false);
    }
}
