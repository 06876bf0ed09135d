//! What is known of boards and chips by their USB ids.
//!
//! Boards are recognised by exact VID:PID, never by vendor alone: many printers are `2341`s, and `16c0` and `0483` are
//! shared by everybody. Chips that sit in any product are [`Kind::Generic`]: opened only after a yes.

mod table;
pub mod udev;

use std::time::Duration;

use crate::pure::registration::{LINGER, LINGER_NATIVE_USB};

/// How long boards behind a bridge chip stay deaf after the reset that opening causes: the slowest common bootloader.
pub const BRIDGED_BOOT_WINDOW: Duration = Duration::from_secs(2);

/// How long boards that are not reset by opening need until they notice DTR.
const NATIVE_BOOT_WINDOW: Duration = Duration::from_millis(100);

/// What a USB id stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A board that can run MicroFlo.
    Known(Family),
    /// A chip or debug probe that sits on such boards and in many other products.
    Generic(Family),
    /// A known board that waits to be flashed: never opened.
    Bootloader(Family),
    /// Something else.
    Unknown,
}

/// How to treat a board of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Family {
    /// What people call it.
    pub name: &'static str,
    /// How long to stay silent after opening, unless the board speaks first: bytes keep a bootloader awake.
    pub boot_window: Duration,
    /// The processor itself is the USB device: no reset on opening, and it vanishes while it is flashed.
    pub native_usb: bool,
    /// What to do with DTR and RTS once open.
    pub lines: ModemLines,
}

/// What to do with DTR and RTS after opening, which raised both. They always change together, in one request: any
/// other combination holds an ESP32 in reset or starts its bootloader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ModemLines {
    /// Leave them.
    #[default]
    Keep,
    /// Both on: native USB boards discard what they have to say until DTR is on.
    On,
    /// Both off.
    Off,
}

impl Family {
    /// For ports that no table knows: a path given with `--device`, or a device that the user allowed by name.
    pub const UNLISTED: Family = Family::bridged("serial device");

    /// A board behind a chip that resets it when DTR rises.
    const fn bridged(name: &'static str) -> Family {
        Family { name, boot_window: BRIDGED_BOOT_WINDOW, native_usb: false, lines: ModemLines::Keep }
    }

    /// A board behind a second processor that does not reset it when opened.
    const fn companion(name: &'static str) -> Family {
        Family { name, boot_window: NATIVE_BOOT_WINDOW, native_usb: false, lines: ModemLines::On }
    }

    /// A board whose processor is the USB device.
    const fn native(name: &'static str) -> Family {
        Family { name, boot_window: NATIVE_BOOT_WINDOW, native_usb: true, lines: ModemLines::On }
    }

    /// How long a board may be away before its registry entry is deleted.
    pub const fn removal_debounce(&self) -> Duration {
        if self.native_usb { LINGER_NATIVE_USB } else { LINGER }
    }
}

/// What a VID:PID stands for.
pub fn classify(vid: u16, pid: u16) -> Kind {
    for row in table::BOARDS {
        if row.vid == vid && row.pid == pid {
            return Kind::Known(row.family);
        }
        if row.vid == vid && row.bootloader == Some(pid) {
            return Kind::Bootloader(row.family);
        }
    }
    if let Some((_, _, name)) = table::BOOTLOADERS.iter().find(|row| (row.0, row.1) == (vid, pid)) {
        return Kind::Bootloader(Family::native(name));
    }
    let chip = table::CHIPS.iter().find(|chip| chip.vid == vid && chip.pid.is_none_or(|of_chip| of_chip == pid));
    chip.map_or(Kind::Unknown, |chip| Kind::Generic(chip.family))
}

/// What people call a VID:PID, if it is in the tables.
pub fn name_of(vid: u16, pid: u16) -> Option<&'static str> {
    match classify(vid, pid) {
        Kind::Known(family) | Kind::Generic(family) | Kind::Bootloader(family) => Some(family.name),
        Kind::Unknown => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usb_id_stands_for_one_thing() {
        let mut seen = std::collections::BTreeMap::new();
        for row in table::BOARDS {
            assert_eq!(seen.insert((row.vid, row.pid), row.family.name), None, "{:04x}:{:04x}", row.vid, row.pid);
        }
        for row in table::BOARDS {
            let Some(bootloader) = row.bootloader else { continue };
            assert!(!seen.contains_key(&(row.vid, bootloader)), "{:04x}:{bootloader:04x} is a sketch too", row.vid);
        }
    }

    #[test]
    fn arduino_native_bootloaders_are_the_sketch_without_its_top_bit() {
        for row in table::BOARDS.iter().filter(|row| matches!(row.vid, 0x2341 | 0x2a03) && row.pid & 0x8000 != 0) {
            assert!(matches!(classify(row.vid, row.pid & 0x7fff), Kind::Bootloader(_)), "{}", row.family.name);
        }
    }

    #[test]
    fn boards_are_known_by_exact_id_and_chips_are_generic() {
        assert!(matches!(classify(0x2341, 0x0043), Kind::Known(f) if f.name == "Arduino Uno" && !f.native_usb));
        assert!(matches!(classify(0x2341, 0x8036), Kind::Known(f) if f.native_usb && f.lines == ModemLines::On));
        assert!(matches!(classify(0x2341, 0x0036), Kind::Bootloader(_)));
        assert!(matches!(classify(0x1a86, 0x7523), Kind::Generic(f) if f.name == "CH340 serial chip"));
        assert!(matches!(classify(0x0403, 0x1234), Kind::Generic(_)));
        assert!(matches!(classify(0x10c4, 0xea60), Kind::Generic(_)));
        for (vid, pid) in [(0x2341, 0xffff), (0x16c0, 0x05dc), (0x0483, 0x5740), (0x10c4, 0x8a2a), (0x1d6b, 0x0002)] {
            assert_eq!(classify(vid, pid), Kind::Unknown);
        }
    }

    #[test]
    fn boards_that_vanish_while_flashed_are_waited_for_longer() {
        let debounce = |vid, pid| match classify(vid, pid) {
            Kind::Known(family) => family.removal_debounce(),
            other => panic!("{other:?}"),
        };
        assert_eq!(debounce(0x2341, 0x0043), Duration::from_secs(3));
        assert_eq!(debounce(0x2341, 0x8037), Duration::from_secs(12));
    }
}
