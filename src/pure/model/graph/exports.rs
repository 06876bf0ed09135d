//! Exported ports: those of the graph's inner ports that it shows to the outside.

use super::{Metadata, NodeKey, Port};

/// A port that the graph exports.
#[derive(Clone, Debug, PartialEq)]
pub struct Export {
    /// Its name outside.
    pub public: String,
    /// The inner port.
    pub port: Port,
    /// What clients keep with it.
    pub metadata: Metadata,
}

/// The exported ports of one side, in order of creation; names are unique.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exports(Vec<Export>);

impl Exports {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Export> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The one of that name.
    pub fn find(&self, public: &str) -> Option<&Export> {
        self.0.iter().find(|export| export.public == public)
    }

    /// Whether an inner port is exported.
    pub fn contains(&self, port: Port) -> bool {
        self.0.iter().any(|export| export.port == port)
    }

    /// Adds one. `false` if its name is taken.
    pub fn add(&mut self, export: Export) -> bool {
        let free = self.find(&export.public).is_none();
        if free {
            self.0.push(export);
        }
        free
    }

    /// Removes the one of that name.
    pub fn remove(&mut self, public: &str) -> Option<Export> {
        let at = self.0.iter().position(|export| export.public == public)?;
        Some(self.0.remove(at))
    }

    /// Gives one another name, which must be free. `false` if it is not, or there is none of the first name.
    pub fn rename(&mut self, from: &str, to: &str) -> bool {
        if from != to && self.find(to).is_some() {
            return false;
        }
        let Some(export) = self.0.iter_mut().find(|export| export.public == from) else { return false };
        export.public = to.to_owned();
        true
    }

    /// A node is no more: what it had here.
    pub(super) fn take_node(&mut self, node: NodeKey) -> Vec<Export> {
        self.0.extract_if(.., |export| export.port.node == node).collect()
    }
}
