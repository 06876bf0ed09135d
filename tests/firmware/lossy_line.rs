//! A line that loses bytes: a pseudo-terminal between the bridge and a board's own.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

/// How long a pump waits for bytes before it looks whether it is to stop.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };

/// A direction of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// From the bridge.
    ToBoard,
    /// From the board.
    FromBoard,
}

impl Way {
    /// Both.
    pub(crate) const ALL: [Way; 2] = [Way::ToBoard, Way::FromBoard];
}

/// What is to be lost: so many bytes after so many have passed.
#[derive(Clone, Copy, Debug, Default)]
struct Loss {
    pass: usize,
    lose: usize,
}

impl Loss {
    /// What is left of `bytes`.
    fn apply(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut rest = Vec::with_capacity(bytes.len());
        for byte in bytes {
            if self.lose > 0 && self.pass == 0 {
                self.lose -= 1;
            } else {
                self.pass = self.pass.saturating_sub(1);
                rest.push(*byte);
            }
        }
        rest
    }
}

/// The line. Ends when dropped.
pub(crate) struct LossyLine {
    link: PathBuf,
    losses: [Arc<Mutex<Loss>>; 2],
    stop: Arc<AtomicBool>,
    pumps: Vec<JoinHandle<()>>,
    /// Kept open, so that a bridge that closes its end does not end the line.
    _slave: File,
}

impl LossyLine {
    /// A line to the board whose terminal is `board`; its other end is linked in `dir`.
    pub(crate) fn new(board: &Path, dir: &Path) -> LossyLine {
        let near = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&near).unwrap();
        unlockpt(&near).unwrap();
        let slave = PathBuf::from(ptsname(&near, Vec::new()).unwrap().into_string().unwrap());
        let link = dir.join("lossy");
        symlink(&slave, &link).unwrap();
        let (slave, far) = (raw_terminal(&slave), raw_terminal(board));
        let near = File::from(near);

        let losses = [Arc::default(), Arc::default()];
        let stop = Arc::new(AtomicBool::new(false));
        let ways = [(near.try_clone().unwrap(), far.try_clone().unwrap()), (far, near)];
        let pumps = ways.into_iter().zip(&losses).map(|((from, to), loss)| {
            let (loss, stop) = (Arc::clone(loss), Arc::clone(&stop));
            std::thread::spawn(move || pump(from, to, &loss, &stop))
        });
        let pumps = pumps.collect();
        LossyLine { link, losses, stop, pumps, _slave: slave }
    }

    /// The end for the bridge.
    pub(crate) fn link(&self) -> &Path {
        &self.link
    }

    /// Loses `lose` bytes after `pass` more have passed.
    pub(crate) fn lose(&self, way: Way, pass: usize, lose: usize) {
        *self.losses[way as usize].lock().unwrap() = Loss { pass, lose };
    }

    /// Loses nothing more, and says how many bytes of the last loss are left over.
    pub(crate) fn heal(&self, way: Way) -> usize {
        std::mem::take(&mut *self.losses[way as usize].lock().unwrap()).lose
    }
}

impl Drop for LossyLine {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.pumps.drain(..).for_each(|pump| pump.join().unwrap());
    }
}

/// A terminal that passes bytes as they are.
pub(crate) fn raw_terminal(path: &Path) -> File {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, rustix::fs::Mode::empty()).unwrap());
    let mut settings = tcgetattr(&file).unwrap();
    settings.make_raw();
    tcsetattr(&file, OptionalActions::Now, &settings).unwrap();
    file
}

fn pump(mut from: File, mut to: File, loss: &Mutex<Loss>, stop: &AtomicBool) {
    let mut bytes = [0; 4096];
    while !stop.load(Ordering::Relaxed) {
        let mut ready = [PollFd::new(&from, PollFlags::IN)];
        if poll(&mut ready, Some(&LOOK)).unwrap() == 0 {
            continue;
        }
        match from.read(&mut bytes) {
            // A dead board's terminal.
            Ok(0) | Err(_) => std::thread::sleep(Duration::from_millis(20)),
            Ok(count) => {
                let rest = loss.lock().unwrap().apply(&bytes[..count]);
                let _ = to.write_all(&rest);
            }
        }
    }
}
