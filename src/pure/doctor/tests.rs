use super::fixtures::{ann, dialout, facts, port};
use super::*;
use crate::pure::access::{Node, Opener};
use crate::pure::port::{UsbDevice, UsbInterface};
use crate::pure::program::Program;
use crate::pure::view::{BoardState, RegistryStatus};

fn program(name: &str) -> Program {
    Program { pid: 77, name: name.into() }
}

fn stopped() -> Facts {
    Facts { bridge: BridgeFacts::NotRunning, serving: false, ..facts() }
}

/// The only finding that blocks.
fn blocking(facts: &Facts) -> Finding {
    let mut blocking: Vec<Finding> = examine(facts).into_iter().filter(|finding| finding.blocks).collect();
    assert_eq!(blocking.len(), 1, "{blocking:#?}");
    blocking.remove(0)
}

/// Check, some words of the problem, the line to type.
fn expect(facts: &Facts, check: Check, words: &str, command: &str) {
    let found = blocking(facts);
    assert!(found.check == check && found.problem.contains(words), "{found:#?}");
    assert_eq!(found.command.as_deref(), Some(command).filter(|command| !command.is_empty()), "{found:#?}");
}

fn board(state: BoardState, reason: &str) -> BoardFacts {
    BoardFacts {
        label: "Door".into(),
        device: Some("/dev/ttyACM0".into()),
        state,
        reason: reason.into(),
        warnings: Vec::new(),
        has_components: true,
        registries: Vec::new(),
    }
}

fn with_board(board: BoardFacts) -> Facts {
    Facts { bridge: BridgeFacts::Running(vec![board]), ports: vec![port(0x2341, 0x0043, "/dev/ttyACM0")], ..facts() }
}

#[test]
fn where_all_is_well_there_is_nothing_to_tell() {
    assert_eq!(examine(&facts()), []);
    assert_eq!(examine(&with_board(board(BoardState::Ready, ""))), []);
}

#[test]
fn a_bridge_that_does_not_run_is_started_the_way_it_was_installed() {
    let found = examine(&stopped());
    assert_eq!(found.len(), 1);
    assert!(!found[0].blocks);
    assert_eq!(found[0].command.as_deref(), Some("sudo systemctl start microflo-bridge"));
    let found = examine(&Facts { service: false, ..stopped() });
    assert_eq!(found[0].command.as_deref(), Some("microflo-bridge run"));
}

#[test]
fn a_control_socket_that_is_closed_to_this_user_has_its_group_named() {
    let outsider = Opener { groups: vec![1000], listed: Vec::new(), ..ann() };
    let denied = |node, user| {
        let bridge = BridgeFacts::Denied { socket: "/run/microflo-bridge/control.sock".into(), node, user };
        Facts { bridge, ..facts() }
    };
    let join = "sudo usermod -aG dialout ann";
    expect(&denied(Some(dialout()), outsider.clone()), Check::Bridge, "group dialout may", join);
    expect(&denied(None, outsider.clone()), Check::Bridge, "may not ask", join);
    let listed = Opener { listed: vec![20], ..outsider };
    expect(&denied(Some(dialout()), listed), Check::Bridge, "log out and in again", "newgrp dialout");
}

#[test]
fn a_program_on_the_bridges_address_is_named() {
    let listen = |holder| vec![Listen { address: "127.0.0.1:3569".into(), holder }];
    let taken = |holder| Facts { taken: listen(holder), ..stopped() };
    expect(&taken(Some(program("nginx"))), Check::Listen, "nginx (process 77)", "sudo kill 77");
    let by_hand = Facts { service: false, ..taken(Some(program("nginx"))) };
    expect(&by_hand, Check::Listen, "nginx", "microflo-bridge run --listen localhost:3570");
    let other = "microflo-bridge doctor --state-dir DIRECTORY";
    expect(&taken(Some(program(BRIDGE))), Check::Listen, "another bridge", other);
    expect(&taken(None), Check::Listen, "root can see which", "sudo ss -ltnp sport = :3569");
    // The service's socket is there, and the service cannot start.
    let mute = || BridgeFacts::Mute("the answer could not be read".into());
    let found = examine(&Facts { bridge: mute(), ..taken(Some(program("nginx"))) });
    assert!(found.iter().any(|finding| finding.check == Check::Listen), "{found:#?}");
    for its_own in [None, Some(program(BRIDGE))] {
        let wedged = Facts { bridge: mute(), serving: true, taken: listen(its_own), ..facts() };
        expect(&wedged, Check::Bridge, "could not be read", "sudo journalctl -u microflo-bridge -n 20");
    }
}

