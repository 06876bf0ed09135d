//! Terminals that are no boards, and programs that hold them.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use inotify::{Inotify, WatchMask};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::pty::OpenptFlags;

/// A PTY whose other end is this test.
pub(crate) struct Tty {
    master: Arc<OwnedFd>,
    /// Keeps the terminal up and raw, as an emulator does.
    _slave: OwnedFd,
    path: PathBuf,
}

impl Tty {
    pub(crate) fn new() -> Tty {
        let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        rustix::pty::grantpt(&master).unwrap();
        rustix::pty::unlockpt(&master).unwrap();
        rustix::fs::fcntl_setfl(&master, OFlags::RDWR | OFlags::NONBLOCK).unwrap();
        let path = PathBuf::from(rustix::pty::ptsname(&master, Vec::new()).unwrap().into_string().unwrap());
        let slave = open(&path);
        let mut termios = rustix::termios::tcgetattr(&slave).unwrap();
        termios.make_raw();
        rustix::termios::tcsetattr(&slave, rustix::termios::OptionalActions::Now, &termios).unwrap();
        Tty { master: Arc::new(master), _slave: slave, path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes were sent to it since the last time, up to some thousand.
    pub(crate) fn heard(&self) -> usize {
        rustix::io::read(&*self.master, &mut [0; 4096]).unwrap_or(0)
    }
}

fn open(path: &Path) -> OwnedFd {
    rustix::fs::open(path, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).unwrap()
}

/// Garbage without end, as fast as somebody reads it.
pub(crate) struct Flood {
    stop: Arc<AtomicBool>,
    written: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Flood {
    pub(crate) fn start(tty: &Tty) -> Flood {
        let (stop, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (master, ended, count) = (Arc::clone(&tty.master), Arc::clone(&stop), Arc::clone(&written));
        let thread = std::thread::spawn(move || {
            let mut random = 1_u32;
            let tick = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
            while !ended.load(Ordering::Relaxed) {
                let garbage: [u8; 256] = std::array::from_fn(|_| {
                    random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    random.to_be_bytes()[0]
                });
                match rustix::io::write(&*master, &garbage) {
                    Ok(bytes) => drop(count.fetch_add(bytes as u64, Ordering::Relaxed)),
                    Err(_full) => {
                        let mut fds = [PollFd::new(&*master, PollFlags::OUT)];
                        rustix::event::poll(&mut fds, Some(&tick)).unwrap();
                    }
                }
            }
        });
        Flood { stop, written, thread: Some(thread) }
    }

    /// Bytes that it got rid of.
    pub(crate) fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().unwrap().join();
    }
}

/// Whether a process has a file open.
pub(crate) fn has_open(pid: u32, path: &Path) -> bool {
    let links = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    links.flatten().any(|link| link.path().read_link().is_ok_and(|target| target == path))
}

/// Clears the flag that `TIOCEXCL` sets, as root may: a PTY, unlike a tty with hardware behind it, keeps it after the
/// program that set it was killed.
pub(crate) fn give_back(path: &Path) {
    rustix::termios::ioctl_tiocnxcl(open(path)).unwrap();
}

/// Counts how often a terminal is opened.
pub(crate) struct Opens(Inotify);

impl Opens {
    pub(crate) fn of(path: &Path) -> Opens {
        let inotify = Inotify::init().unwrap();
        inotify.watches().add(path, WatchMask::OPEN).unwrap();
        Opens(inotify)
    }

    /// Since the last time.
    pub(crate) fn count(&mut self) -> usize {
        self.0.read_events(&mut [0; 4096]).map_or(0, Iterator::count)
    }
}

/// Another program that has a terminal; ended when dropped.
pub(crate) struct Holder(Child);

impl Holder {
    /// Holds a lock on it, as terminal programs do.
    pub(crate) fn locking(path: &Path) -> Holder {
        let mut command = Command::new("flock");
        let holder = Holder(command.arg("--no-fork").arg(path).args(["sleep", "600"]).spawn().unwrap());
        let ours = open(path);
        while rustix::fs::flock(&ours, FlockOperation::NonBlockingLockShared).is_ok() {
            rustix::fs::flock(&ours, FlockOperation::Unlock).unwrap();
            std::thread::park_timeout(Duration::from_millis(5));
        }
        holder
    }

    /// Has it exclusively (`TIOCEXCL`).
    pub(crate) fn exclusive(path: &Path, user: u32) -> Holder {
        let fd = open(path);
        rustix::termios::ioctl_tiocexcl(&fd).unwrap();
        Holder::with(fd, user)
    }

    /// Just has it open.
    pub(crate) fn opening(path: &Path, user: u32) -> Holder {
        Holder::with(open(path), user)
    }

    fn with(fd: OwnedFd, user: u32) -> Holder {
        use std::os::unix::process::CommandExt;
        let mut command = Command::new("sleep");
        if user != 0 {
            command.uid(user).gid(user);
        }
        Holder(command.arg("600").stdin(Stdio::from(fd)).spawn().unwrap())
    }

    /// How the bridge names it.
    pub(crate) fn name(&self) -> String {
        format!("sleep (process {})", self.0.id())
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
