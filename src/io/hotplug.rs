//! Hints that something may have been plugged or unplugged. Never the truth: a hint says "scan now", and a scan on a
//! slow tick finds what no hint announced.
//!
//! Hints come from inotify on the device directory and on the directories of named devices, which works in containers
//! too and needs no privilege. Where a watch cannot be set there are just no hints from it. Waiting costs no CPU.

use std::collections::{BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::StreamExt;
use inotify::{EventMask, EventOwned, EventStream, Inotify, WatchDescriptor, WatchMask, Watches};
use tokio::time::{Instant, sleep_until};

use super::scan::is_usb_serial_name;

/// Events closer together than this become one hint: udev creates a node, then changes its group and mode.
const SETTLE: Duration = Duration::from_millis(20);

/// A hint is never held back longer than this, however many events follow.
const MAX_DELAY: Duration = Duration::from_millis(100);

/// Room for events, in bytes: some forty with the longest names; the kernel queues the rest.
const BUFFER_BYTES: usize = 16 * 1024;

/// What counts: nodes that come, go, are renamed or change mode, and the end of a watched directory.
fn watched_events() -> WatchMask {
    WatchMask::CREATE
        | WatchMask::DELETE
        | WatchMask::MOVED_FROM
        | WatchMask::MOVED_TO
        | WatchMask::ATTRIB
        | WatchMask::ONLYDIR
}

/// A source of hints.
#[derive(Debug)]
pub struct Hotplug {
    events: Option<EventStream<Vec<u8>>>,
    directories: Vec<Directory>,
    watched: HashMap<WatchDescriptor, usize>,
    pending: Option<Pending>,
}

/// A directory worth watching, and what in it matters.
#[derive(Debug, Default)]
struct Directory {
    path: PathBuf,
    usb_serial_nodes: bool,
    names: BTreeSet<OsString>,
}

/// A hint that waits for the events to settle.
#[derive(Clone, Copy, Debug)]
struct Pending {
    first: Instant,
    last: Instant,
}

impl Hotplug {
    /// Watches the device directory (`/dev`) for USB-serial nodes and the parents of `named` for those names.
    /// Needs a tokio runtime.
    pub fn new<'a>(dev_root: &Path, named: impl IntoIterator<Item = &'a Path>) -> Hotplug {
        let mut directories =
            vec![Directory { path: dev_root.to_owned(), usb_serial_nodes: true, ..Directory::default() }];
        for path in named {
            let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { continue };
            let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
            let known = directories.iter().position(|directory| directory.path == parent).unwrap_or_else(|| {
                directories.push(Directory { path: parent.to_owned(), ..Directory::default() });
                directories.len() - 1
            });
            directories[known].names.insert(name.to_owned());
        }
        let events = Inotify::init().and_then(|inotify| inotify.into_event_stream(vec![0; BUFFER_BYTES]));
        let events = events
            .inspect_err(|error| tracing::warn!("hotplug is noticed by the slow scan only: inotify: {error}"))
            .ok();
        let mut hotplug = Hotplug { events, directories, watched: HashMap::new(), pending: None };
        hotplug.rearm();
        hotplug
    }

    /// Sets the watches that are missing, because their directory was not there or has been made anew. To be called on
    /// the slow tick. Returns whether all are set.
    pub fn rearm(&mut self) -> bool {
        let Some(events) = &self.events else { return false };
        let mut watches = events.watches();
        let mut complete = true;
        for (index, directory) in self.directories.iter().enumerate() {
            if self.watched.values().any(|watched| *watched == index) {
                continue;
            }
            match watch(&mut watches, &directory.path) {
                Ok(descriptor) => drop(self.watched.insert(descriptor, index)),
                Err(error) => {
                    tracing::debug!(directory = %directory.path.display(), "not watched: {error}");
                    complete = false;
                }
            }
        }
        complete
    }

    /// Waits for the next hint; for ever where nothing can be watched. Cancel-safe: a hint that was due is not lost.
    pub async fn hint(&mut self) {
        loop {
            let due = self.pending.map(|pending| (pending.last + SETTLE).min(pending.first + MAX_DELAY));
            tokio::select! {
                biased;
                () = wait_until(due) => {
                    self.pending = None;
                    return;
                }
                event = next_event(&mut self.events) => self.take_in(event),
            }
        }
    }

    fn take_in(&mut self, event: io::Result<EventOwned>) {
        let matters = match event {
            Ok(event) => self.matters(&event),
            Err(error) => {
                tracing::warn!("hotplug is noticed by the slow scan only from now on: inotify: {error}");
                self.events = None;
                true
            }
        };
        if matters {
            let now = Instant::now();
            self.pending = Some(Pending { first: self.pending.map_or(now, |pending| pending.first), last: now });
        }
    }

    fn matters(&mut self, event: &EventOwned) -> bool {
        if event.mask.contains(EventMask::Q_OVERFLOW) {
            return true;
        }
        if event.mask.contains(EventMask::IGNORED) {
            return self.watched.remove(&event.wd).is_some();
        }
        let Some(directory) = self.watched.get(&event.wd).map(|&index| &self.directories[index]) else { return false };
        event.name.as_deref().is_none_or(|name| directory.has(name))
    }
}

