//! USB-serial ports, and devices that should have one.

use super::{Roots, udev};
use crate::io::accounts;
use crate::io::scan::{ScanError, scan, usb_devices};
use crate::io::serial::user_of;
use crate::pure::doctor::{BRIDGE, PortFacts};
use crate::pure::port::{UsbDevice, UsbPort};

/// The ports, with who may and who does have them open.
pub fn ports(roots: &Roots) -> Result<Vec<PortFacts>, ScanError> {
    let facts = |usb: UsbPort| PortFacts {
        node: accounts::node(&usb.device, &roots.etc()).ok(),
        holder: user_of(&usb.device, |program| program.name == BRIDGE),
        hidden_from_modem_manager: udev::hides_from_modem_manager(roots, &usb),
        usb,
    };
    Ok(scan(&roots.sysfs, &roots.dev)?.into_iter().map(facts).collect())
}

/// USB devices without a tty.
pub fn without_tty(roots: &Roots) -> Result<Vec<UsbDevice>, ScanError> {
    let mut devices = usb_devices(&roots.sysfs)?;
    devices.retain(|device| !device.has_tty());
    Ok(devices)
}
