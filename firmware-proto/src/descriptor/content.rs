//! The descriptor's bytes, read in place.

use core::iter::FusedIterator;
use core::marker::PhantomData;

use serde::{Deserialize, Serialize};

use super::{HASH_BYTES, MAX_BYTES, VERSION};
use crate::dialect::Dialect;

/// The longest name, in bytes of UTF-8.
pub const NAME_BYTES: usize = 128;

/// The longest label and title, in bytes of UTF-8.
pub const LABEL_BYTES: usize = NAME_BYTES;

/// The most port names: ports refer to them by a byte.
pub const WORDS: usize = 255;

/// The most entries of each other list.
pub const ITEMS: usize = 255;

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

/// A list in the descriptor.
#[derive(Clone, Debug)]
pub struct List<'a, T> {
    left: usize,
    bytes: &'a [u8],
    item: PhantomData<T>,
}

/// Derived, it would want `T: Copy`.
impl<T: Clone> Copy for List<'_, T> {}

impl<'a, T: Deserialize<'a>> Iterator for List<'a, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.left = self.left.checked_sub(1)?;
        let (item, rest) = postcard::take_from_bytes(self.bytes).ok()?;
        self.bytes = rest;
        Some(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.left))
    }
}

impl<'a, T: Deserialize<'a>> FusedIterator for List<'a, T> {}

/// A descriptor that was found sound: its lists can be walked without errors.
#[derive(Clone, Copy, Debug)]
pub struct Descriptor<'a> {
    fixed: Fixed<'a>,
    words: List<'a, &'a str>,
    components: List<'a, Component<'a>>,
    nodes: List<'a, Node<'a>>,
    edges: List<'a, Edge>,
    initials: List<'a, Initial<'a>>,
    in_ports: List<'a, Export<'a>>,
    out_ports: List<'a, Export<'a>>,
}

impl<'a> Descriptor<'a> {
    /// Reads a descriptor: every name, number and reference of it. The hash is not checked, which needs SHA-256 of
    /// [`hashed`](Self::hashed).
    pub fn read(bytes: &'a [u8]) -> Result<Descriptor<'a>, ContentError> {
        match bytes.first() {
            Some(&VERSION) | None => {}
            Some(&version) => return Err(ContentError::Version { version }),
        }
        if bytes.len() > MAX_BYTES {
            return Err(ContentError::TooLong { length: bytes.len() });
        }
        let unreadable = ContentError::Unreadable { part: Part::Head };
        let (fixed, mut rest) = postcard::take_from_bytes::<Fixed<'a>>(bytes).map_err(|_| unreadable)?;
        let length = fixed.label.len().max(fixed.title.len());
        if length > LABEL_BYTES {
            return Err(ContentError::Name { part: Part::Head, length });
        }
        let descriptor = Descriptor {
            fixed,
            words: list(&mut rest, Part::Words, WORDS)?,
            components: list(&mut rest, Part::Components, ITEMS)?,
            nodes: list(&mut rest, Part::Nodes, ITEMS)?,
            edges: list(&mut rest, Part::Edges, ITEMS)?,
            initials: list(&mut rest, Part::Initials, ITEMS)?,
            in_ports: list(&mut rest, Part::InPorts, ITEMS)?,
            out_ports: list(&mut rest, Part::OutPorts, ITEMS)?,
        };
        if !rest.is_empty() {
            return Err(ContentError::Trailing { length: rest.len() });
        }
        descriptor.check()?;
        Ok(descriptor)
    }

    /// What the hash is of.
    pub fn hashed(bytes: &[u8]) -> &[u8] {
        bytes.get(1 + HASH_BYTES..).unwrap_or_default()
    }

    /// What stands in front of the lists.
    pub const fn fixed(&self) -> &Fixed<'a> {
        &self.fixed
    }

    /// The components, in the order of the component map.
    pub const fn components(&self) -> List<'a, Component<'a>> {
        self.components
    }

