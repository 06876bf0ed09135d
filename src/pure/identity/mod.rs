//! Identity: which id a board has, and why.
//!
//! A ladder; the first rung that holds decides:
//!
//! | rung | key | follows the board to |
//! |---|---|---|
//! | `on-board` | none: the board stores the id itself | any port of any host, and through any adapter |
//! | `serial` | `VID:PID:SERIAL:INTERFACE[:PORT]` | any port of any host |
//! | `path` | `HOST:VID:PID:PATH:INTERFACE[:PORT]` | nowhere: it names the USB port |
//! | `device` | `HOST:PATH` | nowhere: it names the path given with `--device` |
//! | `simulated` | `HOST:INDEX` | nowhere |
//!
//! The id on the board is known only once the board answers, so a board begins with what the rungs below give ([`told`]).
//!
//! The exact strings, which must never change, because ids are derived from them:
//! - `VID`, `PID`: four lowercase hex digits. `INTERFACE`: two lowercase hex digits.
//! - `PORT`: usb-serial's port number in decimal, left out with its colon where the driver gives none.
//! - `SERIAL`: as the device has it, with `%` written `%25` and `:` written `%3a`.
//! - `PATH` in `path`: [`UsbPort::path`]; in `device`: the bytes as typed, symbolic links unresolved.
//! - `HOST`: the [`HostKey`] as 64 lowercase hex digits. `INDEX`: decimal, from 0.
//!
//! The UUID is the first 16 bytes of SHA-256(`microflo-bridge/1` NUL rung NUL key) with the version (4) and variant
//! bits set. So it survives a lost state directory. [`twins`] says what happens when two boards have the same serial.

pub mod label;
pub mod serial_number;
pub mod told;
pub mod twins;

use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use sha2::{Digest, Sha256};
use uuid::Uuid;

pub use label::default_label;
pub use serial_number::is_plausible;
pub use twins::{Assigned, Assignment, SerialMemory, assign};

use super::port::UsbPort;

/// Starts everything that is hashed; the number is the version of this scheme.
const SCHEME: &[u8] = b"microflo-bridge/1";

/// What an id stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rung {
    /// The board stores it.
    OnBoard,
    /// A plausible, unique USB serial number.
    Serial,
    /// The USB port that the board is plugged into.
    Path,
    /// The path given with `--device`.
    Device,
    /// A simulated board's number.
    Simulated,
}

impl Rung {
    /// The name, as hashed and as shown.
    pub const fn name(self) -> &'static str {
        match self {
            Rung::OnBoard => "on-board",
            Rung::Serial => "serial",
            Rung::Path => "path",
            Rung::Device => "device",
            Rung::Simulated => "simulated",
        }
    }
}

impl fmt::Display for Rung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Tells this host from all others, so that the same USB port of two identical machines gives two ids.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct HostKey([u8; 32]);

impl HostKey {
    /// From the text of `/etc/machine-id`, hashed because a machine id must not be published. `None` where it says
    /// nothing (`uninitialized`, empty, all zeros): use a stored random one then.
    pub fn from_machine_id(text: &str) -> Option<HostKey> {
        let id = text.trim();
        let plausible = id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()) && id.bytes().any(|b| b != b'0');
        plausible.then(|| HostKey(hash(b"host", id.to_ascii_lowercase().as_bytes())))
    }

    /// From random bytes that are kept in the state directory.
    pub const fn from_random(bytes: [u8; 32]) -> HostKey {
        HostKey(bytes)
    }
}

impl fmt::Display for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HostKey(…)")
    }
}

/// The id for a key on a rung.
pub fn derive_id(rung: Rung, key: &[u8]) -> Uuid {
    let digest = hash(rung.name().as_bytes(), key);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

/// The key on the `serial` rung, or `None` where the serial number is missing or junk. Names the board wherever it is.
pub fn serial_key(usb: &UsbPort) -> Option<String> {
    let serial = usb.serial.as_deref().filter(|serial| is_plausible(serial))?;
    let serial = serial.replace('%', "%25").replace(':', "%3a");
    Some(format!("{:04x}:{:04x}:{serial}:{}", usb.vid, usb.pid, function(usb)))
}

/// The id that stands on the USB port.
fn path_id(usb: &UsbPort, host: &HostKey) -> Uuid {
    let key = format!("{host}:{:04x}:{:04x}:{}:{}", usb.vid, usb.pid, usb.path, function(usb));
    derive_id(Rung::Path, key.as_bytes())
}

/// The id of a path given with `--device`.
fn device_id(path: &Path, host: &HostKey) -> Uuid {
    let mut key = format!("{host}:").into_bytes();
    key.extend_from_slice(path.as_os_str().as_bytes());
    derive_id(Rung::Device, &key)
}

/// The id of a simulated board.
fn simulated_id(index: u32, host: &HostKey) -> Uuid {
    derive_id(Rung::Simulated, format!("{host}:{index}").as_bytes())
}

/// Interface and port number: tells apart the ttys of one USB device.
fn function(usb: &UsbPort) -> String {
    match usb.port_number {
        Some(port) => format!("{:02x}:{port}", usb.interface),
        None => format!("{:02x}", usb.interface),
    }
}

fn hash(what: &[u8], key: &[u8]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in [SCHEME, b"\0", what, b"\0", key] {
        hasher.update(part);
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests;
