use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;
use crate::io::scan::fake_tree::{FakeDevice, FakeTree};
use crate::pure::port::UsbDevice;

/// A host of one's own.
struct Host {
    dir: tempfile::TempDir,
    tree: FakeTree,
    roots: Roots,
}

impl Host {
    fn new() -> Host {
        let dir = tempfile::tempdir().unwrap();
        let tree = FakeTree::new(dir.path()).unwrap();
        let roots = Roots { sysfs: tree.sysfs(), dev: tree.dev(), system: dir.path().to_owned() };
        Host { dir, tree, roots }
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn run(&self, pid: u32, name: &str, command_line: &str) {
        self.write(&format!("proc/{pid}/comm"), &format!("{name}\n"));
        self.write(&format!("proc/{pid}/cmdline"), command_line);
    }

    fn release() -> String {
        rustix::system::uname().release().to_string_lossy().into_owned()
    }
}

#[test]
fn programs_are_found_by_name_and_the_serving_bridge_by_what_it_does() {
    let host = Host::new();
    assert_eq!(program(&host.roots, "ModemManager"), None);
    host.run(12, "ModemManager", "/usr/sbin/ModemManager\0");
    host.run(40, "microflo-bridge", "microflo-bridge\0doctor\0");
    host.run(41, "microflo-bridge", "/usr/bin/microflo-bridge\0run\0");
    host.write("proc/41/status", "Uid:\t61184\t61184\t61184\t61184\nGid:\t61184\t61184\t61184\t61184\nGroups:\t20 \n");
    assert_eq!(program(&host.roots, "ModemManager").map(|program| program.pid), Some(12));
    let bridge = bridge(&host.roots).unwrap();
    assert_eq!((bridge.uid, bridge.groups.as_slice()), (61184, [20, 61184].as_slice()));
}

#[test]
fn a_driver_is_loaded_on_the_disk_or_nowhere() {
    let host = Host::new();
    assert!(!modules_on_disk(&host.roots));
    let modules = format!("lib/modules/{}", Host::release());
    host.write(&format!("{modules}/modules.dep"), "kernel/drivers/usb/class/cdc-acm.ko.xz:\nkernel/a/usbserial.ko:\n");
    host.write(&format!("{modules}/modules.builtin"), "kernel/drivers/usb/serial/cp210x.ko\n");
    fs::create_dir_all(host.roots.sysfs.join("module/ftdi_sio")).unwrap();
    assert!(modules_on_disk(&host.roots));
    let seen: Vec<_> =
        drivers(&host.roots).into_iter().map(|driver| (driver.name, driver.loaded, driver.on_disk)).collect();
    let expected = [
        ("cdc_acm", false, true),
        ("ch341", false, false),
        ("ftdi_sio", true, false),
        ("cp210x", false, true),
        ("pl2303", false, false),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn the_packages_rules_are_found_unless_they_are_switched_off() {
    let host = Host::new();
    assert_eq!(
        udev(&host.roots),
        crate::pure::doctor::Udev { running: false, rules: None, brltty_rules: Default::default() }
    );
    host.write("run/udev/control", "");
    host.write("usr/lib/udev/rules.d/70-microflo-bridge.rules", "ACTION==\"remove\"\n");
    host.write("usr/lib/udev/rules.d/85-brltty.rules", "ACTION==\"add\"\n");
    let found = udev(&host.roots);
    assert!(found.running && found.rules.is_some() && found.brltty_rules.len() == 1, "{found:?}");
    host.write("etc/udev/rules.d/x", "");
    for off in ["70-microflo-bridge.rules", "85-brltty.rules"] {
        symlink("/dev/null", host.dir.path().join("etc/udev/rules.d").join(off)).unwrap();
    }
    let found = udev(&host.roots);
    assert!(found.rules.is_none() && found.brltty_rules.is_empty(), "{found:?}");
}

#[test]
fn what_udev_has_told_modem_manager_of_a_port_or_its_device_is_known() {
    let mut host = Host::new();
    let uno = FakeDevice::uno("1", "75835353038351F0B1A1", "ttyACM0");
    host.tree.plug(&uno).unwrap();
    let hidden = |host: &Host| ports(&host.roots).unwrap()[0].hidden_from_modem_manager;
    host.write("run/udev/data/c166:0", "E:ID_MM_PORT_IGNORE=1\n");
    host.write("run/udev/data/c189:4", "E:ID_MM_DEVICE_IGNORE=1\n");
    assert!(!hidden(&host), "nobody knows their numbers");
    fs::write(host.roots.sysfs.join("class/tty/ttyACM0/dev"), "166:0\n").unwrap();
    assert!(hidden(&host));
    host.write("run/udev/data/c166:0", "E:ID_MM_CANDIDATE=1\n");
    assert!(!hidden(&host));
    fs::write(host.tree.usb_dir(&uno).join("dev"), "189:4\n").unwrap();
    assert!(hidden(&host));
}

#[test]
fn a_port_has_an_owner_and_a_device_without_one_is_found() {
    let mut host = Host::new();
    host.write("etc/group", "root:x:0:\n");
    host.tree.plug(&FakeDevice::uno("1", "75835353038351F0B1A1", "ttyACM0")).unwrap();
    let chip = FakeDevice::new("2", 0x1a86, 0x7523);
    host.tree.plug(&chip).unwrap();
    host.tree.add_interface(&chip, 0, 255, Some("usbfs")).unwrap();
    let ports = ports(&host.roots).unwrap();
    let node = ports[0].node.as_ref().unwrap();
    assert_eq!((ports.len(), node.gid, node.group.as_deref(), node.mode & 0o777), (1, 0, Some("root"), 0o666));
    let without: Vec<UsbDevice> = without_tty(&host.roots).unwrap();
    assert_eq!((without.len(), without[0].pid), (1, 0x7523));
    assert_eq!(without[0].interfaces[0].driver.as_deref(), Some("usbfs"));
}

#[test]
fn a_state_directory_is_possible_below_one_that_can_be_written() {
    let dir = tempfile::tempdir().unwrap();
    let wanted = dir.path().join("a/b/state");
    assert_eq!(state_dir(&wanted).problem, None);
    assert!(!dir.path().join("a").exists(), "nothing is made");
    fs::write(dir.path().join("a"), "").unwrap();
    let (place, why) = state_dir(&wanted).problem.unwrap();
    assert_eq!((place, why.as_str()), (dir.path().join("a"), "it is no directory"));
    fs::remove_file(dir.path().join("a")).unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o500)).unwrap();
    // Root may write everywhere.
    assert_eq!(state_dir(&wanted).problem.is_some(), !rustix::process::geteuid().is_root());
}

#[test]
fn the_service_is_installed_with_its_unit() {
    let host = Host::new();
    assert!(!has_service(&host.roots));
    host.write("usr/lib/systemd/system/microflo-bridge.service", "[Unit]\n");
    assert!(has_service(&host.roots));
}
