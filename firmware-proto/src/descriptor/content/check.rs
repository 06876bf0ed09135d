//! Whether a descriptor makes sense: names, numbers and references.

use super::{Component, ContentError, Descriptor, NAME_BYTES, Part};

impl<'a> Descriptor<'a> {
    pub(super) fn check(&self) -> Result<(), ContentError> {
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
