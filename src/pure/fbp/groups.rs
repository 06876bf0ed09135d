//! `graph:addgroup` and its like: groups are for people, the board has no part in them.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Runtime;
use super::op::Turn;
use super::refusal::{GROUPS, Refusal};
use crate::pure::model::graph::Group;

impl Runtime {
    pub(super) fn add_group(
        &mut self,
        name: &str,
        nodes: &[String],
        metadata: &Map<String, Value>,
    ) -> Result<Turn, Refusal> {
        if self.graph.groups().len() >= GROUPS {
            return Err(Refusal::TooManyGroups);
        }
        let find = |node: &String| self.graph.find(node).ok_or_else(|| Refusal::NoNode(node.clone()));
        let mut nodes = nodes.iter().map(find).collect::<Result<Vec<_>, _>>()?;
        let mut seen = BTreeSet::new();
        nodes.retain(|node| seen.insert(*node));
        if !self.graph.groups_mut().add(Group { name: name.to_owned(), nodes, metadata: metadata.clone() }) {
            return Err(Refusal::GroupExists(name.to_owned()));
        }
        Ok(Turn::Done)
    }

    pub(super) fn remove_group(&mut self, name: &str) -> Result<Turn, Refusal> {
        self.graph.groups_mut().remove(name).map(|_| Turn::Done).ok_or_else(|| Refusal::NoGroup(name.to_owned()))
    }

    pub(super) fn rename_group(&mut self, from: &str, to: &str) -> Result<Turn, Refusal> {
        if self.graph.groups().find(from).is_none() {
            return Err(Refusal::NoGroup(from.to_owned()));
        }
        if !self.graph.groups_mut().rename(from, to) {
            return Err(Refusal::GroupExists(to.to_owned()));
        }
        Ok(Turn::Done)
    }
}
