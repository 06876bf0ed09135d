//! Changes of directories: inotify, which works in containers too and needs no privilege.

use std::collections::{BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use futures_util::StreamExt;
use inotify::{EventMask, EventOwned, EventStream, Inotify, WatchDescriptor, WatchMask};

use crate::io::scan::is_usb_serial_name;

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

/// The directories to watch, and those that are watched.
#[derive(Debug)]
pub(super) struct Watches {
    events: Option<EventStream<Vec<u8>>>,
    directories: Vec<Directory>,
    watched: HashMap<WatchDescriptor, usize>,
}

/// A directory worth watching, and what in it matters.
#[derive(Debug, Default)]
struct Directory {
    path: PathBuf,
    usb_serial_nodes: bool,
    names: BTreeSet<OsString>,
}

impl Watches {
    /// Watches the device directory for USB-serial nodes and the parents of `named` for those names.
    pub(super) fn new<'a>(dev_root: &Path, named: impl IntoIterator<Item = &'a Path>) -> Watches {
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
        let events = events.inspect_err(|error| tracing::warn!("changes of directories are not noticed: {error}")).ok();
        let mut watches = Watches { events, directories, watched: HashMap::new() };
        watches.rearm();
        watches
    }

    /// Sets the watches that are missing, because their directory was not there or has been made anew. Returns whether
    /// all are set.
    pub(super) fn rearm(&mut self) -> bool {
        let Some(events) = &self.events else { return false };
        let mut watches = events.watches();
        let mut complete = true;
        for (index, directory) in self.directories.iter().enumerate() {
            if self.watched.values().any(|watched| *watched == index) {
                continue;
            }
            match watches.add(&directory.path, watched_events()) {
                Ok(descriptor) => drop(self.watched.insert(descriptor, index)),
                Err(error) => {
                    tracing::debug!(directory = %directory.path.display(), "not watched: {error}");
                    complete = false;
                }
            }
        }
        complete
    }

    /// Waits for a change that matters; for ever where nothing can be watched. Cancel-safe.
    pub(super) async fn change(&mut self) {
        loop {
            let Some(events) = &mut self.events else { return std::future::pending().await };
            match events.next().await.unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into())) {
                Ok(event) => {
                    if self.matters(&event) {
                        return;
                    }
                }
                Err(error) => {
                    tracing::warn!("changes of directories are not noticed from now on: {error}");
                    self.events = None;
                    return;
                }
            }
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
