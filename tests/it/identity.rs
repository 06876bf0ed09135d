//! A board keeps its id: in made-up USB trees, with simulated boards behind the ttys.

use std::collections::BTreeMap;

use microflo_bridge::sim::Pty;
use serde_json::Value;

use crate::fake_tree::{FakeDevice, FakeTty};
use crate::machine::{Machine, arduino, id, text, uno};
use crate::support::Bridge;

const SERIAL: &str = "75835353038351F0B1A1";

#[tokio::test(flavor = "multi_thread")]
async fn a_known_board_keeps_id_and_label_through_replug_renumbering_and_restart() {
    let mut machine = Machine::new();
    let bridge = machine.start(&[]);
    assert!(bridge.boards().is_empty());
    let pty = arduino();
    let first = uno("1", Some(SERIAL), "ttyACM0", pty.path());
    machine.plug(&first);
    let before = bridge.board_in_state("ready");
    assert_eq!((text(&before, "rung"), text(&before["usb"], "serial")), ("serial", SERIAL));
    assert!(text(&before, "device").ends_with("/ttyACM0"));
    bridge.cli(&["label", id(&before), "Greenhouse"]);

    machine.unplug(&first);
    bridge.wait("it is gone", |bridge| bridge.boards().is_empty());
    let again = uno("2", Some(SERIAL), "ttyACM1", pty.path());
    machine.plug(&again);
    let after = bridge.board_in_state("ready");
    assert!(text(&after, "device").ends_with("/ttyACM1"));
    assert_eq!((id(&after), text(&after, "label")), (id(&before), "Greenhouse"));
    drop(bridge);
    let bridge = machine.start(&[]);
    let after = bridge.board_in_state("ready");
    assert_eq!((id(&after), text(&after, "label")), (id(&before), "Greenhouse"));
    println!("{} at port 1 as ttyACM0, at port 2 as ttyACM1, and after a restart", id(&after));
}

/// Two boards of one serial number, at port 1 and port 2.
struct Twins {
    machine: Machine,
    boards: [(FakeDevice, Pty); 2],
    plugged: [bool; 2],
}

impl Twins {
    fn new() -> Twins {
        let (left, right) = (arduino(), arduino());
        let at_left = uno("1", Some(SERIAL), "ttyACM0", left.path());
        let at_right = uno("2", Some(SERIAL), "ttyACM1", right.path());
        Twins { machine: Machine::new(), boards: [(at_left, left), (at_right, right)], plugged: [false; 2] }
    }

    fn switch(&mut self, which: usize) {
        let device = &self.boards[which].0;
        match self.plugged[which] {
            true => self.machine.unplug(device),
            false => self.machine.plug(device),
        }
        self.plugged[which] ^= true;
    }

