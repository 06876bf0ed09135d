//! Generic chips: nothing is opened without a yes, and a yes or no is given once.

use microflo_bridge::sim::Pty;

use crate::fake_tree::FakeDevice;
use crate::machine::{Machine, arduino, id, text};
use crate::tty::Opens;

fn ch340(pty: &Pty) -> FakeDevice {
    let mut ch340 = FakeDevice::ch340("3", "ttyUSB0");
    ch340.ttys[0].node = Some(pty.path().to_owned());
    ch340
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generic_chip_is_opened_after_one_allow_which_is_remembered() {
    let mut machine = Machine::new();
    let pty = arduino();
    let mut opens = Opens::of(pty.path());
    let device = ch340(&pty);
    let bridge = machine.start(&[]);
    machine.plug(&device);
    let board = bridge.board_in_state("not-allowed");
    let command = format!("microflo-bridge allow {}", text(&board, "device"));
    println!("{}", text(&board, "reason"));
    assert!(text(&board, "reason").contains(&command), "{board}");
    assert!(bridge.cli(&["list"]).contains(&command), "the list says it too");
    drop(bridge);
    let bridge = machine.start(&[]);
    bridge.board_in_state("not-allowed");
    assert_eq!(opens.count(), 0, "it was opened without consent");

    bridge.cli(&["allow", text(&board, "device")]);
    let ready = bridge.board_in_state("ready");
    assert_eq!(id(&ready), id(&board));
    assert_eq!(opens.count(), 1);
    drop(bridge);
    let bridge = machine.start(&[]);
    bridge.board_in_state("ready");
    machine.unplug(&device);
    bridge.wait("it is gone", |bridge| bridge.boards().is_empty());
    machine.plug(&device);
    bridge.board_in_state("ready");
}

#[tokio::test(flavor = "multi_thread")]
async fn ignore_closes_a_board_and_is_remembered_until_allow() {
    let mut machine = Machine::new();
    let pty = arduino();
    let device = ch340(&pty);
    machine.plug(&device);
    let bridge = machine.start(&["--generic", "open"]);
    let board = bridge.board_in_state("ready");
    bridge.cli(&["ignore", id(&board)]);
    let ignored = bridge.board_in_state("ignored");
    println!("{}", text(&ignored, "reason"));
    assert!(text(&ignored, "reason").contains("microflo-bridge allow"), "{ignored}");
    let mut opens = Opens::of(pty.path());
    drop(bridge);
    let bridge = machine.start(&["--generic", "open"]);
    bridge.board_in_state("ignored");
    machine.unplug(&device);
    bridge.wait("it is gone", |bridge| bridge.boards().is_empty());
    machine.plug(&device);
    bridge.board_in_state("ignored");
    assert_eq!(opens.count(), 0);
    bridge.cli(&["allow", id(&board)]);
    bridge.board_in_state("ready");
}

#[tokio::test(flavor = "multi_thread")]
async fn allowing_a_chip_allows_every_device_with_it_and_no_other() {
    let mut machine = Machine::new();
    let ptys = [arduino(), arduino(), arduino()];
    let mut second = ch340(&ptys[1]);
    (second.ports, second.ttys[0].name) = ("4", "ttyUSB1");
    let mut other = ch340(&ptys[2]);
    (other.ports, other.ttys[0].name, other.id) = ("5", "ttyUSB2", (0x10c4, 0xea60));
    let bridge = machine.start(&[]);
    for device in [&ch340(&ptys[0]), &second, &other] {
        machine.plug(device);
    }
    let states = |wanted: [&str; 3]| {
        bridge.wait(&format!("states are {wanted:?}"), |bridge| {
            let mut boards = bridge.boards();
            boards.sort_by_key(|board| text(board, "device").to_owned());
            boards.iter().map(|board| text(board, "state")).collect::<Vec<_>>() == wanted
        });
    };
    states(["not-allowed"; 3]);
    let first = bridge.boards().into_iter().find(|board| text(board, "device").ends_with("ttyUSB0")).unwrap();
    bridge.cli(&["allow", id(&first), "--chip"]);
    states(["ready", "ready", "not-allowed"]);
}
