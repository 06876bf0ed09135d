use std::collections::BTreeMap;
use std::fs;

use super::fake_tree::{FakeDevice, FakeTree, FakeTty};
use super::*;
use crate::pure::identity::told::Told;
use crate::pure::identity::{HostKey, Rung, SerialMemory, assign};
use crate::pure::port::Port;

const HOST: HostKey = HostKey::from_random([1; 32]);

/// A machine in a temporary directory, and what its bridge remembers.
struct Machine {
    tree: FakeTree,
    host: HostKey,
    remembered: BTreeMap<String, SerialMemory>,
    _dir: tempfile::TempDir,
}

impl Machine {
    fn new() -> Machine {
        let dir = tempfile::tempdir().unwrap();
        let tree = FakeTree::new(dir.path()).unwrap();
        Machine { tree, host: HOST, remembered: BTreeMap::new(), _dir: dir }
    }

    fn with(devices: &[&FakeDevice]) -> Machine {
        let mut machine = Machine::new();
        devices.iter().for_each(|device| machine.plug(device));
        machine
    }

    fn plug(&mut self, device: &FakeDevice) {
        self.tree.plug(device).unwrap();
    }

    fn unplug(&mut self, device: &FakeDevice) {
        self.tree.unplug(device).unwrap();
    }

    fn scan(&self) -> Vec<UsbPort> {
        scan(&self.tree.sysfs(), &self.tree.dev()).unwrap()
    }

    /// Rung and id by physical path and device node, with the memory updated.
    fn ids(&mut self) -> Vec<(String, Rung, uuid::Uuid)> {
        let ports: Vec<Port> = self.scan().into_iter().map(Port::Usb).collect();
        let assigned = assign(&ports, &Told::default(), &self.remembered, &BTreeMap::new(), &self.host);
        self.remembered.extend(assigned.changes);
        let named = |port: &Port| port.device().unwrap().file_name().unwrap().to_string_lossy().into_owned();
        assigned.assignments.iter().map(|a| (named(&a.port), a.rung, a.id)).collect()
    }

    fn only_id(&mut self) -> uuid::Uuid {
        let ids = self.ids();
        assert_eq!(ids.len(), 1, "{ids:?}");
        ids[0].2
    }
}

#[test]
fn an_uno_is_read_as_it_is() {
    let machine = Machine::with(&[&FakeDevice::uno("3", "75835353038351F0B1A1", "ttyACM0")]);
    let expected = UsbPort {
        device: machine.tree.dev().join("ttyACM0"),
        vid: 0x2341,
        pid: 0x0043,
        serial: Some("75835353038351F0B1A1".into()),
        manufacturer: None,
        product: Some("Arduino Uno".into()),
        interface: 0,
        port_number: None,
        path: "pci-0000:00:14.0-usb-0:3".into(),
        plugging: "1/2".into(),
    };
    assert_eq!(machine.scan(), [expected]);
}

#[test]
fn the_path_names_controller_and_hub_ports_as_udev_does() {
    for (controller, ports, path) in [
        ("pci0000:00/0000:00:14.0", "3.1.4", "pci-0000:00:14.0-usb-0:3.1.4"),
        ("pci0000:00/0000:00:1c.0/0000:02:00.0", "2", "pci-0000:02:00.0-usb-0:2"),
        ("platform/dummy_hcd.0", "1", "platform-dummy_hcd.0-usb-0:1"),
        (
            "platform/fd500000.pcie/pci0000:00/0000:00:00.0/0000:01:00.0",
            "1.2",
            "platform-fd500000.pcie-pci-0000:01:00.0-usb-0:1.2",
        ),
    ] {
        let device = FakeDevice { controller, ..FakeDevice::ch340(ports, "ttyUSB0") };
        assert_eq!(Machine::with(&[&device]).scan()[0].path, path);
    }
}

