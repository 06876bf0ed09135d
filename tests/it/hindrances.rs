//! Ports that cannot be used: each in its own state, with advice, and up by itself when the hindrance is gone.

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::time::Duration;

use firmware_proto::Dialect;
use microflo_bridge::pure::session::config::HANDSHAKE_PATIENCE;
use microflo_bridge::sim::{self, Config, Opening};
use serde_json::Value;

use crate::machine::{Machine, NOBODY, arduino, is_root, text, uno};
use crate::support::Bridge;
use crate::tty::{Flood, Holder, Tty, give_back, has_open};

/// The board in that state; its reason has all of these words.
fn advises(bridge: &Bridge, state: &str, words: &[&str]) -> Value {
    let board = bridge.board_in_state(state);
    println!("{state}: {}", text(&board, "reason"));
    for word in words {
        assert!(text(&board, "reason").contains(word), "{word} is missing in {board}");
    }
    assert!(bridge.cli(&["list"]).contains(state));
    board
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_terminal_is_unresponsive_until_firmware_answers_there() {
    let (machine, silent) = (Machine::new(), Tty::new());
    let link = machine.path("board");
    std::os::unix::fs::symlink(silent.path(), &link).unwrap();
    let bridge = machine.start(&["--device", link.to_str().unwrap()]);
    advises(&bridge, "unresponsive", &["nothing answers at 9600 or 115200 baud", "is MicroFlo flashed", "`bauds`"]);
    assert!(silent.heard() > 0, "it was asked");
    // The emulator is started anew, with firmware this time.
    let pty = tokio::spawn(async move { sim::serve_pty(&link, Config::new(Dialect::Microflo1), Opening::Joins).await });
    bridge.board_in_state("ready");
    drop(silent);
    assert_eq!(bridge.boards()[0]["state"], "ready", "the old terminal's end is nobody's");
    pty.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_garbage_is_given_up_and_shown_until_the_path_leads_to_a_board() {
    let (machine, tty, pty) = (Machine::new(), Tty::new(), arduino());
    let link = machine.path("board");
    std::os::unix::fs::symlink(tty.path(), &link).unwrap();
    let flood = Flood::start(&tty);
    let bridge = machine.start(&["--device", link.to_str().unwrap()]);
    advises(&bridge, "not-microflo", &["is not MicroFlo", "baud", "plugged in again", "microflo-bridge allow"]);
    println!("after {} bytes of garbage", flood.written());
    assert!(flood.written() > 256 * 1024);
    std::fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(pty.path(), &link).unwrap();
    bridge.board_in_state("ready");
    assert_eq!(bridge.log().matches("not-microflo").count(), 1, "told once: {}", bridge.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_usb_board_is_left_alone_until_it_is_plugged_in_again() {
    let (mut machine, silent, pty) = (Machine::new(), Tty::new(), arduino());
    let device = uno("1", None, "ttyACM0", silent.path());
    machine.plug(&device);
    let bridge = machine.start(&[]);
    advises(&bridge, "unresponsive", &["is MicroFlo flashed"]);
    bridge.wait("its port is closed", |bridge| !has_open(bridge.pid(), silent.path()));
    assert!(text(&bridge.boards()[0], "reason").contains("microflo-bridge allow"));
    machine.unplug(&device);
    bridge.wait("it is gone", |bridge| bridge.boards().is_empty());
    machine.plug(&uno("1", None, "ttyACM0", pty.path()));
    bridge.board_in_state("ready");
}

#[tokio::test(flavor = "multi_thread")]
async fn allow_tries_a_board_again_that_was_given_up() {
    let mut machine = Machine::new();
    // Firmware is flashed after the bridge has given up.
    let config = Config::arduino(Dialect::Flo01, 9600, HANDSHAKE_PATIENCE + Duration::from_secs(1));
    let pty = sim::pty(config, Opening::Joins).unwrap();
    machine.plug(&uno("1", None, "ttyACM0", pty.path()));
    let bridge = machine.start(&[]);
    let board = advises(&bridge, "unresponsive", &["microflo-bridge allow"]);
    bridge.cli(&["allow", text(&board, "device")]);
    bridge.board_in_state("ready");
}

/// How another program takes a port.
type Hold = fn(&Path) -> Holder;

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_another_program_has_is_busy_until_it_is_closed() {
    let (machine, pty) = (Machine::new(), arduino());
    let path = pty.path().to_owned();
    let device = path.to_str().unwrap();
    let holders: [(Hold, &str); 3] = [
        (Holder::locking, "it has locked the port"),
        (|path| Holder::exclusive(path, 0), "it has the port exclusively"),
        (|path| Holder::opening(path, 0), "it has the port open"),
    ];
    for (number, (hold, how)) in holders.into_iter().enumerate() {
        let holder = hold(&path);
        let bridge = machine.start_with_state(&format!("state{number}"), &["--device", device]);
        advises(&bridge, "busy", &[how, &holder.name(), "close it there and the board comes up by itself"]);
        drop(holder);
        bridge.board_in_state("ready");
        let tries = bridge.log().lines().filter(|line| line.contains("busy")).count();
        assert_eq!(tries, 1, "told once: {}", bridge.log());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bridge_without_privileges_names_the_program_that_has_the_port() {
    if !is_root() {
        return;
    }
    let (machine, tty) = (Machine::new(), Tty::new());
    std::fs::set_permissions(tty.path(), PermissionsExt::from_mode(0o666)).unwrap();
    let bridge = machine.start_as_nobody(&["--device", tty.path().to_str().unwrap()]);
    bridge.board_in_state("unresponsive");
    drop(bridge);
    println!("as nobody: unresponsive when nobody holds it");

    let holders: [(Hold, &str); 3] = [
        (Holder::locking, "it has locked the port"),
        (|path| Holder::exclusive(path, NOBODY), "it has the port exclusively"),
        (|path| Holder::opening(path, NOBODY), "it has the port open"),
    ];
    for (hold, how) in holders {
        let (machine, pty) = (Machine::new(), arduino());
        std::fs::set_permissions(pty.path(), PermissionsExt::from_mode(0o666)).unwrap();
        let holder = hold(pty.path());
        let bridge = machine.start_as_nobody(&["--device", pty.path().to_str().unwrap()]);
        assert_eq!(user_of(bridge.pid()), NOBODY);
        advises(&bridge, "busy", &[how, &holder.name()]);
        drop(holder);
        give_back(pty.path());
        bridge.board_in_state("ready");
        // A bridge that was killed locks nobody out, itself least of all.
        bridge.kill();
        machine.start_as_nobody(&["--device", pty.path().to_str().unwrap()]).board_in_state("ready");
    }
}

fn user_of(pid: u32) -> u32 {
    std::fs::metadata(format!("/proc/{pid}")).unwrap().uid()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_without_permission_says_what_to_type_and_comes_up_after_it() {
    if !is_root() {
        return;
    }
    let (mut machine, pty) = (Machine::new(), arduino());
    std::fs::set_permissions(pty.path(), PermissionsExt::from_mode(0o600)).unwrap();
    machine.plug(&uno("1", None, "ttyACM0", pty.path()));
    let bridge = machine.start_as_nobody(&[]);
    advises(
        &bridge,
        "waiting-for-permission",
        &["belongs to user root with mode 600", "sudo chgrp dialout", "sudo chmod g+rw"],
    );
    // As udev leaves it, for a user who is not in the group.
    chown(pty.path(), None, Some(group("dialout"))).unwrap();
    std::fs::set_permissions(pty.path(), PermissionsExt::from_mode(0o660)).unwrap();
    let command = "sudo usermod -aG dialout nobody, then log out and in again";
    bridge.wait("the command is shown", |bridge| text(&bridge.boards()[0], "reason").contains(command));
    advises(&bridge, "waiting-for-permission", &[command]);
    std::fs::set_permissions(pty.path(), PermissionsExt::from_mode(0o666)).unwrap();
    bridge.board_in_state("ready");
}

fn group(name: &str) -> u32 {
    let groups = std::fs::read_to_string("/etc/group").unwrap();
    let line = groups.lines().find(|line| line.starts_with(&format!("{name}:"))).unwrap();
    line.split(':').nth(2).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_terminal_says_so() {
    let machine = Machine::new();
    let file = machine.path("file");
    std::fs::write(&file, "").unwrap();
    let bridge = machine.start(&["--device", file.to_str().unwrap()]);
    advises(&bridge, "not-microflo", &["is no serial port", "name a tty or a PTY"]);
}
