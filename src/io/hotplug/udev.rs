//! Events that udev sends when it has set up a device, or has noticed that one is gone: netlink's *udev* group. The kernel's
//! own group comes too early, when the node cannot be opened yet.
//!
//! Where udev does not run, or its events do not arrive (containers), the socket opens all the same and stays silent.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::netlink::{KOBJECT_UEVENT, SocketAddrNetlink};
use rustix::net::sockopt::set_socket_recv_buffer_size;
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, bind, recvfrom, socket_with};
use tokio::io::unix::AsyncFd;

use crate::io::scan::is_usb_serial_name;

/// The multicast group on which udev sends; group 1 is the kernel's.
pub(super) const UDEV_GROUP: u32 = 2;

/// What the kernel keeps for us while we are busy: some thousand events. It may grant less.
const QUEUE_BYTES: usize = 1024 * 1024;

/// How many events are taken before others get their turn.
const MESSAGES_AT_ONCE: usize = 64;

/// Longer than any event that is worth looking into.
const MESSAGE_BYTES: usize = 8192;

/// How a message of udev begins: its name, a number that changes with the format, the header's size, and where the
/// properties are.
const PREFIX: &[u8] = b"libudev\0";
const MAGIC: u32 = 0xfeed_cafe;
const HEADER_BYTES: usize = 24;

/// A subscription. Only processes that may administer the network can send here, and what they say is no more than a hint.
#[derive(Debug)]
pub(super) struct Monitor {
    socket: AsyncFd<OwnedFd>,
}

impl Monitor {
    /// Subscribes. Needs a tokio runtime.
    pub(super) fn new() -> io::Result<Monitor> {
        Monitor::with_queue(QUEUE_BYTES)
    }

    pub(super) fn with_queue(bytes: usize) -> io::Result<Monitor> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, Some(KOBJECT_UEVENT))?;
        set_socket_recv_buffer_size(&socket, bytes)?;
        bind(&socket, &SocketAddrNetlink::new(0, UDEV_GROUP))?;
        // SAFETY: an `OwnedFd` is one descriptor as long as it lives, and it goes with the registration.
        let socket = unsafe { AsyncFd::register(socket) }?;
        Ok(Monitor { socket })
    }

    /// Waits for something that concerns serial ports. Cancel-safe: between reading and returning there is no wait.
    pub(super) async fn event(&mut self) -> io::Result<()> {
        loop {
            let mut ready = self.socket.readable().await?;
            let Drained { matters, emptied } = drain(self.socket.get_ref())?;
            if emptied {
                ready.clear_ready();
            }
            if matters {
                return Ok(());
            }
        }
    }
}

/// What was taken.
struct Drained {
    /// Whether any of it matters.
    matters: bool,
    /// Whether nothing is left.
    emptied: bool,
}

/// Takes what waits, as far as that is not too much at once.
fn drain(socket: &OwnedFd) -> rustix::io::Result<Drained> {
    let mut buffer = [MaybeUninit::uninit(); MESSAGE_BYTES];
    let mut any = false;
    for _ in 0..MESSAGES_AT_ONCE {
        match recvfrom(socket, &mut buffer, RecvFlags::TRUNC) {
            Ok(((message, _), length, sender)) => {
                let sender = sender.and_then(|sender| SocketAddrNetlink::try_from(sender).ok());
                let to_group = sender.is_some_and(|sender| sender.groups() & UDEV_GROUP != 0);
                any |= to_group && (length > message.len() || matters(message));
            }
            Err(Errno::AGAIN) => return Ok(Drained { matters: any, emptied: true }),
            Err(Errno::INTR) => {}
            // Events were lost: the scan finds what they said.
            Err(Errno::NOBUFS) => any = true,
            Err(errno) => return Err(errno),
        }
    }
    Ok(Drained { matters: any, emptied: false })
}

/// Whether a message is about a USB-serial tty, or about a USB device as a whole: some bootloaders have no tty. One that
/// cannot be read may be about anything.
fn matters(message: &[u8]) -> bool {
    let Some(properties) = properties(message) else { return true };
    let value = |key: &[u8]| {
        let mut entries = properties.split(|byte| *byte == 0);
        entries.find_map(|entry| entry.strip_prefix(key)?.strip_prefix(b"="))
    };
    match value(b"SUBSYSTEM") {
        Some(b"tty") => value(b"DEVNAME").is_none_or(is_usb_serial_node),
        Some(b"usb") => value(b"DEVTYPE") == Some(b"usb_device"),
        Some(_) => false,
        None => true,
    }
}

fn is_usb_serial_node(path: &[u8]) -> bool {
    use std::os::unix::ffi::OsStrExt;
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
    is_usb_serial_name(std::ffi::OsStr::from_bytes(name))
}

