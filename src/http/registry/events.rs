//! `GET /runtimes/events`: what happens to the caller's runtimes, as server-sent events.
//!
//! | event | is sent when | its data |
//! |---|---|---|
//! | `put` | a runtime was registered, or its record changed | the record, as `GET /runtimes/ID` shows it |
//! | `online` | it was offline, and has pinged | the record |
//! | `offline` | it was not seen for too long | the record |
//! | `delete` | its record was deleted, or is another user's now | `{"id": …}` |
//!
//! A comment comes first, and whenever nothing else does. Whoever lists the runtimes after the first comment, and whenever
//! the stream has ended and begun again, misses nothing: it ends rather than leave something out.

use std::convert::Infallible;
use std::time::{Duration, SystemTime};

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::caller::Known;
use super::{Failure, RegistryState, Which};
use crate::io::store::Watch;
use crate::pure::registry::{self, EventKind};
use crate::pure::secret::Secret;

/// How long nothing is sent before a comment is.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// What clients wait before they come again.
const RETRY: Duration = Duration::from_secs(2);
/// How often it is checked that the token is still valid.
const TOKEN_CHECK: Duration = Duration::from_secs(30);

pub(super) async fn events(
    State(state): State<RegistryState>,
    Known(user, token): Known,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Failure> {
    let Query(which) = which.map_err(|_| Failure::NotAQuery)?;
    let watch = state.store.watch(user.id)?;
    let mut token_check = interval_at(Instant::now() + TOKEN_CHECK, TOKEN_CHECK);
    token_check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let watcher = Watcher { state, token, which, watch, token_check, greeted: false };
    let events = unfold(watcher, async |mut watcher| Some((Ok(watcher.next().await?), watcher)));
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE).text("nothing new")))
}

struct Watcher {
    state: RegistryState,
    token: Secret,
    which: Which,
    watch: Watch,
    token_check: Interval,
    greeted: bool,
}

impl Watcher {
    /// The next event; `None` ends the stream.
    async fn next(&mut self) -> Option<Event> {
        if !self.greeted {
            self.greeted = true;
            return Some(Event::default().retry(RETRY).comment("watching"));
        }
        loop {
            tokio::select! {
                event = self.watch.recv() => {
                    let event = event?;
                    if self.is_wanted(&event) {
                        return Some(self.shown(&event));
                    }
                }
                _ = self.token_check.tick() => {
                    // While the database is away nothing is known against the token.
                    if let Ok(None) = self.state.store.user_by_token(self.token.expose()).await {
                        return None;
                    }
                }
                () = self.state.lifecycle.stopping() => return None,
            }
        }
    }

    /// Of what is gone the type is not known any more.
    fn is_wanted(&self, event: &registry::Event) -> bool {
        match (&self.which.kind, &event.entry) {
            (Some(kind), Some(entry)) => entry.record.kind == *kind,
            _ => true,
        }
    }

    fn shown(&self, event: &registry::Event) -> Event {
        let online = match event.kind {
            EventKind::Offline => false,
            EventKind::Put | EventKind::Online | EventKind::Delete => event
                .entry
                .as_ref()
                .is_some_and(|entry| self.state.store.presence().is_online(entry.seen, SystemTime::now().into())),
        };
        Event::default().event(event.kind.name()).data(event.to_json(online).to_string())
    }
}
