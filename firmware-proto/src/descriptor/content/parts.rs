//! What a descriptor's lists hold.

use serde::{Deserialize, Serialize};

use crate::descriptor::HASH_BYTES;
use crate::dialect::Dialect;

/// What stands in front of the lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fixed<'a> {
    /// The format's version.
    pub version: u8,
    /// The first bytes of the SHA-256 of all that follows.
    pub hash: [u8; HASH_BYTES],
    /// What the firmware speaks.
    #[serde(with = "wire_dialect")]
    pub dialect: Dialect,
    /// Places for nodes, of which the last is never used.
    pub node_limit: u8,
    /// Places for packets on their way.
    pub message_limit: u8,
    /// What a board without a label of its own is called.
    pub label: &'a str,
    /// What the embedded graph is called.
    pub title: &'a str,
}

/// A component, with the names of its ports as words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component<'a> {
    /// Its number on the wire.
    pub id: u8,
    /// Its name.
    pub name: &'a str,
    /// The words of its in ports by port id: from 1; 0 where there is no such port.
    pub in_ports: &'a [u8],
    /// Likewise of its out ports.
    pub out_ports: &'a [u8],
}

/// A node of the embedded graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node<'a> {
    /// What it is: a component's id.
    pub component: u8,
    /// Its name.
    pub name: &'a str,
}

/// An edge of the embedded graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edge {
    /// The node that sends.
    pub src_node: u8,
    /// Its out port.
    pub src_port: u8,
    /// The node that receives.
    pub tgt_node: u8,
    /// Its in port.
    pub tgt_port: u8,
}

/// An initial packet of the embedded graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Initial<'a> {
    /// The node that gets it.
    pub node: u8,
    /// Its in port.
    pub port: u8,
    /// The data as text, as it stands in the graph's source.
    pub data: &'a str,
}

/// An exported port of the embedded graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Export<'a> {
    /// Its name outside.
    pub name: &'a str,
    /// The node.
    pub node: u8,
    /// The node's port.
    pub port: u8,
}

/// [`Dialect`] as the number that stands in a descriptor.
mod wire_dialect {
    use serde::de::{Deserialize, Deserializer, Error, Unexpected};
    use serde::ser::Serializer;

    use crate::dialect::Dialect;

    pub(super) fn serialize<S: Serializer>(dialect: &Dialect, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u8(match dialect {
            Dialect::Flo01 => 0,
            Dialect::Microflo1 => 1,
        })
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Dialect, D::Error> {
        match u8::deserialize(from)? {
            0 => Ok(Dialect::Flo01),
            1 => Ok(Dialect::Microflo1),
            other => Err(D::Error::invalid_value(Unexpected::Unsigned(other.into()), &"0 or 1")),
        }
    }
}
