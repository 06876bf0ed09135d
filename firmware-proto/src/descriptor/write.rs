//! Writing a descriptor into a buffer.

use serde::Serialize;

use super::content::{Component, ContentError, Descriptor, Edge, Export, Fixed, Initial, Node};
use super::{HASH_BYTES, VERSION};
use crate::dialect::Dialect;

/// What a descriptor is made of.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// What the firmware speaks.
    pub dialect: Dialect,
    /// Places for nodes.
    pub node_limit: u8,
    /// Places for packets on their way.
    pub message_limit: u8,
    /// What a board without a label of its own is called.
    pub label: &'a str,
    /// What the embedded graph is called.
    pub title: &'a str,
    /// The port names, each once.
    pub words: &'a [&'a str],
    /// The component map.
    pub components: &'a [Component<'a>],
    /// The embedded graph's nodes, in the order of their ids.
    pub nodes: &'a [Node<'a>],
    /// Its edges.
    pub edges: &'a [Edge],
    /// Its initial packets, in the order in which they are sent.
    pub initials: &'a [Initial<'a>],
    /// Its exported in ports.
    pub in_ports: &'a [Export<'a>],
    /// Its exported out ports.
    pub out_ports: &'a [Export<'a>],
}

/// Why there is no such descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// It does not fit.
    #[error("the descriptor has more than {room} bytes; leave components out of the library")]
    TooLong {
        /// Bytes of the buffer.
        room: usize,
    },
    /// It would not be sound.
    #[error(transparent)]
    Unsound(#[from] ContentError),
}

impl Parts<'_> {
    /// Writes the descriptor; returns its bytes, which are in front of the buffer. `sha256` says the first bytes of a SHA-256.
    pub fn write<'b>(
        &self,
        buffer: &'b mut [u8],
        sha256: impl FnOnce(&[u8]) -> [u8; HASH_BYTES],
    ) -> Result<&'b [u8], WriteError> {
        let fixed = Fixed {
            version: VERSION,
            hash: [0; HASH_BYTES],
            dialect: self.dialect,
            node_limit: self.node_limit,
            message_limit: self.message_limit,
            label: self.label,
            title: self.title,
        };
        let mut writer = Writer { buffer: &mut *buffer, at: 0 };
        writer.put(&fixed)?;
        writer.put(&self.words)?;
        writer.put(&self.components)?;
        writer.put(&self.nodes)?;
        writer.put(&self.edges)?;
        writer.put(&self.initials)?;
        writer.put(&self.in_ports)?;
        writer.put(&self.out_ports)?;
        let length = writer.at;
        let written = &mut buffer[..length];
        let hash = sha256(Descriptor::hashed(written));
        written[1..=HASH_BYTES].copy_from_slice(&hash);
        Descriptor::read(written)?;
        Ok(written)
    }
}

struct Writer<'b> {
    buffer: &'b mut [u8],
    at: usize,
}

impl Writer<'_> {
    fn put(&mut self, value: &impl Serialize) -> Result<(), WriteError> {
        let too_long = WriteError::TooLong { room: self.buffer.len() };
        let used = postcard::to_slice(value, &mut self.buffer[self.at..]).map_err(|_| too_long)?.len();
        self.at += used;
        Ok(())
    }
}