#[test]
fn configuration_and_state_directory_are_looked_at() {
    let broken = Facts { settings_error: Some("config.toml:3:1: unknown key `lisen`".into()), ..stopped() };
    expect(&broken, Check::Settings, "unknown key", "");
    let running = examine(&Facts { bridge: facts().bridge, ..broken });
    assert!(running.len() == 1 && !running[0].blocks, "{running:#?}");
    let problem = Some(("/srv".into(), "Permission denied".into()));
    let closed = Facts { service: false, state_dir: StateDir { path: "/srv/state".into(), problem }, ..stopped() };
    expect(
        &closed,
        Check::StateDir,
        "/srv cannot be written: Permission denied",
        "sudo install -d -m 700 -o ann /srv/state",
    );
    assert_eq!(examine(&Facts { service: true, ..closed }).len(), 1, "the service has its own");
}

#[test]
fn a_port_that_this_user_may_not_open_is_told_with_the_command() {
    let one_port = |node| {
        let port = PortFacts { node: Some(node), ..port(0x2341, 0x0043, "/dev/ttyACM0") };
        Facts { ports: vec![port], opener: Opener { groups: vec![1000], listed: vec![], ..ann() }, ..stopped() }
    };
    expect(&one_port(dialout()), Check::Permission, "group dialout may", "sudo usermod -aG dialout ann");
    let root_only = Node { gid: 0, mode: 0o600, ..dialout() };
    let chgrp = "sudo chgrp dialout /dev/ttyACM0 && sudo chmod g+rw /dev/ttyACM0";
    expect(&one_port(root_only), Check::Permission, "no group may open it", chgrp);
    let mut other = one_port(dialout());
    other.ports[0].usb.vid = 0x1234;
    assert!(examine(&other).iter().all(|finding| !finding.blocks), "a device that is no board is nobody's concern");
}

#[test]
fn the_program_that_has_a_port_is_named() {
    let held = |name| {
        let port = PortFacts { holder: Some(program(name)), ..port(0x1a86, 0x7523, "/dev/ttyUSB0") };
        Facts { ports: vec![port], ..stopped() }
    };
    expect(&held("avrdude"), Check::Holder, "avrdude (process 77) has it open", "sudo kill 77");
    expect(&held("ModemManager"), Check::Holder, "ModemManager", "sudo systemctl stop ModemManager");
}

#[test]
fn a_board_that_is_not_up_is_told_in_the_bridges_words_with_the_line_to_type() {
    let of = |state, reason: &str| with_board(board(state, reason));
    let allow = "microflo-bridge allow /dev/ttyACM0";
    expect(&of(BoardState::NotAllowed, "a CH340"), Check::Board, "a CH340", allow);
    let silent = "nothing answers at 9600 or 115200 baud";
    expect(&of(BoardState::Unresponsive, silent), Check::Board, silent, allow);
    expect(&of(BoardState::NotMicroflo, "something answers"), Check::Board, "something answers", allow);
    let unseen = of(BoardState::Busy, "in use by another program");
    expect(&unseen, Check::Holder, "another program", "sudo fuser -v /dev/ttyACM0");
    let mut seen = unseen;
    seen.ports[0].holder = Some(program("avrdude"));
    expect(&seen, Check::Holder, "another program; it is avrdude (process 77)", "sudo kill 77");
    let mut closed = of(BoardState::WaitingForPermission, "cannot be opened by this user");
    closed.ports[0].node = Some(Node { gid: 0, mode: 0o600, ..dialout() });
    let chgrp = "sudo chgrp dialout /dev/ttyACM0 && sudo chmod g+rw /dev/ttyACM0";
    expect(&closed, Check::Permission, "cannot be opened", chgrp);
    for quiet in [BoardState::Ready, BoardState::Ignored, BoardState::Opening, BoardState::Booting] {
        assert_eq!(examine(&of(quiet, "whatever")), [], "{quiet:?}");
    }
}