#[test]
fn several_ports_on_one_adapter_are_told_apart() {
    let tty = |name, interface, number| FakeTty {
        name,
        interface,
        port_number: Some(number),
        node: Some("/dev/null".into()),
    };
    let ft2232 = FakeDevice {
        serial: Some("FT6S4DVX"),
        ttys: vec![tty("ttyUSB0", 0, 0), tty("ttyUSB1", 1, 0), tty("ttyUSB2", 1, 1)],
        ..FakeDevice::new("1", 0x0403, 0x6010)
    };
    let mut machine = Machine::with(&[&ft2232]);
    let functions: Vec<_> = machine.scan().iter().map(|port| (port.interface, port.port_number)).collect();
    assert_eq!(functions, [(0, Some(0)), (1, Some(0)), (1, Some(1))]);
    let mut ids: Vec<_> = machine.ids().into_iter().map(|(_, _, id)| id).collect();
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

#[test]
fn a_composite_device_offers_each_of_its_ttys() {
    let acm = |name, interface| FakeTty { name, interface, port_number: None, node: Some("/dev/null".into()) };
    let teensy = FakeDevice {
        serial: Some("1594720"),
        ttys: vec![acm("ttyACM0", 0), acm("ttyACM1", 2)],
        ..FakeDevice::new("1", 0x16c0, 0x048b)
    };
    let interfaces: Vec<_> = Machine::with(&[&teensy]).scan().iter().map(|port| port.interface).collect();
    assert_eq!(interfaces, [0, 2]);
}

#[test]
fn renumbering_and_another_port_change_nothing_for_a_board_with_a_serial_number() {
    let before = FakeDevice::uno("3", "75835353038351F0B1A1", "ttyACM0");
    let mut machine = Machine::with(&[&before]);
    let id = machine.only_id();
    machine.unplug(&before);
    machine.plug(&FakeDevice::uno("4.1", "75835353038351F0B1A1", "ttyACM1"));
    assert_eq!(machine.only_id(), id);
}

#[test]
fn a_board_without_serial_number_has_its_ports_id_whatever_its_node() {
    let before = FakeDevice::ch340("3", "ttyUSB0");
    let mut machine = Machine::with(&[&before]);
    let id = machine.only_id();
    machine.unplug(&before);
    machine.plug(&FakeDevice::ch340("3", "ttyUSB1"));
    assert_eq!(machine.only_id(), id);
    machine.unplug(&FakeDevice::ch340("3", "ttyUSB1"));
    machine.plug(&FakeDevice::ch340("2", "ttyUSB0"));
    assert_ne!(machine.only_id(), id);
}

#[test]
fn a_junk_serial_number_counts_as_none() {
    for junk in ["0001", "00000000", "FFFFFFFF", "123456789"] {
        let mut machine = Machine::with(&[&FakeDevice::uno("3", junk, "ttyACM0")]);
        assert_eq!(machine.ids()[0].1, Rung::Path, "{junk}");
    }
}

#[test]
fn twins_keep_their_two_ids_after_every_order_of_plugging() {
    let (left, right) = (FakeDevice::uno("1", "TWIN00A1", "ttyACM0"), FakeDevice::uno("2", "TWIN00A1", "ttyACM1"));
    let mut machine = Machine::with(&[&left, &right]);
    let both = machine.ids();
    assert_eq!([both[0].1, both[1].1], [Rung::Serial, Rung::Path]);
    for order in [[&left, &right], [&right, &left]] {
        machine.unplug(&left);
        machine.unplug(&right);
        machine.plug(order[0]);
        let alone = machine.ids();
        assert!(both.contains(&alone[0]));
        machine.plug(order[1]);
        assert_eq!(machine.ids(), both);
    }
}

#[test]
fn another_machine_knows_a_serial_number_but_not_a_port() {
    let devices = [&FakeDevice::uno("1", "75835353038351F0B1A1", "ttyACM0"), &FakeDevice::ch340("2", "ttyUSB0")];
    let (mut here, mut there) = (Machine::with(&devices), Machine::with(&devices));
    there.host = HostKey::from_random([2; 32]);
    let (here, there) = (here.ids(), there.ids());
    assert_eq!(here[0], there[0]);
    assert_ne!(here[1].2, there[1].2);
}

#[test]
fn replugging_changes_what_names_the_plugging() {
    let uno = FakeDevice::uno("1", "75835353038351F0B1A1", "ttyACM0");
    let mut machine = Machine::with(&[&uno]);
    let before = machine.scan().remove(0);
    machine.unplug(&uno);
    machine.plug(&uno);
    let after = machine.scan().remove(0);
    assert_ne!(before.plugging, after.plugging);
    assert_eq!(UsbPort { plugging: after.plugging.clone(), ..before }, after);
}

#[test]
fn what_is_broken_or_no_usb_tty_is_left_out_and_the_rest_is_found() {
    let mut machine = Machine::with(&[&FakeDevice::uno("1", "75835353038351F0B1A1", "ttyACM0")]);
    let class = machine.tree.sysfs().join("class/tty");
    // No device behind it, a dangling link, a plain file, a built-in port, a tty of a device that is not USB.
    fs::create_dir(class.join("ttyUSB7")).unwrap();
    std::os::unix::fs::symlink("../../devices/nowhere", class.join("ttyUSB8")).unwrap();
    fs::write(class.join("ttyACM9"), "").unwrap();
    fs::create_dir(class.join("ttyS0")).unwrap();
    let platform = machine.tree.sysfs().join("devices/platform/serial8250");
    fs::create_dir_all(&platform).unwrap();
    fs::create_dir(class.join("ttyUSB6")).unwrap();
    std::os::unix::fs::symlink(platform, class.join("ttyUSB6/device")).unwrap();
    // Malformed ids, and no device number.
    let malformed = FakeDevice::ch340("2", "ttyUSB1");
    machine.plug(&malformed);
    fs::write(machine.tree.usb_dir(&malformed).join("idVendor"), "xyz\n").unwrap();
    let halfway = FakeDevice::ch340("3", "ttyUSB2");
    machine.plug(&halfway);
    fs::remove_file(machine.tree.usb_dir(&halfway).join("devnum")).unwrap();
    assert_eq!(machine.scan().len(), 1);
}

#[test]
fn a_tty_without_a_device_node_is_not_offered() {
    let mut without = FakeDevice::ch340("1", "ttyUSB0");
    without.ttys[0].node = None;
    let mut dangling = FakeDevice::ch340("2", "ttyUSB1");
    dangling.ttys[0].node = Some("/nonexistent/pts/7".into());
    let mut file = FakeDevice::ch340("3", "ttyUSB2");
    file.ttys[0].node = Some("/proc/self/status".into());
    assert_eq!(Machine::with(&[&without, &dangling, &file]).scan(), []);
}

#[test]
fn strings_that_are_not_utf8_or_endless_are_survived() {
    let uno = FakeDevice::uno("1", "75835353038351F0B1A1", "ttyACM0");
    let machine = Machine::with(&[&uno]);
    let usb = machine.tree.usb_dir(&uno);
    fs::write(usb.join("serial"), b"\xff\xfe\x00A\n").unwrap();
    fs::write(usb.join("product"), "x".repeat(100_000)).unwrap();
    let port = machine.scan().remove(0);
    assert_eq!(port.serial.as_deref(), Some("\u{fffd}\u{fffd}\0A"));
    assert_eq!(port.product.unwrap().len(), 512);
}

#[test]
fn no_sysfs_means_no_ports() {
    assert_eq!(scan(Path::new("/nonexistent"), Path::new("/dev")).unwrap(), []);
}

#[test]
fn a_list_that_cannot_be_read_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("class")).unwrap();
    fs::write(dir.path().join("class/tty"), "").unwrap();
    let error = scan(dir.path(), Path::new("/dev")).unwrap_err();
    assert!(error.to_string().contains("class/tty"), "{error}");
}

