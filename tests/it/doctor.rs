//! `doctor`, on made-up machines: it names each fault and the line to type, with a bridge and without.

use std::process::{Command, Output};

use serde_json::Value;

use crate::fake_tree::FakeDevice;
use crate::machine::{Machine, NOBODY, arduino, is_root, text, uno};
use crate::support::PROGRAM;
use crate::tty::{Holder, Tty};

/// A system without anything: no udev, no programs, no packages.
fn system(machine: &Machine) -> std::path::PathBuf {
    let root = machine.path("system");
    std::fs::create_dir_all(root.join("proc")).unwrap();
    root
}

fn doctor(machine: &Machine, args: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.arg("doctor").args(machine.roots()).arg("--system-root").arg(system(machine));
    command.arg("--state-dir").arg(machine.path("state")).args(args);
    command.env_remove("XDG_CONFIG_HOME").env("HOME", machine.path("home"));
    command.output().unwrap()
}

/// What it finds, and whether something blocks.
fn findings(machine: &Machine, args: &[&str]) -> (Vec<Value>, bool) {
    let args = [args, &["--json"]].concat();
    let output = doctor(machine, &args);
    let printed = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    let found: Vec<Value> =
        serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed:?} {errors:?}"));
    let blocks = found.iter().any(|finding| finding["blocks"] == true);
    assert_eq!(output.status.code(), Some(i32::from(blocks)), "{printed} {errors}");
    (found, blocks)
}

