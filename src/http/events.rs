//! `GET /api/events`: the boards as they are, then what changes, as server-sent events.
//!
//! | event | data |
//! |---|---|
//! | `bridge` | first: version, whether the token gives full access, and where live URLs point |
//! | `boards` | second: all boards, as `GET /api/boards` shows them |
//! | `board` | a board is new or has changed |
//! | `gone` | the id of a board that has gone |
//! | `traffic` | once a second, while there is any: bytes from and to each board, by its id |
//!
//! Whoever reads slowly gets fewer events, each with the latest; nothing is kept for them.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{self, Stream, StreamExt};
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until};
use uuid::Uuid;

use super::api::show;
use super::auth::Access;
use super::refusal::Refusal;
use super::state::HttpState;
use crate::actors::traffic::Reading;
use crate::pure::view::{BoardState, BoardView};

/// Who may watch at the same time with the token, and as many without: strangers do not lock the owner out.
const WATCHERS: usize = 32;
/// The time between two looks at the boards: what changes in between comes at once.
const GATHER: Duration = Duration::from_millis(50);
/// The time between two readings of the meters.
const SAMPLE: Duration = Duration::from_secs(1);
/// The time until a silent stream says that it is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Places for those who watch.
#[derive(Debug)]
pub struct Watchers {
    full: Arc<Semaphore>,
    read: Arc<Semaphore>,
}

impl Default for Watchers {
    fn default() -> Self {
        Watchers { full: Arc::new(Semaphore::new(WATCHERS)), read: Arc::new(Semaphore::new(WATCHERS)) }
    }
}

/// The first event.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct BridgeJson<'a> {
    version: &'a str,
    full_access: bool,
    address: &'a str,
    ide: String,
}

/// `GET /api/events`.
pub(super) async fn events(
    State(state): State<HttpState>,
    access: Access,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>> + use<>>, Refusal> {
    let places = match access {
        Access::Full => &state.watchers.full,
        Access::Read => &state.watchers.read,
    };
    let place = places.clone().try_acquire_owned().map_err(|_| {
        let message = format!("{WATCHERS} pages watch already, the most that the bridge serves; close some of them");
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, message)
    })?;
    let watcher = Watcher::new(state, access, place);
    let batches = stream::unfold(watcher, async |mut watcher| watcher.next().await.map(|events| (events, watcher)));
    let events = batches.flat_map(|events| stream::iter(events.into_iter().map(Ok)));
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

/// One stream.
struct Watcher {
    state: HttpState,
    access: Access,
    views: watch::Receiver<Arc<Vec<BoardView>>>,
    /// What was told of each board; `None` until the first snapshot.
    told: Option<BTreeMap<Uuid, BoardView>>,
    look_at: Instant,
    samples: Interval,
    readings: HashMap<Uuid, Reading>,
    /// Whether the last sample had traffic in it, so that its end is told too.
    busy: bool,
    _place: OwnedSemaphorePermit,
}

impl Watcher {
    fn new(state: HttpState, access: Access, place: OwnedSemaphorePermit) -> Self {
        let mut samples = interval(SAMPLE);
        samples.set_missed_tick_behavior(MissedTickBehavior::Delay);
        samples.reset();
        let views = state.config.directory.watch();
        let readings = state.config.directory.traffic().readings();
        let look_at = Instant::now();
        Watcher { state, access, views, told: None, look_at, samples, readings, busy: false, _place: place }
    }

    /// What is to be told next; `None` at the end.
    async fn next(&mut self) -> Option<Vec<Event>> {
        if self.told.is_none() {
            return Some(self.snapshot().await);
        }
        loop {
            let state = self.state.clone();
            let events = tokio::select! {
                changed = changed(&mut self.views, self.look_at) => {
                    changed?;
                    self.changes().await
                }
                _ = self.samples.tick() => self.traffic(),
                () = state.config.lifecycle.stopping() => return None,
            };
            if !events.is_empty() {
                return Some(events);
            }
        }
    }

    async fn snapshot(&mut self) -> Vec<Event> {
        let config = &self.state.config;
        let bridge = BridgeJson {
            version: env!("CARGO_PKG_VERSION"),
            full_access: self.access == Access::Full,
            address: config.addresses.http(),
            ide: config.addresses.ide_url(),
        };
        let bridge = event("bridge", &bridge);
        let boards = self.present();
        let mut shown = Vec::with_capacity(boards.len());
        for view in boards.values() {
            shown.push(show(&self.state, view, self.access).await);
        }
        self.told = Some(boards);
        vec![bridge, event("boards", &shown)]
    }

    /// What has changed since the last look.
    async fn changes(&mut self) -> Vec<Event> {
        let boards = self.present();
        let told = self.told.take().unwrap_or_default();
        let mut events = Vec::new();
        for (id, view) in &boards {
            if told.get(id) != Some(view) {
                events.push(event("board", &show(&self.state, view, self.access).await));
            }
        }
        for id in told.keys().filter(|id| !boards.contains_key(id)) {
            events.push(event("gone", id));
        }
        self.told = Some(boards);
        events
    }

    fn present(&mut self) -> BTreeMap<Uuid, BoardView> {
        self.look_at = Instant::now() + GATHER;
        let boards = self.views.borrow_and_update().clone();
        let present = boards.iter().filter(|view| view.state != BoardState::Gone);
        present.map(|view| (view.id, view.clone())).collect()
    }

    /// Bytes since the last sample, of the boards that had any.
    fn traffic(&mut self) -> Vec<Event> {
        let now = self.state.config.directory.traffic().readings();
        let moved = now.iter().map(|(id, reading)| {
            let earlier = self.readings.get(id).copied().unwrap_or_default();
            (*id, reading.since(earlier))
        });
        let moved: BTreeMap<Uuid, [u64; 2]> = moved
            .filter(|(_, reading)| !reading.is_silent())
            .map(|(id, reading)| (id, [reading.from_board, reading.to_board]))
            .collect();
        self.readings = now;
        let was_busy = std::mem::replace(&mut self.busy, !moved.is_empty());
        if moved.is_empty() && !was_busy { Vec::new() } else { vec![event("traffic", &moved)] }
    }
}

/// Waits for a change, and then until it is time to look; `None` when there will be no more.
async fn changed(views: &mut watch::Receiver<Arc<Vec<BoardView>>>, look_at: Instant) -> Option<()> {
    views.changed().await.ok()?;
    // What is seen here only is seen again if this is cancelled.
    views.mark_changed();
    sleep_until(look_at).await;
    Some(())
}

fn event(name: &str, data: &impl Serialize) -> Event {
    // Strings, numbers and lists of them always become JSON.
    let event = Event::default().event(name).json_data(data);
    event.unwrap_or_else(|_| Event::default().comment("lost"))
}
