//! Finds USB-serial ttys by reading sysfs. The scan is the truth about what is plugged in; hotplug events only say when
//! to scan.
//!
//! Both roots are arguments, so that a test can scan a tree of its own. Nothing is opened, and `ttyS*` is never offered.

#[cfg(test)]
pub(crate) mod fake_tree;
mod id_path;
#[cfg(test)]
mod tests;
mod usb;

use std::ffi::OsStr;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

pub use self::usb::usb_devices;
use crate::pure::port::UsbPort;

/// Names of USB-serial device nodes begin with one of these.
pub(crate) const TTY_PREFIXES: [&str; 2] = ["ttyUSB", "ttyACM"];

/// More than the longest attribute read here: a USB string has at most 126 UTF-16 units.
const MAX_ATTRIBUTE_BYTES: usize = 512;

/// Why a scan failed as a whole. A single tty that cannot be read is left out instead.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// The list of ttys exists and cannot be read.
    #[error("cannot list serial ports: {path} cannot be read ({source}); is /sys mounted and open to this user?")]
    Unreadable {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// All USB-serial ttys that have a usable device node, ordered by physical place.
///
/// `sysfs_root` is usually `/sys`, `dev_root` `/dev`. Blocks for as long as sysfs does, normally less than a
/// millisecond per tty.
pub fn scan(sysfs_root: &Path, dev_root: &Path) -> Result<Vec<UsbPort>, ScanError> {
    let class = sysfs_root.join("class/tty");
    let unreadable = |source| ScanError::Unreadable { path: class.clone(), source };
    let entries = match class.read_dir() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(unreadable)?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let name = entry.map_err(unreadable)?.file_name();
        if !is_usb_serial_name(&name) {
            continue;
        }
        match read_port(sysfs_root, &class.join(&name), dev_root.join(&name)) {
            Ok(port) => found.push((class.join(&name), port)),
            Err(skipped) => tracing::debug!(tty = %name.display(), "not offered: {skipped}"),
        }
    }
    // A board that moved while the scan ran would be seen twice, and look like two boards with one serial number.
    found.retain(|(entry, _)| entry.exists());
    let mut ports: Vec<UsbPort> = found.into_iter().map(|(_, port)| port).collect();
    ports.sort_by(|a, b| place(a).cmp(&place(b)));
    Ok(ports)
}

/// Whether a device node's name is one of a USB-serial tty.
pub(crate) fn is_usb_serial_name(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    TTY_PREFIXES.iter().any(|prefix| name.starts_with(prefix.as_bytes()))
}

fn place(port: &UsbPort) -> (&str, u8, Option<u8>, &Path) {
    (&port.path, port.interface, port.port_number, &port.device)
}

/// Why a tty is not offered.
#[derive(Debug, thiserror::Error)]
enum Skipped {
    #[error("{path}: {source}")]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{path} holds {text:?}")]
    Malformed { path: PathBuf, text: String },
    #[error("{0} is not part of a USB device")]
    NotUsb(PathBuf),
    #[error("{0} is no device node")]
    NoNode(PathBuf),
}

fn read_port(sysfs_root: &Path, entry: &Path, node: PathBuf) -> Result<UsbPort, Skipped> {
    let sysfs_root = canonical(sysfs_root)?;
    let tty_device = canonical(&entry.join("device"))?;
    let interface_dir = ancestor_with(&tty_device, &sysfs_root, "bInterfaceNumber")?;
    let usb_dir = ancestor_with(interface_dir, &sysfs_root, "idVendor")?;
    if !node.metadata().is_ok_and(|found| found.file_type().is_char_device()) {
        return Err(Skipped::NoNode(node));
    }
    Ok(UsbPort {
        device: node,
        vid: hex(&usb_dir.join("idVendor"))?,
        pid: hex(&usb_dir.join("idProduct"))?,
        serial: optional(&usb_dir.join("serial")),
        manufacturer: optional(&usb_dir.join("manufacturer")),
        product: optional(&usb_dir.join("product")),
        interface: hex(&interface_dir.join("bInterfaceNumber"))?.to_le_bytes()[0],
        port_number: optional(&tty_device.join("port_number")).and_then(|text| text.trim().parse().ok()),
        path: id_path::id_path(&sysfs_root, usb_dir).ok_or_else(|| Skipped::NotUsb(usb_dir.to_owned()))?,
        plugging: format!(
            "{}/{}",
            required(&usb_dir.join("busnum"))?.trim(),
            required(&usb_dir.join("devnum"))?.trim()
        ),
    })
}

/// The nearest directory, `start` included, that holds `attribute`.
fn ancestor_with<'a>(start: &'a Path, sysfs_root: &Path, attribute: &str) -> Result<&'a Path, Skipped> {
    start
        .ancestors()
        .take_while(|dir| dir.starts_with(sysfs_root) && *dir != sysfs_root)
        .find(|dir| dir.join(attribute).exists())
        .ok_or_else(|| Skipped::NotUsb(start.to_owned()))
}

fn canonical(path: &Path) -> Result<PathBuf, Skipped> {
    path.canonicalize().map_err(|source| Skipped::Unreadable { path: path.to_owned(), source })
}

/// An attribute's text without the newline that sysfs adds. Bytes that are not UTF-8 become replacement characters.
fn required(path: &Path) -> Result<String, Skipped> {
    let mut bytes = std::fs::read(path).map_err(|source| Skipped::Unreadable { path: path.to_owned(), source })?;
    bytes.truncate(MAX_ATTRIBUTE_BYTES);
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.strip_suffix('\n').unwrap_or(&text).to_owned())
}

/// An attribute that the device may lack; empty counts as lacking.
fn optional(path: &Path) -> Option<String> {
    required(path).ok().filter(|text| !text.is_empty())
}

fn hex(path: &Path) -> Result<u16, Skipped> {
    let text = required(path)?;
    u16::from_str_radix(text.trim(), 16).map_err(|_| Skipped::Malformed { path: path.to_owned(), text })
}