    /// The ports of one direction, [`Component::in_ports`] or [`Component::out_ports`]: id and name.
    pub fn ports(&self, words: &'a [u8]) -> impl Iterator<Item = (u8, &'a str)> + use<'a> {
        let names = self.words;
        let named = (0_u8..=u8::MAX).zip(words).filter(|(_, word)| **word != 0);
        named.filter_map(move |(id, word)| Some((id, names.clone().nth(usize::from(*word) - 1)?)))
    }

    /// The embedded graph's nodes with their ids.
    pub fn nodes(&self) -> impl Iterator<Item = (u8, Node<'a>)> + use<'a> {
        (1_u8..=u8::MAX).zip(self.nodes)
    }

    /// The embedded graph's edges.
    pub const fn edges(&self) -> List<'a, Edge> {
        self.edges
    }

    /// Its initial packets, in the order in which they are sent.
    pub const fn initials(&self) -> List<'a, Initial<'a>> {
        self.initials
    }

    /// The exported in ports.
    pub const fn in_ports(&self) -> List<'a, Export<'a>> {
        self.in_ports
    }

    /// The exported out ports.
    pub const fn out_ports(&self) -> List<'a, Export<'a>> {
        self.out_ports
    }

    fn check(&self) -> Result<(), ContentError> {
        check_names(self.words, Part::Words)?;
        check_names(self.components.map(|component| component.name), Part::Components)?;
        check_names(self.nodes.map(|node| node.name), Part::Nodes)?;
        check_names(self.in_ports.map(|port| port.name), Part::InPorts)?;
        check_names(self.out_ports.map(|port| port.name), Part::OutPorts)?;
        let mut ids = Seen::default();
        for component in self.components {
            if !ids.first_time(component.id) {
                return Err(ContentError::Twice { part: Part::Components });
            }
            self.check_ports(component.in_ports)?;
            self.check_ports(component.out_ports)?;
        }
        if self.nodes.into_iter().any(|node| !ids.has(node.component)) {
            return Err(ContentError::Dangling { part: Part::Nodes });
        }
        let dangling = |part| move |there: bool| if there { Ok(()) } else { Err(ContentError::Dangling { part }) };
        let sends = |node, port| self.has_port(node, port, |component| component.out_ports);
        let takes = |node, port| self.has_port(node, port, |component| component.in_ports);
        self.edges
            .map(|edge| sends(edge.src_node, edge.src_port) && takes(edge.tgt_node, edge.tgt_port))
            .try_for_each(dangling(Part::Edges))?;
        self.initials.map(|initial| takes(initial.node, initial.port)).try_for_each(dangling(Part::Initials))?;
        self.in_ports.map(|export| takes(export.node, export.port)).try_for_each(dangling(Part::InPorts))?;
        self.out_ports.map(|export| sends(export.node, export.port)).try_for_each(dangling(Part::OutPorts))
    }

    /// A component's ports of one direction: words that there are, none twice.
    fn check_ports(&self, words: &[u8]) -> Result<(), ContentError> {
        let mut seen = Seen::default();
        for word in words.iter().copied().filter(|word| *word != 0) {
            if usize::from(word) > self.words.left {
                return Err(ContentError::Dangling { part: Part::Components });
            }
            if !seen.first_time(word) {
                return Err(ContentError::Twice { part: Part::Components });
            }
        }
        Ok(())
    }

    /// Whether a node has a port, among its component's `ports`.
    fn has_port(&self, node: u8, port: u8, ports: impl Fn(&Component<'a>) -> &'a [u8]) -> bool {
        let node = self.nodes().find(|(id, _)| *id == node);
        let component = node.and_then(|(_, node)| self.components().find(|c| c.id == node.component));
        let word = component.and_then(|component| ports(&component).get(usize::from(port)).copied());
        word.unwrap_or(0) != 0
    }
}

/// Takes a list off the front, walking all of it.
fn list<'a, T: Deserialize<'a> + Clone>(
    rest: &mut &'a [u8],
    part: Part,
    most: usize,
) -> Result<List<'a, T>, ContentError> {
    let unreadable = |_| ContentError::Unreadable { part };
    let (left, bytes) = postcard::take_from_bytes::<u32>(rest).map_err(unreadable)?;
    let left = usize::try_from(left).ok().filter(|left| *left <= most);
    let left = left.ok_or(ContentError::Unreadable { part })?;
    *rest = bytes;
    for _ in 0..left {
        (_, *rest) = postcard::take_from_bytes::<T>(rest).map_err(unreadable)?;
    }
    Ok(List { left, bytes, item: PhantomData })
}

fn check_names<'a>(names: impl Iterator<Item = &'a str> + Clone, part: Part) -> Result<(), ContentError> {
    for (index, name) in names.clone().enumerate() {
        if !(1..=NAME_BYTES).contains(&name.len()) {
            return Err(ContentError::Name { part, length: name.len() });
        }
        if names.clone().take(index).any(|earlier| earlier == name) {
            return Err(ContentError::Twice { part });
        }
    }
    Ok(())
}

/// A set of bytes.
#[derive(Default)]
struct Seen([u64; 4]);

impl Seen {
    fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte / 64)] & (1 << (byte % 64)) != 0
    }

    fn first_time(&mut self, byte: u8) -> bool {
        let before = self.has(byte);
        self.0[usize::from(byte / 64)] |= 1 << (byte % 64);
        !before
    }
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
