//! Finds USB devices, those without a tty too: some bootloaders have none, and a device may lack its driver.

use std::io;
use std::path::Path;

use super::{ScanError, TTY_PREFIXES, canonical, hex, id_path, optional};
use crate::pure::port::{UsbDevice, UsbInterface};

/// All USB devices but the hubs inside the computer, ordered by physical place. Blocks for as long as sysfs does.
pub fn usb_devices(sysfs_root: &Path) -> Result<Vec<UsbDevice>, ScanError> {
    let bus = sysfs_root.join("bus/usb/devices");
    let unreadable = |source| ScanError::Unreadable { path: bus.clone(), source };
    let entries = match bus.read_dir() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(unreadable)?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let name = entry.map_err(unreadable)?.file_name();
        // `1-3.1` is a device, `usb1` a controller, `1-3.1:1.0` an interface.
        let name = name.to_string_lossy();
        if name.contains('-') && !name.contains(':') {
            found.extend(read_device(sysfs_root, &bus.join(&*name)));
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// `None`: it went away meanwhile.
fn read_device(sysfs_root: &Path, entry: &Path) -> Option<UsbDevice> {
    let dir = canonical(entry).ok()?;
    let mut interfaces: Vec<UsbInterface> =
        dir.read_dir().ok()?.flatten().filter_map(|child| read_interface(&child.path())).collect();
    interfaces.sort_by_key(|interface| interface.number);
    Some(UsbDevice {
        vid: hex(&dir.join("idVendor")).ok()?,
        pid: hex(&dir.join("idProduct")).ok()?,
        product: optional(&dir.join("product")),
        path: id_path::id_path(&canonical(sysfs_root).ok()?, &dir)?,
        interfaces,
    })
}

fn read_interface(dir: &Path) -> Option<UsbInterface> {
    let byte = |name: &str| hex(&dir.join(name)).ok().map(|value| value.to_le_bytes()[0]);
    let driver = dir.join("driver").read_link().ok();
    Some(UsbInterface {
        number: byte("bInterfaceNumber")?,
        class: byte("bInterfaceClass").unwrap_or_default(),
        driver: driver.and_then(|target| Some(target.file_name()?.to_str()?.to_owned())),
        // cdc_acm's is in `tty`, usb-serial's port has its name.
        has_tty: dir.join("tty").exists() || has_usb_serial_port(dir),
    })
}

fn has_usb_serial_port(interface: &Path) -> bool {
    let Ok(children) = interface.read_dir() else { return false };
    children.flatten().any(|child| {
        let name = child.file_name();
        TTY_PREFIXES.iter().any(|prefix| name.as_encoded_bytes().starts_with(prefix.as_bytes()))
    })
}
