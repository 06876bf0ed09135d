//! Proves that every loop turns: all are asked again and again, and each answers when it comes round.
//!
//! A loop that hangs does not answer, whatever else works. Who asks is a thread of its own, which no loop can hold up.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use tokio::sync::watch;

/// The loops that must turn. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Heartbeats(Arc<Loops>);

#[derive(Debug, Default)]
struct Loops {
    /// The number of the round that is asked for.
    round: watch::Sender<u64>,
    slots: Mutex<Vec<Weak<Slot>>>,
}

#[derive(Debug)]
struct Slot {
    name: String,
    /// The last round that the loop has answered.
    answered: AtomicU64,
}

/// What one loop answers with. A loop that has ended, and dropped it, is asked no more; one that has panicked never answers again.
#[derive(Debug)]
pub struct Pulse {
    slot: Arc<Slot>,
    round: watch::Receiver<u64>,
    /// Somebody starts the loop anew if it panics.
    is_replaced: bool,
}

impl Drop for Pulse {
    fn drop(&mut self) {
        if thread::panicking() && !self.is_replaced {
            // The slot stays among those that are asked.
            std::mem::forget(Arc::clone(&self.slot));
        }
    }
}

impl Pulse {
    /// For a loop that somebody starts anew if it panics: no reason to end all others.
    pub fn replaced(mut self) -> Self {
        self.is_replaced = true;
        self
    }

    /// Waits until asked, and answers: one arm of the loop's `select!`. Cancel safe.
    pub async fn beat(&mut self) {
        if self.round.changed().await.is_err() {
            // Nobody is left who could ask.
            std::future::pending().await
        }
        self.slot.answered.store(*self.round.borrow_and_update(), Ordering::Relaxed);
    }

    /// Waits for something that may take its time, and answers meanwhile.
    pub async fn during<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = self.beat() => {}
            }
        }
    }
}

impl Heartbeats {
    /// A loop more, by the name that the log calls it.
    pub fn pulse(&self, name: impl Into<String>) -> Pulse {
        let mut slots = self.0.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let round = self.0.round.subscribe();
        let slot = Arc::new(Slot { name: name.into(), answered: AtomicU64::new(*round.borrow()) });
        slots.push(Arc::downgrade(&slot));
        Pulse { slot, round, is_replaced: false }
    }

    /// Ends a round and begins the next. Returns who has not answered in the one that ended.
    pub(super) fn next_round(&self) -> Vec<String> {
        let mut slots = self.0.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.retain(|slot| slot.strong_count() > 0);
        let round = *self.0.round.borrow();
        let living = slots.iter().filter_map(Weak::upgrade);
        let late = living.filter(|slot| slot.answered.load(Ordering::Relaxed) != round);
        let late = late.map(|slot| slot.name.clone()).collect();
        self.0.round.send_replace(round + 1);
        late
    }

    /// Asks every `period` until the return value is dropped. `alive` is called whenever all have answered.
    pub fn watch(&self, period: Duration, alive: impl Fn() + Send + 'static) -> io::Result<Watch> {
        let (stop, stopped) = mpsc::channel();
        let loops = self.clone();
        let watch = move || {
            let mut late = loops.next_round();
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(period) {
                let before = std::mem::replace(&mut late, loops.next_round());
                report(&before, &late);
                if late.is_empty() {
                    alive();
                }
            }
        };
        thread::Builder::new().name("watchdog".to_owned()).spawn(watch)?;
        Ok(Watch { _stop: stop })
    }
}

/// Asks until it is dropped.
#[derive(Debug)]
pub struct Watch {
    _stop: mpsc::Sender<()>,
}

fn report(before: &[String], late: &[String]) {
    if before != late {
        for name in late.iter().filter(|name| !before.contains(name)) {
            tracing::error!("this loop does not turn any more: {name}");
        }
        for name in before.iter().filter(|name| !late.contains(name)) {
            tracing::warn!("this loop turns again, or has ended: {name}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUND: Duration = Duration::from_millis(10);

    async fn answered(loops: &Heartbeats) -> Vec<String> {
        loops.next_round();
        tokio::time::sleep(ROUND).await;
        loops.next_round()
    }

    #[tokio::test]
    async fn a_loop_that_does_not_turn_is_named() {
        let loops = Heartbeats::default();
        let (mut turning, mut wedged) = (loops.pulse("turning"), loops.pulse("wedged"));
        tokio::spawn(async move {
            loop {
                turning.beat().await;
            }
        });
        assert_eq!(answered(&loops).await, ["wedged"]);
        wedged.beat().await;
        tokio::time::sleep(ROUND).await;
        assert_eq!(loops.next_round(), [""; 0], "it has answered the round that was asked last");
        assert_eq!(answered(&loops).await, ["wedged"]);
        drop(wedged);
        assert_eq!(answered(&loops).await, [""; 0], "a loop that has ended is not waited for");
    }

    #[tokio::test]
    async fn a_loop_that_waits_for_something_slow_answers_meanwhile() {
        let loops = Heartbeats::default();
        let mut pulse = loops.pulse("slow");
        let (end, ended) = tokio::sync::oneshot::channel();
        let slow = tokio::spawn(async move { pulse.during(ended).await });
        assert_eq!(answered(&loops).await, [""; 0]);
        assert_eq!(answered(&loops).await, [""; 0]);
        end.send("done").unwrap();
        assert_eq!(slow.await.unwrap(), Ok("done"));
    }

    #[tokio::test]
    async fn nobody_says_that_all_is_well_while_a_loop_hangs() {
        let loops = Heartbeats::default();
        let mut pulse = loops.pulse("a loop");
        let (alive, mut said) = tokio::sync::mpsc::unbounded_channel();
        let alive = move || alive.send(()).unwrap_or_default();
        let watch = loops.watch(ROUND, alive).unwrap();
        let turns = async {
            loop {
                pulse.beat().await;
            }
        };
        tokio::select! {
            some = said.recv() => assert!(some.is_some()),
            () = turns => unreachable!(),
        }
        // What was said before the loop began to hang.
        tokio::time::sleep(ROUND * 3).await;
        while said.try_recv().is_ok() {}
        tokio::time::sleep(ROUND * 10).await;
        assert!(said.try_recv().is_err());
        drop(watch);
    }

    #[tokio::test]
    async fn a_loop_that_panicked_is_named_unless_somebody_replaces_it() {
        let loops = Heartbeats::default();
        let (lost, replaced, ended) = (loops.pulse("lost"), loops.pulse("replaced").replaced(), loops.pulse("ended"));
        for pulse in [lost, replaced] {
            let fails = tokio::spawn(async move {
                let _pulse = pulse;
                panic!("as planned");
            });
            assert!(fails.await.unwrap_err().is_panic());
        }
        drop(ended);
        assert_eq!(answered(&loops).await, ["lost"]);
    }
}
