//! Which serial numbers can be believed.

/// Serial numbers that whole production runs share: factory defaults, copies of one genuine chip, text-book examples.
const JUNK: &[&str] = &[
    "0001",
    "0123456789",
    "0123456789abcdef",
    "01234567",
    "0x0001",
    "123",
    "1234",
    "12345",
    "123456",
    "1234567",
    "12345678",
    "123456789",
    "1234567890",
    "123456789012",
    "abc",
    "abcdef",
    "arduino",
    "default",
    "deadbeef",
    "na",
    "none",
    "not set",
    "null",
    "serial",
    "serial number",
    "serialnumber",
    "test",
    "unknown",
    "usb",
    "usb serial",
    "midi",
    // Cloned FT232R chips.
    "a50285bi",
    "a5069rr4",
];

/// The longest serial number that a USB string descriptor can carry, in characters.
const MAX_CHARS: usize = 126;

/// The fewest characters that can tell boards apart.
const MIN_CHARS: usize = 3;

/// Whether a USB serial number may name a board. Not those that are empty, zeros, one repeated character, known
/// factory defaults, or garbage from a descriptor that was never written.
pub fn is_plausible(serial: &str) -> bool {
    let chars = serial.chars().count();
    let clean = serial.chars().all(|c| c.is_ascii_graphic() || c == ' ') && serial.trim() == serial;
    let varied = serial.chars().any(|c| !serial.starts_with(c));
    // `0001`, `00000002`: counted by hand, or not at all.
    let counts = serial.trim_start_matches('0').chars().count() >= 2;
    (MIN_CHARS..=MAX_CHARS).contains(&chars)
        && clean
        && varied
        && counts
        && !is_plugin_list(serial)
        && !JUNK.iter().any(|junk| junk.eq_ignore_ascii_case(serial))
}

/// `HID` and two letters: the 32u4 core puts the names of the sketch's USB plug-ins where a serial number belongs.
fn is_plugin_list(serial: &str) -> bool {
    serial.len() == 5
        && serial.strip_prefix("HID").is_some_and(|size| size.bytes().all(|letter| (b'A'..=b'P').contains(&letter)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_serial_numbers_are_believed() {
        for serial in [
            "75835353038351F0B1A1", // Uno R3
            "AH03F1X2",             // FTDI
            "E660583883724A32",     // RP2040
            "1594720",              // Teensy
            "34:85:18:9A:0B:C4",    // ESP32-S3
            "AH03F1X2 A",
            "BOARD1",
        ] {
            assert!(is_plausible(serial), "{serial}");
        }
    }

    #[test]
    fn junk_serial_numbers_are_not() {
        for serial in [
            "",
            " ",
            "0",
            "00",
            "0000000000000000",
            "0001",
            "0002",
            "1",
            "12",
            "00000009",
            "FFFFFFFF",
            "xxxx",
            "----",
            "12345678",
            "1234567890",
            "0123456789ABCDEF",
            "DEADBEEF",
            "Unknown",
            "none",
            "HIDFG",
            "A50285BI",
            " AH03F1X2",
            "A5\u{1}0285",
            "A5\n0285",
            "ab\u{fffd}cd",
            "\u{3f}\u{3f}\u{3f}",
            "\u{409}\u{409}\u{440}",
        ] {
            assert!(!is_plausible(serial), "{serial:?}");
        }
        assert!(!is_plausible(&"ab".repeat(64)));
    }
}
