//! Boards whose processor is the USB device vanish while they are flashed, appear as their bootloader, and come back.

use std::time::Duration;

use super::families::{Kind, classify};
use super::port::{UsbDevice, UsbPort};

/// How soon after the board vanished its bootloader appears.
pub const BOOTLOADER_WITHIN: Duration = Duration::from_secs(12);

/// How long a board takes from the end of its bootloader until it is there again.
pub const BACK_WITHIN: Duration = Duration::from_secs(3);

/// Whether a USB id is a bootloader's: never opened, and never a board of its own.
pub fn is_bootloader(vid: u16, pid: u16) -> bool {
    matches!(classify(vid, pid), Kind::Bootloader(_))
}

/// Whether a device is the bootloader of the board that was at `board` until now. The place decides: the two have other USB
/// ids and other serial numbers, and cores share bootloaders.
pub fn is_bootloader_of(board: &UsbPort, device: &UsbDevice) -> bool {
    is_bootloader(device.vid, device.pid) && device.path == board.path
}

/// What is said of a board meanwhile.
pub fn reason(bootloader: Option<&UsbDevice>) -> String {
    match bootloader.map(|device| classify(device.vid, device.pid)) {
        Some(Kind::Bootloader(family)) => {
            format!(
                "it is being flashed (bootloader: {}); it is left alone, and comes up by itself when that is done",
                family.name
            )
        }
        _ => "it was flashed and starts again".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leonardo() -> UsbPort {
        UsbPort {
            device: "/dev/ttyACM0".into(),
            vid: 0x2341,
            pid: 0x8036,
            serial: None,
            manufacturer: None,
            product: None,
            interface: 0,
            port_number: None,
            path: "pci-0000:00:14.0-usb-0:2".into(),
            plugging: "1/4".into(),
        }
    }

    fn device(vid: u16, pid: u16, path: &str) -> UsbDevice {
        UsbDevice { vid, pid, product: None, path: path.into(), interfaces: Vec::new() }
    }

    #[test]
    fn a_bootloader_belongs_to_the_board_that_was_in_its_place() {
        let here = leonardo().path;
        for (vid, pid) in [(0x2341, 0x0036), (0x2a03, 0x0037), (0x2e8a, 0x0003), (0x03eb, 0x6124), (0x16c0, 0x0478)] {
            assert!(is_bootloader_of(&leonardo(), &device(vid, pid, &here)), "{vid:04x}:{pid:04x}");
            assert!(!is_bootloader_of(&leonardo(), &device(vid, pid, "pci-0000:00:14.0-usb-0:3")));
        }
        assert!(!is_bootloader_of(&leonardo(), &device(0x2341, 0x8036, &here)), "that is the board itself");
        assert!(!is_bootloader_of(&leonardo(), &device(0x0781, 0x5567, &here)), "that is a memory stick");
    }

    #[test]
    fn it_is_said_that_it_is_being_flashed() {
        let text = reason(Some(&device(0x2341, 0x0036, "")));
        assert!(text.contains("being flashed (bootloader: Arduino Leonardo)"), "{text}");
    }
}
