//! Ports: where a board is attached.

use std::path::PathBuf;

/// A place where a board is, or may be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Port {
    /// A USB-serial tty that the scan found.
    Usb(UsbPort),
    /// A path that the user named with `--device`: a PTY or a UART. Naming it is consent to open it.
    Named(PathBuf),
    /// A simulated board, counted from 0.
    Simulated(u32),
}

/// What the system says of a USB-serial tty.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UsbPort {
    /// The device node, for example `/dev/ttyACM0`. Never part of identity.
    pub device: PathBuf,
    /// USB vendor id.
    pub vid: u16,
    /// USB product id.
    pub pid: u16,
    /// The serial number string as the device has it.
    pub serial: Option<String>,
    /// The manufacturer string.
    pub manufacturer: Option<String>,
    /// The product string.
    pub product: Option<String>,
    /// USB interface number.
    pub interface: u8,
    /// usb-serial's port number, for adapters with several ports on one interface.
    pub port_number: Option<u8>,
    /// The physical path: controller and hub ports, as udev's `ID_PATH` has it, without the interface.
    pub path: String,
    /// The kernel's number for this plugging (`busnum/devnum`): changes with each replug, so that a fast one is noticed.
    pub plugging: String,
}

impl Port {
    /// The device node to open; a simulated board has none.
    pub fn device(&self) -> Option<&std::path::Path> {
        match self {
            Port::Usb(usb) => Some(&usb.device),
            Port::Named(path) => Some(path),
            Port::Simulated(_) => None,
        }
    }
}

impl std::fmt::Display for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Port::Usb(usb) => write!(f, "{} ({:04x}:{:04x})", usb.device.display(), usb.vid, usb.pid),
            Port::Named(path) => write!(f, "{}", path.display()),
            Port::Simulated(index) => write!(f, "simulated board {}", index + 1),
        }
    }
}
