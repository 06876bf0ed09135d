//! The words that go with a board's state: why, and what to do.

use crate::pure::view::Firmware;

pub(super) fn booting() -> String {
    "the port is open; the board has time to start".into()
}

pub(super) fn handshaking(bauds: &[u32]) -> String {
    format!("looking for MicroFlo at {} baud", list(bauds))
}

pub(super) fn reading() -> String {
    "the board answers; the names of its components are being read from it, once for all boards with this firmware"
        .into()
}

pub(super) fn ready(firmware: Firmware, has_library: bool) -> String {
    let answers = format!("MicroFlo ({}) answers at {} baud", firmware.dialect.name(), firmware.baud);
    if has_library {
        answers
    } else {
        format!(
            "{answers}; it has no component map, so it can only be used raw: type `microflo-bridge firmware add DIRECTORY` with \
             the directory that `microflo generate` wrote to"
        )
    }
}

pub(super) fn silent(bauds: &[u32]) -> String {
    format!(
        "the port opens, but nothing answers at {} baud: is MicroFlo flashed, and does it use another baud rate (`bauds` in the config)?",
        list(bauds)
    )
}

pub(super) fn gone_silent() -> String {
    "the board answered before and does not any more: it hangs, or lost its power; still trying".into()
}

pub(super) fn not_microflo(bytes: &[u8], bauds: &[u32]) -> String {
    let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let text: String = bytes
        .iter()
        .map(|byte| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '.' })
        .collect();
    format!("something answers at {} baud that is not MicroFlo: {} \"{text}\"", list(bauds), hex.join(" "))
}

fn list(bauds: &[u32]) -> String {
    bauds.iter().map(u32::to_string).collect::<Vec<_>>().join(" or ")
}