/// The finding of one check, with what it says and the line to type.
fn finding(machine: &Machine, args: &[&str], check: &str) -> (String, String) {
    let (found, blocks) = findings(machine, args);
    assert!(blocks, "{found:#?}");
    let of_check = found.iter().find(|finding| finding["check"] == check && finding["blocks"] == true);
    let of_check = of_check.unwrap_or_else(|| panic!("nothing of {check}: {found:#?}"));
    println!("{check}: {}: {}\n    {}", of_check["subject"], of_check["problem"], of_check["command"]);
    (text(of_check, "problem").to_owned(), text(of_check, "command").to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_board_that_is_up_and_a_host_without_faults_are_told_to_be_well() {
    let (mut machine, pty) = (Machine::new(), arduino());
    machine.plug(&uno("1", None, "ttyACM0", pty.path()));
    let (found, blocks) = findings(&machine, &["--listen", "127.0.0.1:1"]);
    assert!(!blocks && found.iter().any(|finding| finding["check"] == "bridge"), "{found:#?}");
    let bridge = machine.start(&[]);
    bridge.board_in_state("ready");
    let output = doctor(&machine, &[]);
    let printed = String::from_utf8(output.stdout).unwrap();
    println!("{printed}");
    assert!(output.status.success() && printed.contains("✓ nothing blocks boards: 1 USB-serial port, 1 board"));
}

#[tokio::test(flavor = "multi_thread")]
async fn boards_that_are_not_up_are_told_with_the_line_to_type() {
    let (mut machine, silent, pty) = (Machine::new(), Tty::new(), arduino());
    machine.plug(&uno("1", None, "ttyACM0", silent.path()));
    let mut chip = FakeDevice::ch340("2", "ttyUSB0");
    chip.ttys[0].node = Some(pty.path().to_owned());
    machine.plug(&chip);
    let bridge = machine.start(&[]);
    bridge.board_in_state("not-allowed");
    bridge.board_in_state("unresponsive");
    let (found, _) = findings(&machine, &[]);
    let of = |device: &str| {
        let about = |finding: &&Value| text(finding, "subject").contains(device) && finding["blocks"] == true;
        found.iter().find(about).unwrap_or_else(|| panic!("nothing of {device}: {found:#?}"))
    };
    let (silent, chip) = (of("ttyACM0"), of("ttyUSB0"));
    assert!(text(silent, "problem").contains("nothing answers at 9600 or 115200 baud"), "{silent}");
    assert!(text(chip, "problem").contains("CH340"), "{chip}");
    for (finding, tty) in [(silent, "ttyACM0"), (chip, "ttyUSB0")] {
        let command = text(finding, "command");
        assert!(command.starts_with("microflo-bridge allow ") && command.ends_with(tty), "{command}");
    }
    bridge.cli(&["allow", text(chip, "command").rsplit(' ').next().unwrap()]);
    bridge.board_in_state("ready");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_that_has_a_boards_port_is_named_with_a_bridge_and_without() {
    let (mut machine, tty) = (Machine::new(), Tty::new());
    machine.plug(&uno("1", None, "ttyACM0", tty.path()));
    let holder = Holder::locking(tty.path());
    let (problem, command) = finding(&machine, &[], "holder");
    assert!(problem.contains(&holder.name()), "{problem}");
    assert!(command.contains("kill "), "{command}");
    let bridge = machine.start(&[]);
    bridge.board_in_state("busy");
    let (problem, with_bridge) = finding(&machine, &[], "holder");
    assert!(problem.contains("it has locked the port"), "{problem}");
    assert_eq!(with_bridge, command);
}

#[test]
fn a_program_on_the_bridges_port_is_named() {
    let machine = Machine::new();
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    // The tables of the real kernel.
    std::os::unix::fs::symlink("/proc", machine.path("proc")).unwrap();
    let root = machine.path("").to_str().unwrap().to_owned();
    let mut command = Command::new(PROGRAM);
    command.arg("doctor").args(machine.roots()).args(["--system-root", &root, "--listen", &address, "--json"]);
    let output = command.arg("--state-dir").arg(machine.path("state")).output().unwrap();
    let found: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let taken = found.iter().find(|finding| finding["check"] == "listen").unwrap();
    println!("{taken}");
    assert!(text(taken, "problem").contains(&format!("(process {})", std::process::id())), "{taken}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn devices_without_a_driver_programs_that_disturb_and_missing_rules_are_told() {
    let mut machine = Machine::new();
    let root = system(&machine);
    let chip = FakeDevice::new("1", 0x1a86, 0x7523);
    machine.plug(&chip);
    machine.add_interface(&chip, 0, 255, None);
    let write = |path: &str, content: &str| {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    };
    let (problem, command) = finding(&machine, &[], "driver");
    assert!(problem.contains("ch341") && command.contains("reboot"), "{problem} {command}");
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    write(&format!("lib/modules/{release}/modules.dep"), "kernel/drivers/usb/serial/ch341.ko:\n");
    let (_, command) = finding(&machine, &[], "driver");
    assert!(command.ends_with("modprobe ch341"), "{command}");
    write("proc/7/comm", "brltty\n");
    std::fs::create_dir_all(machine.path("sys/module/ch341")).unwrap();
    let (_, command) = finding(&machine, &[], "brltty");
    assert!(command.ends_with("apt remove brltty"), "{command}");

    machine.plug(&FakeDevice::uno("2", "75835353038351F0B1A1", "ttyACM0"));
    write("proc/8/comm", "ModemManager\n");
    let (_, command) = finding(&machine, &[], "modem-manager");
    assert!(command.ends_with("systemctl stop ModemManager"), "{command}");
    write("run/udev/control", "");
    write("usr/lib/systemd/system/microflo-bridge.service", "[Unit]\n");
    let (_, command) = finding(&machine, &[], "udev");
    assert!(command.ends_with("apt install --reinstall microflo-bridge"), "{command}");
    write("usr/lib/udev/rules.d/70-microflo-bridge.rules", "LABEL=\"x\"\n");
    let (_, command) = finding(&machine, &[], "modem-manager");
    assert!(command.contains("udevadm trigger"), "{command}");
}

#[test]
fn a_registry_that_cannot_be_reached_and_a_broken_configuration_are_told() {
    let machine = Machine::new();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (problem, _) = finding(&machine, &["--registry", &format!("http://{closed}")], "registry");
    assert!(problem.contains("cannot be reached"), "{problem}");
    let file = machine.path("config.toml");
    std::fs::write(&file, "lisen = \"localhost:1\"\n").unwrap();
    let (problem, _) = finding(&machine, &["--config", file.to_str().unwrap()], "settings");
    assert!(problem.contains("lisen") && problem.contains("listen"), "{problem}");
}

#[test]
fn an_unprivileged_user_is_told_what_to_join_and_that_root_sees_more() {
    use std::os::unix::fs::{PermissionsExt, chown};
    if !is_root() {
        return;
    }
    let (mut machine, tty) = (Machine::new(), Tty::new());
    std::fs::set_permissions(tty.path(), PermissionsExt::from_mode(0o660)).unwrap();
    chown(tty.path(), None, Some(20)).unwrap();
    machine.plug(&uno("1", None, "ttyACM0", tty.path()));
    let root = system(&machine);
    std::fs::create_dir_all(root.join("etc")).unwrap();
    std::fs::write(root.join("etc/passwd"), format!("nobody:x:{NOBODY}:{NOBODY}::/:/bin/false\n")).unwrap();
    std::fs::write(root.join("etc/group"), "dialout:x:20:\n").unwrap();
    let program = machine.path("program");
    std::fs::copy(PROGRAM, &program).unwrap();
    std::fs::set_permissions(machine.path(""), PermissionsExt::from_mode(0o755)).unwrap();
    let run = |args: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args([format!("--reuid={NOBODY}"), format!("--regid={NOBODY}")]).arg("--clear-groups");
        command.arg(&program).arg("doctor").args(machine.roots()).arg("--system-root").arg(&root).args(args);
        command.env_remove("XDG_CONFIG_HOME").env("HOME", "/nonexistent");
        command.arg("--state-dir").arg("/nonexistent/state").output().unwrap()
    };
    let printed = String::from_utf8(run(&[]).stdout).unwrap();
    println!("{printed}");
    assert!(printed.contains("type: sudo usermod -aG dialout nobody"), "{printed}");
    assert!(printed.contains("state directory /nonexistent/state: / cannot be written"), "{printed}");
    assert!(printed.contains("sudo microflo-bridge doctor"), "{printed}");
    std::fs::write(root.join("etc/group"), "dialout:x:20:nobody\n").unwrap();
    let printed = String::from_utf8(run(&[]).stdout).unwrap();
    assert!(printed.contains("log out and in again"), "{printed}");
}