/// The `KEY=VALUE` entries, each ended by a zero.
fn properties(message: &[u8]) -> Option<&[u8]> {
    let header = message.get(..HEADER_BYTES)?;
    let number = |at: usize| header[at..at + 4].first_chunk::<4>().copied();
    if !header.starts_with(PREFIX) || u32::from_be_bytes(number(8)?) != MAGIC {
        return None;
    }
    // In the order of bytes that this machine has.
    let offset = usize::try_from(u32::from_ne_bytes(number(16)?)).ok()?;
    let length = usize::try_from(u32::from_ne_bytes(number(20)?)).ok()?;
    message.get(offset..offset.checked_add(length)?)
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Duration;

    use rustix::net::{SendFlags, sendto};
    use rustix::thread::{UnshareFlags, unshare_unsafe};
    use tokio::time::timeout;

    use super::*;

    const SOON: Duration = Duration::from_secs(2);
    const A_WHILE: Duration = Duration::from_millis(100);

    /// A message as udev sends it.
    pub(crate) fn message(properties: &[&str]) -> Vec<u8> {
        let properties: Vec<u8> = properties.iter().flat_map(|entry| [entry.as_bytes(), b"\0"].concat()).collect();
        let mut message = PREFIX.to_vec();
        message.extend(MAGIC.to_be_bytes());
        let header_bytes = 40_u32;
        for number in [header_bytes, header_bytes, u32::try_from(properties.len()).unwrap()] {
            message.extend(number.to_ne_bytes());
        }
        message.resize(40, 0);
        message.extend(properties);
        message
    }

    fn of_tty(name: &str) -> Vec<u8> {
        message(&["ACTION=add", "DEVPATH=/devices/x", "SUBSYSTEM=tty", &format!("DEVNAME=/dev/{name}"), "SEQNUM=1"])
    }

    /// A socket to speak as udev, in a network of this thread's own, where nobody else does. `None`, with the reason printed,
    /// where this process may not make one.
    pub(crate) fn sender() -> Option<OwnedFd> {
        // SAFETY: no descriptor is unshared, only the network, of which this thread has nothing yet.
        if let Err(errno) = unsafe { unshare_unsafe(UnshareFlags::NEWNET) } {
            assert!(std::env::var_os("CI").is_none(), "not run: a network of its own: {errno}");
            println!("skipped: a network of its own: {errno}");
            return None;
        }
        let flags = SocketFlags::CLOEXEC;
        Some(socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, Some(KOBJECT_UEVENT)).unwrap())
    }

    pub(crate) fn say(socket: &OwnedFd, message: &[u8]) -> rustix::io::Result<()> {
        sendto(socket, message, SendFlags::empty(), &SocketAddrNetlink::new(0, UDEV_GROUP)).map(drop)
    }

    async fn heard(monitor: &mut Monitor, within: Duration) -> bool {
        timeout(within, monitor.event()).await.is_ok()
    }

    #[test]
    fn serial_ttys_and_usb_devices_matter_and_nothing_else_does() {
        assert!(matters(&of_tty("ttyACM0")) && matters(&of_tty("ttyUSB12")));
        assert!(!matters(&of_tty("ttyS0")) && !matters(&of_tty("tty7")));
        assert!(matters(&message(&["ACTION=remove", "SUBSYSTEM=usb", "DEVTYPE=usb_device"])));
        assert!(!matters(&message(&["ACTION=add", "SUBSYSTEM=usb", "DEVTYPE=usb_interface"])));
        assert!(!matters(&message(&["ACTION=add", "SUBSYSTEM=block", "DEVNAME=/dev/ttyACM0"])));
    }

    #[test]
    fn what_cannot_be_read_may_be_anything() {
        let good = of_tty("ttyS0");
        for cut in [0, 8, 23] {
            assert!(matters(&good[..cut]), "{cut} bytes");
        }
        let mut other_format = good.clone();
        other_format[8] ^= 1;
        assert!(matters(&other_format));
        let mut beyond = good.clone();
        beyond[20..24].copy_from_slice(&u32::MAX.to_ne_bytes());
        assert!(matters(&beyond));
        assert!(!matters(&good));
    }

    #[tokio::test]
    async fn what_udev_says_of_a_serial_port_is_heard() {
        let Some(sender) = sender() else { return };
        let mut monitor = Monitor::new().unwrap();
        say(&sender, &of_tty("ttyS0")).unwrap();
        assert!(!heard(&mut monitor, A_WHILE).await);
        say(&sender, &of_tty("ttyACM0")).unwrap();
        assert!(heard(&mut monitor, SOON).await);
        assert!(!heard(&mut monitor, A_WHILE).await, "said once, heard once");
    }

    #[tokio::test]
    async fn an_overflow_is_heard_and_what_comes_after_it_too() {
        let Some(sender) = sender() else { return };
        let mut monitor = Monitor::with_queue(4096).unwrap();
        for _ in 0..2000 {
            say(&sender, &of_tty("ttyS0")).unwrap();
        }
        // Those that fitted are about something else: it is the loss itself that is heard.
        assert!(heard(&mut monitor, SOON).await);
        while heard(&mut monitor, A_WHILE).await {}
        say(&sender, &of_tty("ttyUSB0")).unwrap();
        assert!(heard(&mut monitor, SOON).await);
    }
}
