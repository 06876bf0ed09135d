//! Line settings: raw bytes, the baud rate, modem lines.

use std::io;
use std::os::fd::BorrowedFd;

use rustix::io::Errno;
use rustix::termios::{
    ControlModes, InputModes, LocalModes, OptionalActions, OutputModes, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};

use super::ioctl;
use crate::pure::families::ModemLines;

/// Rates that must never be set: 0 hangs up; 1200 and 134 tell boards to start their bootloader, and a tty remembers.
const FORBIDDEN_BAUDS: [u32; 3] = [0, 134, 1200];

/// How far from the asked rate a driver may round, in percent: a UART still reads at that.
const BAUD_TOLERANCE_PERCENT: u32 = 3;

/// Why the settings could not be made.
#[derive(Debug)]
pub(super) enum Refused {
    /// The baud rate is not possible, and why.
    Baud(String),
    /// A system call failed.
    Errno(Errno),
    /// The driver accepted raw mode and did not apply it.
    NotRaw,
}

impl From<Errno> for Refused {
    fn from(errno: Errno) -> Refused {
        Refused::Errno(errno)
    }
}

/// Makes the port raw at a baud rate, in one request: bridge firmwares turn their UART off and on at each. Returns
/// whether it was raw before, that is, whether bytes that wait in it are as the board sent them.
pub(super) fn apply(fd: BorrowedFd<'_>, baud: u32) -> Result<bool, Refused> {
    check_baud(baud)?;
    let mut termios = tcgetattr(fd)?;
    let was_raw = is_raw(&termios);
    make_raw(&mut termios);
    termios.set_speed(baud).map_err(|_| Refused::Baud("the system has no such rate".to_owned()))?;
    tcsetattr(fd, OptionalActions::Now, &termios).map_err(|errno| match errno {
        Errno::INVAL => Refused::Baud("the driver refuses it".to_owned()),
        other => Refused::Errno(other),
    })?;
    check_applied(&tcgetattr(fd)?, baud)?;
    Ok(was_raw)
}

/// Changes the baud rate of a port that is raw already. Asks the driver, which normally answers within a millisecond.
pub(super) fn set_baud(fd: BorrowedFd<'_>, baud: u32) -> io::Result<()> {
    apply(fd, baud).map(drop).map_err(|refused| match refused {
        Refused::Baud(why) => io::Error::new(io::ErrorKind::InvalidInput, format!("{baud} baud: {why}")),
        Refused::NotRaw => io::Error::other("the driver does not keep raw mode"),
        Refused::Errno(errno) => errno.into(),
    })
}

/// Sets DTR and RTS. Returns whether the port has such lines.
pub(super) fn set_lines(fd: BorrowedFd<'_>, lines: ModemLines) -> bool {
    let Ok(now) = ioctl::modem_lines(fd) else { return false };
    let wanted = match lines {
        ModemLines::Keep => now,
        ModemLines::On => now | ioctl::DTR_RTS,
        ModemLines::Off => now & !ioctl::DTR_RTS,
    };
    if wanted != now
        && let Err(error) = ioctl::set_modem_lines(fd, wanted)
    {
        tracing::debug!("DTR and RTS stay as they are: {error}");
    }
    true
}

fn make_raw(termios: &mut Termios) {
    termios.make_raw();
    termios.input_modes = InputModes::empty();
    // Ignore the modem's lines, and drop none at the last close: the next open would reset the board.
    termios.control_modes |= ControlModes::CLOCAL | ControlModes::CREAD;
    termios.control_modes -= ControlModes::HUPCL | ControlModes::CRTSCTS | ControlModes::CSTOPB | ControlModes::PARENB;
    // With VMIN 0 "no bytes yet" could not be told from "unplugged".
    termios.special_codes[SpecialCodeIndex::VMIN] = 1;
    termios.special_codes[SpecialCodeIndex::VTIME] = 0;
}

fn is_raw(termios: &Termios) -> bool {
    !termios.local_modes.intersects(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
        && !termios.output_modes.contains(OutputModes::OPOST)
        && !termios.input_modes.intersects(InputModes::ICRNL | InputModes::INLCR | InputModes::IXON)
}

fn check_baud(baud: u32) -> Result<(), Refused> {
    if FORBIDDEN_BAUDS.contains(&baud) {
        return Err(Refused::Baud("that rate tells boards to start their bootloader".to_owned()));
    }
    Ok(())
}

/// Some drivers adjust in silence. What the wire depends on must be right; the rest is worth a line in the log.
fn check_applied(applied: &Termios, baud: u32) -> Result<(), Refused> {
    let got = applied.output_speed();
    if u64::from(got.abs_diff(baud)) * 100 > u64::from(baud) * u64::from(BAUD_TOLERANCE_PERCENT) {
        return Err(Refused::Baud(format!("the driver sets {got} instead")));
    }
    if !is_raw(applied) {
        return Err(Refused::NotRaw);
    }
    if applied.control_modes.intersects(ControlModes::HUPCL | ControlModes::CRTSCTS) {
        tracing::warn!("the driver keeps HUPCL or CRTSCTS on: the board may reset when the port is closed");
    }
    Ok(())
}
