//! The descriptor's bytes, read in place.

mod check;
mod error;
mod parts;

use core::iter::FusedIterator;
use core::marker::PhantomData;

use serde::Deserialize;

pub use error::{ContentError, Part};
pub use parts::{Component, Edge, Export, Fixed, Initial, Node};

use super::{HASH_BYTES, MAX_BYTES, VERSION};

/// The longest name, in bytes of UTF-8.
pub const NAME_BYTES: usize = 128;

/// The longest label and title, in bytes of UTF-8.
pub const LABEL_BYTES: usize = NAME_BYTES;

/// The most port names: ports refer to them by a byte.
pub const WORDS: usize = 255;

/// The most entries of each other list.
pub const ITEMS: usize = 255;

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