#[test]
fn usb_devices_are_found_with_and_without_a_tty() {
    let bootloader = FakeDevice::new("2", 0x2e8a, 0x0003);
    let taken = FakeDevice::new("3.1", 0x1a86, 0x7523);
    let machine = Machine::with(&[&FakeDevice::uno("1", "75835353038351F0B1A1", "ttyACM0"), &bootloader, &taken]);
    machine.tree.add_interface(&bootloader, 0, 8, Some("usb-storage")).unwrap();
    machine.tree.add_interface(&taken, 0, 255, None).unwrap();
    let devices = usb_devices(&machine.tree.sysfs()).unwrap();
    let seen: Vec<_> = devices.iter().map(|device| (device.pid, device.path.as_str(), device.has_tty())).collect();
    let place = |ports: &str| format!("pci-0000:00:14.0-usb-0:{ports}");
    let places = [place("1"), place("2"), place("3.1")];
    assert_eq!(seen, [(0x0043, &*places[0], true), (0x0003, &*places[1], false), (0x7523, &*places[2], false)]);
    let drivers: Vec<_> = devices.iter().map(|device| device.interfaces[0].driver.as_deref()).collect();
    assert_eq!(drivers, [None, Some("usb-storage"), None]);
    assert_eq!(devices[2].interfaces[0].class, 255);
    assert_eq!(machine.scan()[0].path, devices[0].path, "a port and its device have the same path");
}
