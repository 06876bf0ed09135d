//! An embedded graph as the command stream that `microflo generate` puts into firmware.

use firmware_proto::descriptor::Descriptor;
use firmware_proto::{Command, Dialect, Framed, Framing};

/// The dialect of a command stream, by its magic.
pub fn dialect_of(stream: &[u8]) -> Option<Dialect> {
    Dialect::ALL.into_iter().find(|dialect| stream.starts_with(dialect.magic()))
}

/// Whether a command stream makes the nodes that the descriptor names, so that both are of the same graph.
pub fn makes_nodes_of(stream: &[u8], descriptor: &Descriptor<'_>) -> bool {
    let mut framing = Framing::new(descriptor.fixed().dialect);
    let made = stream.iter().filter_map(|byte| match framing.feed(*byte)? {
        Framed::Command { command: Command::CreateComponent { component, .. }, .. } => Some(component),
        _ => None,
    });
    made.eq(descriptor.nodes().map(|(_, node)| node.component))
}