#[test]
fn a_ready_board_may_lack_a_map_and_a_registry() {
    let mut door = board(BoardState::Ready, "");
    door.has_components = false;
    door.warnings = vec!["another board has the same serial number".into()];
    let found = examine(&with_board(door.clone()));
    assert!(found.iter().all(|finding| !finding.blocks) && found.len() == 2, "{found:#?}");
    assert!(found.iter().any(|finding| finding.problem.contains("no component map")));
    let registry = |registered, trouble| RegistryStatus {
        registry: "https://lab.example".into(),
        registered,
        detail: "https://lab.example cannot be reached: connection refused".into(),
        trouble,
    };
    let elsewhere = |status| BoardFacts { registries: vec![status], ..board(BoardState::Ready, "") };
    expect(
        &with_board(elsewhere(registry(false, true))),
        Check::Registry,
        "connection refused",
        "curl -v https://lab.example",
    );
    assert_eq!(examine(&with_board(elsewhere(registry(false, false)))), [], "it is being registered");
    let found = examine(&with_board(elsewhere(registry(true, true))));
    assert!(found.len() == 1 && !found[0].blocks, "it is registered there still: {found:#?}");
}

#[test]
fn a_second_program_on_a_port_that_the_bridge_has_open_is_named() {
    let mut facts = with_board(board(BoardState::NotMicroflo, "only noise"));
    facts.ports[0].holder = Some(program("python3"));
    expect(&facts, Check::Holder, "python3", "sudo kill 77");
}

#[test]
fn a_registry_that_cannot_be_reached_is_told_once() {
    let trouble = "https://lab.example cannot be reached: no route";
    let lab = RegistryFacts {
        name: "https://lab.example".into(),
        trouble: Some(trouble.to_owned()),
        lacks_certificates: false,
    };
    expect(
        &Facts { registries: vec![lab.clone()], ..facts() },
        Check::Registry,
        "no route",
        "curl -v https://lab.example",
    );
    let bare = RegistryFacts { lacks_certificates: true, ..lab.clone() };
    expect(
        &Facts { registries: vec![bare], ..facts() },
        Check::Registry,
        "no route",
        "sudo apt install ca-certificates",
    );
    let status =
        RegistryStatus { registry: lab.name.clone(), registered: false, detail: trouble.to_owned(), trouble: true };
    let door = BoardFacts { registries: vec![status], ..board(BoardState::Ready, "") };
    let both = Facts { registries: vec![lab], ..with_board(door) };
    assert!(blocking(&both).subject.contains("Door"));
}

fn device(vid: u16, pid: u16, class: u8, driver: Option<&str>) -> Facts {
    let interface = UsbInterface { number: 0, class, driver: driver.map(str::to_owned), has_tty: false };
    let device = UsbDevice { vid, pid, product: None, path: "usb-0:1".into(), interfaces: vec![interface] };
    Facts { without_tty: vec![device], ..facts() }
}

fn without_driver(mut facts: Facts, name: &str, on_disk: bool) -> Facts {
    for driver in facts.drivers.iter_mut().filter(|driver| driver.name == name) {
        (driver.loaded, driver.on_disk) = (false, on_disk);
    }
    facts
}

#[test]
fn a_board_whose_driver_is_not_loaded_has_no_port_and_is_told() {
    for (vid, pid, class, module) in [
        (0x2341, 0x0043, 2, "cdc_acm"),
        (0x1a86, 0x55d4, 2, "cdc_acm"),
        (0x1a86, 0x7523, 255, "ch341"),
        (0x0403, 0x6001, 255, "ftdi_sio"),
        (0x10c4, 0xea60, 255, "cp210x"),
        (0x067b, 0x2303, 255, "pl2303"),
    ] {
        let facts = without_driver(device(vid, pid, class, None), module, true);
        expect(&facts, Check::Driver, &format!("{module} is not loaded"), &format!("sudo modprobe {module}"));
    }
    let none = without_driver(device(0x2341, 0x0043, 2, None), "cdc_acm", false);
    let command = "sudo sh -c 'apt install linux-modules-extra-$(uname -r) || apt install linux-image-$(dpkg --print-architecture)'";
    expect(&none, Check::Driver, "comes without its driver", command);
    expect(&Facts { modules_on_disk: false, ..none }, Check::Driver, "start the computer again", "sudo reboot");
    expect(&device(0x2341, 0x0043, 2, None), Check::Driver, "does not take it", "sudo dmesg | grep -i usb | tail");
}

#[test]
fn devices_that_need_no_tty_are_left_out() {
    assert_eq!(examine(&device(0x2e8a, 0x0003, 8, None)), [], "a bootloader");
    assert_eq!(examine(&device(0x2e8a, 0x000f, 8, Some("usb-storage"))), [], "a bootloader that has its sketch's id");
    assert_eq!(examine(&device(0x046d, 0xc52b, 3, None)), [], "a mouse");
}

