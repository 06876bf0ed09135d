//! Boards that are plugged in and have no serial port: nobody has loaded the driver, or brltty has taken the device.

use super::{Check, Facts, Finding, sudo};
use crate::pure::families::{Kind, classify, name_of};
use crate::pure::port::UsbDevice;

/// The interface class of boards that are modems to the kernel.
const CLASS_MODEM: u8 = 2;
/// The interface class of chips with a driver of their own.
const CLASS_VENDOR: u8 = 255;
/// What the kernel says of an interface that a program drives itself.
const TAKEN_BY_PROGRAM: &str = "usbfs";

/// Vendors of generic chips: those that brltty takes for braille displays, and the modules that drive them.
const CHIPS: [(u16, &str); 4] = [(0x1a86, "ch341"), (0x0403, "ftdi_sio"), (0x10c4, "cp210x"), (0x067b, "pl2303")];

/// The modules that drive boards.
pub const MODULES: [&str; 5] = ["cdc_acm", "ch341", "ftdi_sio", "cp210x", "pl2303"];

pub(super) fn examine(facts: &Facts) -> Vec<Finding> {
    facts.without_tty.iter().filter_map(|device| of_device(facts, device)).collect()
}

fn of_device(facts: &Facts, device: &UsbDevice) -> Option<Finding> {
    if !matches!(classify(device.vid, device.pid), Kind::Known(_) | Kind::Generic(_)) {
        return None;
    }
    let module = module_for(device)?;
    let name = device.product.as_deref().or_else(|| name_of(device.vid, device.pid)).unwrap_or("USB device");
    let subject = format!("{name} ({:04x}:{:04x})", device.vid, device.pid);
    // A driver that is there and has lost it to brltty.
    let is_lost =
        facts.brltty.is_some() && is_chip(device) && facts.drivers.iter().any(|it| it.name == module && it.loaded);
    if is_taken(device) || is_lost {
        return Some(taken(facts, subject));
    }
    let serial = |class: u8| matches!(class, CLASS_MODEM | CLASS_VENDOR);
    let lacks_driver = device.interfaces.iter().any(|interface| interface.driver.is_none() && serial(interface.class));
    lacks_driver.then(|| without_driver(facts, subject, module))
}

fn is_taken(device: &UsbDevice) -> bool {
    device.interfaces.iter().any(|interface| interface.driver.as_deref() == Some(TAKEN_BY_PROGRAM))
}

fn is_chip(device: &UsbDevice) -> bool {
    CHIPS.iter().any(|(vid, _)| *vid == device.vid)
}

fn taken(facts: &Facts, subject: String) -> Finding {
    if facts.brltty.is_some() || !facts.udev.brltty_rules.is_empty() {
        let problem = "brltty takes it for a braille display, so it has no serial port; unless somebody here reads \
                       braille, remove brltty, then plug the board in again";
        return Finding::blocking(Check::Brltty, subject, problem).command(sudo(facts.root, "apt remove brltty"));
    }
    let problem = "a program drives it by itself through USB, so it has no serial port; close that program, then plug \
                   the board in again";
    Finding::blocking(Check::Driver, subject, problem).command("sudo lsof /dev/bus/usb/*/*".to_owned())
}

fn module_for(device: &UsbDevice) -> Option<&'static str> {
    if device.interfaces.iter().any(|interface| interface.class == CLASS_MODEM) {
        return Some("cdc_acm");
    }
    CHIPS.iter().find(|(vid, _)| *vid == device.vid).map(|(_, module)| *module)
}

fn without_driver(facts: &Facts, subject: String, module: &str) -> Finding {
    let driver = facts.drivers.iter().find(|driver| driver.name == module);
    let (problem, command) = match driver {
        Some(driver) if driver.loaded => (
            format!("the driver {module} is loaded and does not take it; the kernel's messages tell why"),
            sudo(facts.root, "dmesg | grep -i usb | tail"),
        ),
        _ if !facts.modules_on_disk => (
            format!(
                "its driver {module} is not loaded, and cannot be: the running kernel's modules are gone, as after an \
                     update; start the computer again"
            ),
            sudo(facts.root, "reboot"),
        ),
        Some(driver) if !driver.on_disk => (
            format!(
                "this kernel comes without its driver {module}; install the kernel's other modules, or one with all, and start \
                 the computer again"
            ),
            // Ubuntu's package, else Debian's.
            sudo(
                facts.root,
                "sh -c 'apt install linux-modules-extra-$(uname -r) || apt install linux-image-$(dpkg --print-architecture)'",
            ),
        ),
        _ => (
            format!("its driver {module} is not loaded, so it has no serial port"),
            sudo(facts.root, &format!("modprobe {module}")),
        ),
    };
    Finding::blocking(Check::Driver, subject, problem).command(command)
}
