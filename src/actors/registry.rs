//! What a registry does by itself: it hears what other processes change, and tells who has gone offline.

use std::time::{Duration, SystemTime};

use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};
use tokio_util::sync::CancellationToken;

use super::heartbeat::Pulse;
use crate::io::store::{RegistryStore, StoreError};
use crate::pure::registry::UnixMillis;

/// The first and the longest pause before a database that is away is tried again.
const RETRY: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(10));

/// Runs until `stop`.
pub async fn run(store: RegistryStore, pulse: Pulse, stop: CancellationToken) {
    tokio::select! {
        () = work(store, pulse) => {}
        () = stop.cancelled_owned() => {}
    }
}

async fn work(store: RegistryStore, mut pulse: Pulse) {
    pulse.during(prepare(&store)).await;
    let listener = store.clone();
    tokio::join!(async move { listener.listen().await }, tell_offline(store, pulse));
}

/// Tries until the database is there.
async fn prepare(store: &RegistryStore) {
    let mut pause = RETRY.0;
    while let Err(error) = store.prepare().await {
        match error {
            StoreError::Away(_) => tracing::warn!(%error, "tried again in {} ms", pause.as_millis()),
            error => tracing::error!(%error, "tried again in {} ms", pause.as_millis()),
        }
        sleep(pause).await;
        pause = (pause * 2).min(RETRY.1);
    }
}

async fn tell_offline(store: RegistryStore, mut pulse: Pulse) {
    let every = store.presence().look_every();
    let mut ticks = interval_at(Instant::now() + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut since = now();
    loop {
        pulse.during(ticks.tick()).await;
        let until = now();
        match store.tell_offline(since, until).await {
            Ok(()) => since = until,
            // The next look covers this time too.
            Err(error) => tracing::warn!(%error, "it is not known which runtimes went offline"),
        }
    }
}

fn now() -> UnixMillis {
    SystemTime::now().into()
}
