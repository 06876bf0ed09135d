//! Who watches whose runtimes. Nobody waits for a watcher: one that does not keep up is dropped.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;
use uuid::Uuid;

use crate::pure::registry::Event;

/// Events that wait for one watcher.
const QUEUE: usize = 1_024;
/// The most watchers of one user.
pub const WATCHERS_PER_USER: usize = 32;

/// The events of one user's runtimes. It ends when events were lost, or when the user's token changed: whoever comes
/// again, and lists first, has missed nothing.
pub type Watch = mpsc::Receiver<Arc<Event>>;

/// Why nobody can watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WatchError {
    /// Too many do.
    #[error("this user's runtimes are watched {WATCHERS_PER_USER} times already; close a page that shows them")]
    TooMany,
    /// Changes are not heard of at present.
    #[error("the registry's database is not reached at present; try again in a few seconds")]
    NotReady,
}

#[derive(Clone, Debug)]
pub(super) struct Feed(Arc<Mutex<Watchers>>);

#[derive(Debug)]
struct Watchers {
    hears_all: bool,
    of_user: HashMap<Uuid, Vec<mpsc::Sender<Arc<Event>>>>,
}

impl Feed {
    /// `hears_all`: whether every change is told from the start.
    pub(super) fn new(hears_all: bool) -> Feed {
        Feed(Arc::new(Mutex::new(Watchers { hears_all, of_user: HashMap::new() })))
    }

    fn lock(&self) -> MutexGuard<'_, Watchers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn watch(&self, user: Uuid) -> Result<Watch, WatchError> {
        let mut watchers = self.lock();
        if !watchers.hears_all {
            return Err(WatchError::NotReady);
        }
        let senders = watchers.of_user.entry(user).or_default();
        senders.retain(|sender| !sender.is_closed());
        if senders.len() >= WATCHERS_PER_USER {
            return Err(WatchError::TooMany);
        }
        let (sender, watch) = mpsc::channel(QUEUE);
        senders.push(sender);
        Ok(watch)
    }

    pub(super) fn is_watched(&self, user: Uuid) -> bool {
        self.lock().of_user.get(&user).is_some_and(|senders| senders.iter().any(|sender| !sender.is_closed()))
    }

    pub(super) fn has_watchers(&self) -> bool {
        self.lock().of_user.values().flatten().any(|sender| !sender.is_closed())
    }

    /// Tells those who watch that user's runtimes. Those whose queue is full have lost it, and are dropped.
    pub(super) fn tell(&self, event: Event) {
        let user = event.user;
        let mut watchers = self.lock();
        let Some(senders) = watchers.of_user.get_mut(&user) else { return };
        let event = Arc::new(event);
        senders.retain(|sender| sender.try_send(event.clone()).is_ok());
        if senders.is_empty() {
            watchers.of_user.remove(&user);
        }
    }

    /// Ends what watches that user's runtimes.
    pub(super) fn drop_user(&self, user: Uuid) {
        self.lock().of_user.remove(&user);
    }

    /// From now on every change is heard of, or is not: then whoever watches must come again.
    pub(super) fn set_hears_all(&self, hears_all: bool) {
        let mut watchers = self.lock();
        watchers.hears_all = hears_all;
        if !hears_all {
            watchers.of_user.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pure::registry::EventKind;

    const USER: Uuid = Uuid::from_u128(1);

    fn event(user: Uuid) -> Event {
        Event { kind: EventKind::Delete, user, id: Uuid::nil(), entry: None }
    }

    #[test]
    fn a_user_hears_of_the_own_runtimes_only() {
        let feed = Feed::new(true);
        let mut watch = feed.watch(USER).unwrap();
        feed.tell(event(Uuid::from_u128(2)));
        assert!(watch.try_recv().is_err());
        feed.tell(event(USER));
        assert_eq!(watch.try_recv().unwrap().user, USER);
    }

    #[test]
    fn a_slow_watcher_is_dropped_and_the_others_are_not() {
        let feed = Feed::new(true);
        let (mut slow, mut fast) = (feed.watch(USER).unwrap(), feed.watch(USER).unwrap());
        for _ in 0..=QUEUE {
            feed.tell(event(USER));
            fast.try_recv().unwrap();
        }
        let mut kept = 0;
        while slow.try_recv().is_ok() {
            kept += 1;
        }
        assert_eq!(kept, QUEUE);
        assert_eq!(slow.try_recv(), Err(mpsc::error::TryRecvError::Disconnected));
        assert!(feed.is_watched(USER));
    }

    #[test]
    fn watchers_are_limited_and_places_are_given_back() {
        let feed = Feed::new(true);
        let mut all: Vec<_> = (0..WATCHERS_PER_USER).map(|_| feed.watch(USER).unwrap()).collect();
        assert_eq!(feed.watch(USER).err(), Some(WatchError::TooMany));
        all.pop();
        assert!(feed.watch(USER).is_ok());
    }

    #[test]
    fn watchers_come_again_when_changes_were_not_heard_of() {
        let feed = Feed::new(true);
        let mut watch = feed.watch(USER).unwrap();
        feed.set_hears_all(false);
        assert_eq!(watch.try_recv(), Err(mpsc::error::TryRecvError::Disconnected));
        assert_eq!(feed.watch(USER).err(), Some(WatchError::NotReady));
        feed.set_hears_all(true);
        assert!(feed.watch(USER).is_ok());
    }
}
