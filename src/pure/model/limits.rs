//! What a board can take.

use firmware_proto::limits::{QUEUED_PACKETS_WHILE_STOPPED, SAFE_NODES};

/// Places in a build's node table that are never used: the last one overwrites a counter.
const UNUSED_NODE_PLACES: usize = 1;

/// Places in a build's message queue that are never used: a full one wraps.
const UNUSED_MESSAGE_PLACES: usize = 2;

/// How many nodes and packets a board takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Nodes between two clears.
    pub nodes: usize,
    /// Packets that wait while the network is stopped.
    pub packets: usize,
}

impl Default for Limits {
    /// Those of firmware that was built with the default options.
    fn default() -> Limits {
        Limits { nodes: SAFE_NODES, packets: QUEUED_PACKETS_WHILE_STOPPED }
    }
}

impl Limits {
    /// Those of firmware that was built with room for so many nodes and messages.
    pub fn of_build(nodes: u8, messages: u8) -> Limits {
        Limits {
            nodes: usize::from(nodes).saturating_sub(UNUSED_NODE_PLACES),
            packets: usize::from(messages).saturating_sub(UNUSED_MESSAGE_PLACES),
        }
    }

    /// Packets that a network may have left in the queue when it was stopped: what its nodes had sent in the last tick.
    pub fn left_by_a_stop(self) -> usize {
        self.packets / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_build_has_the_default_limits() {
        assert_eq!(Limits::of_build(50, 50), Limits::default());
        assert_eq!(Limits::of_build(0, 1), Limits { nodes: 0, packets: 0 });
    }
}