impl Directory {
    fn has(&self, name: &OsStr) -> bool {
        self.names.contains(name) || (self.usb_serial_nodes && is_usb_serial_name(name))
    }
}

fn watch(watches: &mut Watches, path: &Path) -> io::Result<WatchDescriptor> {
    watches.add(path, watched_events())
}

async fn wait_until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}

async fn next_event(events: &mut Option<EventStream<Vec<u8>>>) -> io::Result<EventOwned> {
    match events {
        Some(events) => events.next().await.unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into())),
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use tokio::time::timeout;

    use super::*;

    const SOON: Duration = Duration::from_secs(2);
    const A_WHILE: Duration = Duration::from_millis(150);

    async fn hinted(hotplug: &mut Hotplug, within: Duration) -> bool {
        timeout(within, hotplug.hint()).await.is_ok()
    }

    #[tokio::test]
    async fn a_node_that_comes_changes_mode_or_goes_is_one_hint_each() {
        let dev = tempfile::tempdir().unwrap();
        let mut hotplug = Hotplug::new(dev.path(), []);
        let node = dev.path().join("ttyUSB0");
        fs::write(&node, "").unwrap();
        assert!(hinted(&mut hotplug, SOON).await);
        assert!(!hinted(&mut hotplug, A_WHILE).await, "one plug, one hint");
        fs::set_permissions(&node, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(hinted(&mut hotplug, SOON).await);
        fs::remove_file(&node).unwrap();
        assert!(hinted(&mut hotplug, SOON).await);
    }

    #[tokio::test]
    async fn other_nodes_are_no_hint() {
        let dev = tempfile::tempdir().unwrap();
        let mut hotplug = Hotplug::new(dev.path(), []);
        fs::write(dev.path().join("sda1"), "").unwrap();
        fs::write(dev.path().join("ttyS0"), "").unwrap();
        assert!(!hinted(&mut hotplug, A_WHILE).await);
    }

    #[tokio::test]
    async fn the_link_of_a_named_device_is_a_hint_when_it_comes() {
        let (dev, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let link = other.path().join("board.microflo");
        let mut hotplug = Hotplug::new(dev.path(), [link.as_path()]);
        fs::write(other.path().join("unrelated"), "").unwrap();
        assert!(!hinted(&mut hotplug, A_WHILE).await);
        symlink("/dev/null", &link).unwrap();
        assert!(hinted(&mut hotplug, SOON).await);
    }

    #[tokio::test]
    async fn a_pty_that_goes_is_a_hint() {
        let (master, slave) = serialport::TTYPort::pair().unwrap();
        let path = PathBuf::from(serialport::SerialPort::name(&slave).unwrap());
        let dev = tempfile::tempdir().unwrap();
        let mut hotplug = Hotplug::new(dev.path(), [path.as_path()]);
        drop((master, slave));
        assert!(hinted(&mut hotplug, SOON).await);
    }

    #[tokio::test]
    async fn a_directory_that_appears_later_is_watched_from_the_next_tick() {
        let dev = tempfile::tempdir().unwrap();
        let later = dev.path().join("later");
        let named = later.join("board");
        let mut hotplug = Hotplug::new(dev.path(), [named.as_path()]);
        fs::create_dir(&later).unwrap();
        assert!(hotplug.rearm());
        fs::write(&named, "").unwrap();
        assert!(hinted(&mut hotplug, SOON).await);
        fs::remove_dir_all(&later).unwrap();
        assert!(hinted(&mut hotplug, SOON).await);
        while hinted(&mut hotplug, A_WHILE).await {}
        assert!(!hotplug.rearm(), "it is gone");
    }

    #[tokio::test]
    async fn without_anything_to_watch_there_are_no_hints() {
        let mut hotplug = Hotplug::new(Path::new("/nonexistent"), []);
        assert!(!hotplug.rearm());
        assert!(!hinted(&mut hotplug, A_WHILE).await);
    }

    #[tokio::test]
    async fn a_hint_whose_waiter_was_cancelled_comes_to_the_next() {
        let dev = tempfile::tempdir().unwrap();
        let mut hotplug = Hotplug::new(dev.path(), []);
        fs::write(dev.path().join("ttyACM0"), "").unwrap();
        for _ in 0..5 {
            hinted(&mut hotplug, Duration::from_millis(1)).await;
            if hotplug.pending.is_some() {
                break;
            }
        }
        assert!(hinted(&mut hotplug, SOON).await);
    }
}
