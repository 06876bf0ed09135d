//! What can be wrong with a descriptor.

use super::NAME_BYTES;
use crate::descriptor::{MAX_BYTES, VERSION};

/// Why bytes are no descriptor that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    /// Another version.
    #[error("the descriptor is of version {version}; this program knows version {VERSION}")]
    Version {
        /// The version.
        version: u8,
    },
    /// More than a board may have.
    #[error("the descriptor has {length} bytes, more than the {MAX_BYTES} that it may have")]
    TooLong {
        /// Bytes.
        length: usize,
    },
    /// It ends too early, or is not postcard.
    #[error("the descriptor's {part} cannot be read")]
    Unreadable {
        /// What was read.
        part: Part,
    },
    /// A name that is empty or too long.
    #[error("the descriptor has a name of {length} bytes among its {part}; 1 to {NAME_BYTES} are right")]
    Name {
        /// Among which.
        part: Part,
        /// Bytes.
        length: usize,
    },
    /// Two of the same name or number.
    #[error("the descriptor has the same {part} twice")]
    Twice {
        /// Which.
        part: Part,
    },
    /// A reference to something that is not there.
    #[error("the descriptor's {part} refer to what is not in it")]
    Dangling {
        /// Which.
        part: Part,
    },
    /// Bytes behind the end.
    #[error("there are {length} bytes behind the descriptor's end")]
    Trailing {
        /// Bytes.
        length: usize,
    },
}

/// A part of a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Version to label.
    Head,
    /// The port names.
    Words,
    /// The component map.
    Components,
    /// The embedded graph's nodes.
    Nodes,
    /// Its edges.
    Edges,
    /// Its initial packets.
    Initials,
    /// Its exported in ports.
    InPorts,
    /// Its exported out ports.
    OutPorts,
}

impl core::fmt::Display for Part {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Part::Head => "first bytes",
            Part::Words => "port names",
            Part::Components => "components",
            Part::Nodes => "nodes",
            Part::Edges => "edges",
            Part::Initials => "initial packets",
            Part::InPorts => "exported in ports",
            Part::OutPorts => "exported out ports",
        })
    }
}
