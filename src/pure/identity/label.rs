//! What a board is called until somebody says otherwise.

use uuid::Uuid;

use crate::pure::families;
use crate::pure::port::{Port, UsbPort};

/// The longest name taken from a device, in characters; with the four of the id it stays within a label's 64.
const MAX_NAME_CHARS: usize = 48;

/// The longest label, in characters.
pub const LABEL_CHARS: usize = 64;

/// A default label: the USB product name (or what else names the port) and the last four of the id.
pub fn default_label(port: &Port, id: Uuid) -> String {
    let name = match port {
        Port::Usb(usb) => usb_name(usb),
        Port::Named(path) => clean(&path.strip_prefix("/dev").unwrap_or(path).to_string_lossy()),
        Port::Simulated(index) => Some(format!("Simulated board {}", index + 1)),
    };
    let hex = id.simple().to_string();
    format!("{} {}", name.as_deref().unwrap_or("Board"), &hex[hex.len() - 4..])
}

fn usb_name(usb: &UsbPort) -> Option<String> {
    let product = usb.product.as_deref().and_then(clean);
    product.or_else(|| families::name_of(usb.vid, usb.pid).map(str::to_owned))
}

/// Text from a device, fit for a label: no control characters, single spaces, bounded.
fn clean(text: &str) -> Option<String> {
    fit(text, MAX_NAME_CHARS)
}

/// A label that a board stores, made fit to be one; `None` if nothing is left of it.
pub fn label_on_board(text: &str) -> Option<String> {
    fit(text, LABEL_CHARS)
}

fn fit(text: &str, most_chars: usize) -> Option<String> {
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    let name: String = words.join(" ").chars().filter(|&c| c != '\u{fffd}').take(most_chars).collect();
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}
