//! Boards whose processor is the USB device: they vanish while they are flashed, and come back as the same boards.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::fake_tree::{FakeDevice, FakeTty};
use crate::machine::{Machine, arduino, id, text};
use crate::self_describing::{ID, board, eeprom, is_on_board, only};
use crate::support::Bridge;
use crate::tty::{Tty, has_open};
use crate::web::get;

/// A Leonardo that runs its sketch, or its bootloader.
fn leonardo(pid: u16, serial: Option<&'static str>, tty: &'static str, node: &Path) -> FakeDevice {
    let tty = FakeTty { name: tty, interface: 0, port_number: None, node: Some(node.to_owned()) };
    FakeDevice { serial, product: Some("Arduino Leonardo"), ttys: vec![tty], ..FakeDevice::new("1", 0x2341, pid) }
}

fn records(bridge: &Bridge) -> usize {
    let user = bridge.json(&["registry", "user", "show", "--json"]);
    let (status, body) = get(&bridge.http(), "/runtimes", Some(text(&user, "token")));
    assert_eq!(status, 200, "{body}");
    serde_json::from_str::<Vec<Value>>(&body).unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leonardo_that_is_flashed_stays_the_same_board_and_its_bootloader_gets_no_byte() {
    for serial in [Some("HIDPC7A21"), None] {
        let (mut machine, pty, flashed, bootloader) = (Machine::new(), arduino(), arduino(), Tty::new());
        let sketch = leonardo(0x8036, serial, "ttyACM0", pty.path());
        machine.plug(&sketch);
        let bridge = machine.start(&[]);
        let before = bridge.board_in_state("ready");
        bridge.wait("it is registered", |bridge| records(bridge) == 1);

        machine.unplug(&sketch);
        let vanished = Instant::now();
        let waiting = leonardo(0x0036, None, "ttyACM0", bootloader.path());
        machine.plug(&waiting);
        let during = bridge.board_in_state("flashing");
        assert_eq!(id(&during), id(&before));
        assert!(text(&during, "reason").contains("being flashed (bootloader: Arduino Leonardo)"), "{during}");
        assert_eq!(bridge.boards().len(), 1, "the bootloader is no board of its own");
        // As long as Caterina waits for its first byte.
        std::thread::park_timeout(Duration::from_secs(8));
        assert_eq!((bootloader.heard(), has_open(bridge.pid(), bootloader.path())), (0, false));
        assert_eq!(text(&bridge.boards()[0], "state"), "flashing");
        assert_eq!(records(&bridge), 1, "after {:?}", vanished.elapsed());

        machine.unplug(&waiting);
        // Somebody else has got the number meanwhile.
        machine.plug(&leonardo(0x8036, serial, "ttyACM1", flashed.path()));
        let after = bridge.board_in_state("ready");
        assert_eq!(id(&after), id(&before));
        assert!(text(&after, "device").ends_with("/ttyACM1"));
        assert_eq!(records(&bridge), 1);
        println!("{} (by {}), {:?} after it vanished", id(&after), text(&after, "rung"), vanished.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_board_that_stores_its_id_comes_back_from_flashing_as_itself() {
    let dialect = firmware_proto::Dialect::Flo01;
    let (mut machine, bootloader, chip) = (Machine::new(), Tty::new(), eeprom(dialect, ID, "Gate"));
    let (before, after) = (board(dialect, Some(chip.clone())), board(dialect, Some(chip)));
    let bridge = machine.start(&[]);
    let sketch = leonardo(0x8036, None, "ttyACM0", before.path());
    machine.plug(&sketch);
    only(&bridge, "it is known by the id that it stores", is_on_board);
    bridge.wait("it is registered", |bridge| records(bridge) == 1);
    machine.unplug(&sketch);
    bridge.wait("it is gone", |bridge| bridge.boards().is_empty());
    let waiting = leonardo(0x0036, None, "ttyACM0", bootloader.path());
    machine.plug(&waiting);
    assert_eq!(id(&bridge.board_in_state("flashing")), ID);
    machine.unplug(&waiting);
    machine.plug(&leonardo(0x8036, None, "ttyACM0", after.path()));
    only(&bridge, "it is back", is_on_board);
    // Longer than it counts as being flashed.
    std::thread::park_timeout(Duration::from_secs(5));
    assert_eq!(id(&only(&bridge, "it stays", is_on_board)), ID);
    let log = bridge.log();
    assert_eq!(log.matches(" found ").count(), 2, "its port is opened once before and once afterwards: {log}");
    assert_eq!(records(&bridge), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bootloader_without_a_tty_is_seen_and_a_board_that_does_not_come_back_is_gone() {
    let (mut machine, pty) = (Machine::new(), arduino());
    let tty = FakeTty { name: "ttyACM0", interface: 0, port_number: None, node: Some(pty.path().to_owned()) };
    let pico = FakeDevice { ttys: vec![tty], ..FakeDevice::new("1.4", 0x2e8a, 0x000a) };
    let bootloader = FakeDevice::new("1.4", 0x2e8a, 0x0003);
    machine.plug(&pico);
    let bridge = machine.start(&[]);
    let before = bridge.board_in_state("ready");
    machine.unplug(&pico);
    machine.plug(&bootloader);
    let during = bridge.board_in_state("flashing");
    assert_eq!(id(&during), id(&before));
    machine.unplug(&bootloader);
    bridge.wait("it is gone", |bridge| bridge.boards().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bootloader_alone_is_no_board() {
    let (mut machine, bootloader, pty) = (Machine::new(), Tty::new(), arduino());
    machine.plug(&leonardo(0x0036, Some("HIDPC7A21"), "ttyACM0", bootloader.path()));
    let bridge = machine.start(&[]);
    let mut other = FakeDevice::uno("2", "75835353038351F0B1A1", "ttyACM1");
    other.ttys[0].node = Some(pty.path().to_owned());
    machine.plug(&other);
    bridge.board_in_state("ready");
    assert_eq!(bridge.boards().len(), 1);
    assert_eq!((bootloader.heard(), has_open(bridge.pid(), bootloader.path())), (0, false));
}
