//! The firmware's message queue: a small ring that does not notice when it overflows.

use firmware_proto::{Packet, PortRef};

/// A packet on its way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Queued {
    pub packet: Packet,
    pub route: Route,
}

/// Where a packet goes is looked up at delivery, so an edge that changes meanwhile takes it along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// Out of this port, to wherever it leads.
    From(PortRef),
    /// To this in port: sent by the host.
    To(PortRef),
}

/// A ring of `limit - 1` slots. Delivery takes what was queued before it began; what is queued meanwhile waits for the next tick.
#[derive(Debug)]
pub(super) struct Queue {
    slots: Vec<Option<Queued>>,
    current: Range,
    delivering: Range,
    tally: Tally,
}

#[derive(Clone, Copy, Debug, Default)]
struct Range {
    read: usize,
    write: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    pushed: u64,
    popped: u64,
}

impl Queue {
    /// A queue of a build with room for `limit` messages, of which one is reserved.
    pub(super) fn new(limit: usize) -> Self {
        let slots = limit.saturating_sub(1).max(1);
        let tally = Tally::default();
        Queue { slots: vec![None; slots], current: Range::default(), delivering: Range::default(), tally }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Queue::new(self.slots.len() + 1);
    }

    /// Adds a message. A full queue wraps: everything in it is lost.
    pub(super) fn push(&mut self, message: Queued) {
        if self.current.write >= self.slots.len() {
            self.current.write = 0;
        }
        self.slots[self.current.write] = Some(message);
        self.current.write += 1;
        self.tally.pushed += 1;
    }

    /// Whether nothing would be delivered.
    pub(super) fn is_empty(&self) -> bool {
        self.current.read == self.current.write
    }

    /// A tick begins: what was queued so far is to be delivered.
    pub(super) fn begin(&mut self) {
        self.delivering = self.current;
    }

    /// The next message of this tick.
    pub(super) fn pop(&mut self) -> Option<Queued> {
        if self.delivering.read == self.delivering.write {
            self.current.read = self.delivering.write;
            return None;
        }
        if self.delivering.read >= self.slots.len() {
            self.delivering.read = 0;
        }
        let message = self.slots[self.delivering.read];
        self.delivering.read += 1;
        self.tally.popped += 1;
        message
    }

    /// Messages lost since the last clearing because the queue wrapped. Meaningful between ticks.
    pub(super) fn lost(&self) -> u64 {
        let Range { read, write } = self.current;
        let waiting = if write >= read { write - read } else { self.slots.len() - read + write };
        let Tally { pushed, popped } = self.tally;
        pushed.saturating_sub(popped + waiting as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(number: i32) -> Queued {
        Queued { packet: Packet::Integer(number), route: Route::To(PortRef { node: 1, port: 0 }) }
    }

    fn deliver(queue: &mut Queue) -> usize {
        queue.begin();
        std::iter::from_fn(|| queue.pop()).count()
    }

    #[test]
    fn forty_eight_messages_always_fit() {
        for before in 0..60 {
            let mut queue = Queue::new(50);
            (0..before).for_each(|number| {
                queue.push(message(number));
                assert_eq!(deliver(&mut queue), 1);
            });
            (0..48).for_each(|number| queue.push(message(number)));
            assert_eq!((queue.lost(), deliver(&mut queue)), (0, 48), "after {before}");
        }
    }

    #[test]
    fn one_too_many_loses_all_the_others() {
        let mut queue = Queue::new(50);
        (0..50).for_each(|number| queue.push(message(number)));
        assert_eq!(queue.lost(), 49);
        queue.begin();
        assert_eq!(queue.pop(), Some(message(49)));
        assert_eq!(queue.pop(), None);
    }

    #[test]
    fn what_is_queued_during_delivery_waits_for_the_next_tick() {
        let mut queue = Queue::new(50);
        queue.push(message(1));
        queue.begin();
        assert_eq!(queue.pop(), Some(message(1)));
        queue.push(message(2));
        assert_eq!(queue.pop(), None);
        assert_eq!(deliver(&mut queue), 1);
    }
}
