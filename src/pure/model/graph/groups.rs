//! Groups: nodes that belong together for people. The board knows nothing of them.

use super::{Metadata, NodeKey};

/// Nodes that belong together.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its nodes, in the order given; a node may be in several groups.
    pub nodes: Vec<NodeKey>,
    /// What clients keep with it.
    pub metadata: Metadata,
}

/// The groups of a graph, in order of creation; names are unique.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Groups(Vec<Group>);

impl Groups {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Group> {
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
    pub fn find(&self, name: &str) -> Option<&Group> {
        self.0.iter().find(|group| group.name == name)
    }

    /// The one of that name, to change its metadata.
    pub fn find_mut(&mut self, name: &str) -> Option<&mut Group> {
        self.0.iter_mut().find(|group| group.name == name)
    }

    /// Adds one. `false` if its name is taken.
    pub fn add(&mut self, group: Group) -> bool {
        let free = self.find(&group.name).is_none();
        if free {
            self.0.push(group);
        }
        free
    }

    /// Removes the one of that name.
    pub fn remove(&mut self, name: &str) -> Option<Group> {
        let at = self.0.iter().position(|group| group.name == name)?;
        Some(self.0.remove(at))
    }

    /// Gives one another name, which must be free. `false` if it is not, or there is none of the first name.
    pub fn rename(&mut self, from: &str, to: &str) -> bool {
        if from != to && self.find(to).is_some() {
            return false;
        }
        let Some(group) = self.find_mut(from) else { return false };
        group.name = to.to_owned();
        true
    }

    /// A node is no more: the groups that it was in.
    pub(super) fn take_node(&mut self, node: NodeKey) -> Vec<String> {
        let groups = self.0.iter_mut().filter(|group| group.nodes.contains(&node));
        let left = |group: &mut Group| {
            group.nodes.retain(|member| *member != node);
            group.name.clone()
        };
        groups.map(left).collect()
    }

    /// A node is back in these groups.
    pub(super) fn put_back(&mut self, node: NodeKey, names: &[String]) {
        let groups = self.0.iter_mut().filter(|group| names.contains(&group.name));
        groups.for_each(|group| group.nodes.push(node));
    }
}