    /// The ids by USB path, once all that are plugged are ready.
    fn ids(&self, bridge: &Bridge) -> BTreeMap<String, Value> {
        let present = self.plugged.iter().filter(|plugged| **plugged).count();
        bridge.wait("all that are plugged are ready", |bridge| {
            let boards = bridge.boards();
            boards.len() == present && boards.iter().all(|board| board["state"] == "ready")
        });
        bridge.boards().into_iter().map(|board| (text(&board["usb"], "path").to_owned(), board)).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twins_of_one_serial_number_keep_their_two_ids_through_every_order_of_plugging_and_restarts() {
    const LEFT: usize = 0;
    const RIGHT: usize = 1;
    for first in [vec![LEFT, RIGHT], vec![RIGHT, LEFT], vec![]] {
        let mut twins = Twins::new();
        if first.is_empty() {
            twins.switch(RIGHT);
            twins.switch(LEFT);
        }
        let mut bridge = twins.machine.start(&[]);
        for which in &first {
            twins.switch(*which);
            twins.ids(&bridge);
        }
        let known = twins.ids(&bridge);
        let rungs: Vec<_> = known.values().map(|board| text(board, "rung")).collect();
        assert_eq!(rungs, if first == [RIGHT, LEFT] { ["path", "serial"] } else { ["serial", "path"] });
        let ids: Vec<_> = known.values().map(id).collect();
        assert_ne!(ids[0], ids[1]);
        println!("plugged first {first:?}: {rungs:?} {ids:?}");
        // Every step between none, one, the other and both, each with a restart behind it and without.
        for (which, restart) in [
            (LEFT, false),
            (LEFT, false),
            (RIGHT, true),
            (RIGHT, false),
            (LEFT, true),
            (RIGHT, false),
            (LEFT, true),
            (LEFT, false),
            (RIGHT, true),
            (LEFT, false),
        ] {
            twins.switch(which);
            if restart {
                drop(bridge);
                bridge = twins.machine.start(&[]);
            }
            for (path, board) in twins.ids(&bridge) {
                assert_eq!(id(&board), id(&known[&path]), "{path} after {which} was switched");
                assert_eq!(text(&board, "rung") == "path", !board["warnings"].as_array().unwrap().is_empty());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_board_without_or_with_a_junk_serial_number_is_known_by_its_port() {
    let mut machine = Machine::new();
    let bridge = machine.start(&[]);
    let ptys: Vec<Pty> = (0..4).map(|_| arduino()).collect();
    let boards = [
        uno("1", None, "ttyACM0", ptys[0].path()),
        uno("2", Some("0001"), "ttyACM1", ptys[1].path()),
        uno("3", Some("0000000000000000"), "ttyACM2", ptys[2].path()),
        uno("4.1", Some("0123456789ABCDEF"), "ttyACM3", ptys[3].path()),
    ];
    boards.iter().for_each(|board| machine.plug(board));
    let all_ready = |bridge: &Bridge| {
        let boards = bridge.boards();
        boards.len() == 4 && boards.iter().all(|board| board["state"] == "ready")
    };
    bridge.wait("all are ready", all_ready);
    let by_path = |bridge: &Bridge| -> BTreeMap<String, String> {
        let boards = bridge.boards();
        assert!(boards.iter().all(|board| board["rung"] == "path"), "{boards:#?}");
        boards.iter().map(|board| (text(&board["usb"], "path").into(), id(board).into())).collect()
    };
    let before = by_path(&bridge);
    assert_eq!(before.len(), 4, "four ports, four ids: {before:?}");
    // The same ports, the other way round in /dev.
    boards.iter().for_each(|board| machine.unplug(board));
    bridge.wait("all are gone", |bridge| bridge.boards().is_empty());
    for (mut board, tty) in boards.into_iter().zip(["ttyACM3", "ttyACM2", "ttyACM1", "ttyACM0"]) {
        board.ttys[0].name = tty;
        machine.plug(&board);
    }
    bridge.wait("all are ready again", all_ready);
    assert_eq!(by_path(&bridge), before);
    println!("{before:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ttys_of_a_composite_device_are_boards_of_their_own() {
    let mut machine = Machine::new();
    let bridge = machine.start(&[]);
    let ptys = [arduino(), arduino()];
    let tty =
        |name, interface, pty: &Pty| FakeTty { name, interface, port_number: None, node: Some(pty.path().to_owned()) };
    let mut device = uno("1", Some(SERIAL), "ttyACM0", ptys[0].path());
    device.ttys = vec![tty("ttyACM0", 0, &ptys[0]), tty("ttyACM1", 2, &ptys[1])];
    let ids = |bridge: &Bridge| -> BTreeMap<u64, String> {
        bridge.wait("both are ready", |bridge| {
            bridge.boards().iter().filter(|board| board["state"] == "ready" && board["rung"] == "serial").count() == 2
        });
        let boards = bridge.boards();
        assert!(boards.iter().all(|board| board["warnings"] == serde_json::json!([])), "no twins: {boards:#?}");
        boards.iter().map(|board| (board["usb"]["interface"].as_u64().unwrap(), id(board).into())).collect()
    };
    machine.plug(&device);
    let before = ids(&bridge);
    assert_ne!(before[&0], before[&2]);
    machine.unplug(&device);
    bridge.wait("both are gone", |bridge| bridge.boards().is_empty());
    device.ttys = vec![tty("ttyACM5", 0, &ptys[0]), tty("ttyACM4", 2, &ptys[1])];
    machine.plug(&device);
    assert_eq!(ids(&bridge), before);
    println!("{before:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_serial_number_goes_with_its_board_to_another_machine_and_a_port_does_not() {
    let ptys = [arduino(), arduino(), arduino()];
    let link = ptys[2].path().to_str().unwrap();
    let look = |machine: &Machine, state: &str| -> BTreeMap<String, String> {
        let bridge = machine.start_with_state(state, &["--simulate", "1", "--device", link]);
        bridge.wait("all four are ready", |bridge| {
            bridge.boards().iter().filter(|board| board["state"] == "ready").count() == 4
        });
        bridge.boards().iter().map(|board| (text(board, "rung").into(), id(board).into())).collect()
    };
    let machine = |machine_id: &str| {
        let mut machine = Machine::with_id(machine_id);
        machine.plug(&uno("1", Some(SERIAL), "ttyACM0", ptys[0].path()));
        machine.plug(&uno("2", None, "ttyACM1", ptys[1].path()));
        machine
    };
    let here = machine("11111111111111111111111111111111");
    let there = machine("22222222222222222222222222222222");
    let at_home = look(&here, "state");
    let after_loss = look(&here, "another-state");
    let elsewhere = look(&there, "state");
    assert_eq!(at_home.keys().collect::<Vec<_>>(), ["device", "path", "serial", "simulated"]);
    assert_eq!(after_loss, at_home, "ids survive the loss of the state directory");
    for rung in at_home.keys() {
        let same = at_home[rung] == elsewhere[rung];
        println!("{rung}: here {} there {}", at_home[rung], elsewhere[rung]);
        assert_eq!(same, rung == "serial", "{rung}");
    }
    // Without a machine id the host key is in the state directory: two fresh installs differ.
    let (one, other) = (machine("uninitialized"), machine("uninitialized"));
    let (first, second) = (look(&one, "state"), look(&other, "state"));
    assert_eq!(look(&one, "state"), first);
    for (rung, id) in first {
        assert_eq!(second[&rung] == id, rung == "serial", "{rung}");
    }
}