#[test]
fn brltty_is_told_when_it_has_taken_a_chip_and_noted_when_it_runs() {
    let mut taken = device(0x1a86, 0x7523, 255, Some("usbfs"));
    taken.brltty = Some(program("brltty"));
    expect(&taken, Check::Brltty, "braille display", "sudo apt remove brltty");
    taken.brltty = None;
    expect(&taken, Check::Driver, "drives it by itself", "sudo lsof /dev/bus/usb/*/*");
    taken.udev.brltty_rules = ["/usr/lib/udev/rules.d/85-brltty.rules".into()].into();
    expect(&taken, Check::Brltty, "braille display", "sudo apt remove brltty");
    let mut missing = without_driver(device(0x1a86, 0x7523, 255, None), "ch341", true);
    missing.brltty = Some(program("brltty"));
    expect(&missing, Check::Driver, "ch341 is not loaded", "sudo modprobe ch341");
    missing.drivers.iter_mut().for_each(|driver| driver.loaded = true);
    expect(&missing, Check::Brltty, "braille display", "sudo apt remove brltty");
    let found = examine(&Facts { brltty: Some(program("brltty")), ..facts() });
    assert!(found.len() == 1 && !found[0].blocks && found[0].check == Check::Brltty, "{found:#?}");
}

#[test]
fn modem_manager_is_told_where_no_rule_holds_it_off() {
    let with = |rules: bool, hidden| {
        let port = PortFacts { hidden_from_modem_manager: hidden, ..port(0x2341, 0x0043, "/dev/ttyACM0") };
        let mut facts = Facts { modem_manager: Some(program("ModemManager")), ports: vec![port], ..facts() };
        if !rules {
            facts.udev.rules = None;
        }
        facts
    };
    assert_eq!(examine(&with(true, true)), []);
    let trigger = "sudo udevadm trigger --action=add --subsystem-match=usb --subsystem-match=tty";
    expect(&with(true, false), Check::ModemManager, "/dev/ttyACM0 for a modem", trigger);
    let found = examine(&Facts { service: false, ..with(false, false) });
    let found = found.iter().find(|finding| finding.check == Check::ModemManager).unwrap();
    assert!(found.blocks && found.command.as_deref() == Some("sudo systemctl stop ModemManager"), "{found:#?}");
    let idle = Facts { ports: Vec::new(), service: false, ..with(false, false) };
    assert!(examine(&idle).iter().all(|finding| !finding.blocks), "it disturbs nobody yet");
}

#[test]
fn a_package_without_its_rules_is_incomplete_and_without_udev_there_are_none() {
    let mut missing = facts();
    missing.udev.rules = None;
    expect(&missing, Check::Udev, "rules are not installed", "sudo apt install --reinstall microflo-bridge");
    let built = examine(&Facts { service: false, ..missing.clone() });
    assert!(built.len() == 1 && !built[0].blocks, "{built:#?}");
    missing.udev.running = false;
    let container = examine(&missing);
    assert!(container.len() == 1 && !container[0].blocks, "{container:#?}");
}

#[test]
fn a_clock_before_the_programs_making_is_wrong_and_one_that_nobody_keeps_is_noted() {
    let clock = Clock { now: 0, built: 1_900_000_000, synchronised: Some(false) };
    expect(&Facts { clock, ..facts() }, Check::Clock, "earlier than this program", "sudo timedatectl set-ntp true");
    let unkept = Facts { clock: Clock { synchronised: Some(false), ..facts().clock }, ..facts() };
    let found = examine(&unkept);
    assert!(found.len() == 1 && !found[0].blocks && found[0].check == Check::Clock, "{found:#?}");
    let unknown = Facts { clock: Clock { synchronised: None, ..facts().clock }, ..facts() };
    assert_eq!(examine(&unknown), []);
}

#[test]
fn what_blocks_comes_first_and_root_needs_no_sudo() {
    let port = PortFacts { holder: Some(program("avrdude")), ..port(0x2341, 0x0043, "/dev/ttyACM0") };
    let found = examine(&Facts { ports: vec![port], root: true, brltty: Some(program("brltty")), ..stopped() });
    let blocks: Vec<bool> = found.iter().map(|finding| finding.blocks).collect();
    assert_eq!(blocks, [true, false, false]);
    assert!(found.iter().all(|finding| !finding.command.as_deref().unwrap_or_default().contains("sudo")), "{found:#?}");
    let names: std::collections::BTreeSet<_> = Check::ALL.iter().map(|check| check.name()).collect();
    assert_eq!(names.len(), Check::ALL.len());
}
