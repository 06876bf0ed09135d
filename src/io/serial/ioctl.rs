//! The tty requests that no crate here wraps. Each is a best effort that a driver may not know (`ENOTTY`).

use std::ffi::{c_char, c_int, c_uint, c_ulong, c_ushort};
use std::os::fd::BorrowedFd;

use rustix::io::Result;
use rustix::ioctl::{Getter, Opcode, Setter, ioctl};

/// DTR and RTS, as in `TIOCMGET`.
pub(super) const DTR_RTS: c_int = libc::TIOCM_DTR | libc::TIOCM_RTS;

/// The kernel's flag for "hand bytes over at once" (`ASYNC_LOW_LATENCY`).
const LOW_LATENCY: c_int = 1 << 13;

const GET_EXCLUSIVE: Opcode = libc::TIOCGEXCL as Opcode;
const GET_LINES: Opcode = libc::TIOCMGET as Opcode;
const SET_LINES: Opcode = libc::TIOCMSET as Opcode;
const GET_SERIAL: Opcode = libc::TIOCGSERIAL as Opcode;
const SET_SERIAL: Opcode = libc::TIOCSSERIAL as Opcode;

/// The kernel's `struct serial_struct`. Read, changed in one flag, written back.
#[repr(C)]
#[derive(Clone, Copy)]
struct SerialStruct {
    kind: c_int,
    line: c_int,
    port: c_uint,
    irq: c_int,
    flags: c_int,
    xmit_fifo_size: c_int,
    custom_divisor: c_int,
    baud_base: c_int,
    close_delay: c_ushort,
    io_type: c_char,
    reserved: [c_char; 1],
    hub6: c_int,
    closing_wait: c_ushort,
    closing_wait2: c_ushort,
    iomem_base: *mut u8,
    iomem_reg_shift: c_ushort,
    port_high: c_uint,
    iomap_base: c_ulong,
}

/// Whether somebody has the tty exclusively (`TIOCEXCL`); that does not keep root out, so it has to be asked.
pub(super) fn is_exclusive(fd: BorrowedFd<'_>) -> Result<bool> {
    // SAFETY: TIOCGEXCL writes one int.
    unsafe { ioctl(fd, Getter::<GET_EXCLUSIVE, c_int>::new()) }.map(|flag| flag != 0)
}

/// The state of the modem lines.
pub(super) fn modem_lines(fd: BorrowedFd<'_>) -> Result<c_int> {
    // SAFETY: TIOCMGET writes one int.
    unsafe { ioctl(fd, Getter::<GET_LINES, c_int>::new()) }
}

/// Sets all modem lines at once.
pub(super) fn set_modem_lines(fd: BorrowedFd<'_>, lines: c_int) -> Result<()> {
    // SAFETY: TIOCMSET reads one int.
    unsafe { ioctl(fd, Setter::<SET_LINES, c_int>::new(lines)) }
}

/// Asks the driver to hand bytes over at once: an FTDI chip collects them for 16 ms otherwise.
pub(super) fn set_low_latency(fd: BorrowedFd<'_>) -> Result<()> {
    // SAFETY: TIOCGSERIAL writes one `struct serial_struct`.
    let mut serial = unsafe { ioctl(fd, Getter::<GET_SERIAL, SerialStruct>::new()) }?;
    if serial.flags & LOW_LATENCY != 0 {
        return Ok(());
    }
    serial.flags |= LOW_LATENCY;
    // SAFETY: TIOCSSERIAL reads one `struct serial_struct`; this one is the driver's own with one flag changed.
    unsafe { ioctl(fd, Setter::<SET_SERIAL, SerialStruct>::new(serial)) }
}
