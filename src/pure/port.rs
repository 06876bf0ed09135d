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

/// A USB device as a whole, whether it has a tty or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsbDevice {
    /// USB vendor id.
    pub vid: u16,
    /// USB product id.
    pub pid: u16,
    /// The product string.
    pub product: Option<String>,
    /// The physical path, as [`UsbPort::path`].
    pub path: String,
    /// What it can be used as. None while the kernel has not set it up.
    pub interfaces: Vec<UsbInterface>,
}

/// One interface of a USB device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsbInterface {
    /// USB interface number.
    pub number: u8,
    /// USB interface class: 2 is a modem (cdc_acm), 255 is of the vendor's own kind.
    pub class: u8,
    /// The kernel driver that has it; `usbfs` where a program has it.
    pub driver: Option<String>,
    /// Whether it has a tty.
    pub has_tty: bool,
}

impl UsbDevice {
    /// Whether any of it is a serial port.
    pub fn has_tty(&self) -> bool {
        self.interfaces.iter().any(|interface| interface.has_tty)
    }
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
