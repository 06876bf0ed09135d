//! `firmware descriptor`: the C header of a self-describing board.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::Args;
use firmware_proto::Dialect;
use firmware_proto::descriptor::Descriptor;
use firmware_proto::limits::{DEFAULT_MESSAGE_LIMIT, DEFAULT_NODE_LIMIT};

use super::screen::print;
use crate::config::value;
use crate::io::firmware_files::{self, FirmwareFiles, read_text};
use crate::pure::descriptor::{Options, compile, dialect_of, header, makes_nodes_of};
use crate::pure::model::build::Build;

#[derive(Debug, Args)]
pub(super) struct DescriptorArgs {
    /// The directory that `microflo generate` wrote to, or a component map
    path: PathBuf,
    /// The graph that the firmware runs at boot, if it does not lie beside the map as main.json
    #[arg(long, value_name = "FILE")]
    graph: Option<PathBuf>,
    /// What boards with this firmware are called until they get a label of their own
    #[arg(long, value_name = "TEXT", default_value = "")]
    label: String,
    /// What the firmware speaks [default: what main.fbcs beside the map does, or uC/Flo01]
    #[arg(long, value_parser = value::dialect)]
    dialect: Option<Dialect>,
    /// The MICROFLO_NODE_LIMIT that the firmware is built with
    #[arg(long, value_name = "N", default_value_t = DEFAULT_NODE_LIMIT)]
    node_limit: u8,
    /// The MICROFLO_MESSAGE_LIMIT that the firmware is built with
    #[arg(long, value_name = "N", default_value_t = DEFAULT_MESSAGE_LIMIT)]
    message_limit: u8,
}

pub(super) fn descriptor(args: &DescriptorArgs) -> anyhow::Result<()> {
    let FirmwareFiles { components, graph, stream } = firmware_files::read(&args.path)?;
    // Another graph than the one beside the stream.
    let stream = stream.filter(|_| args.graph.is_none());
    let graph = match &args.graph {
        Some(graph) => Some(read_text(graph)?),
        None => graph,
    };
    let build = Build::read(&components, graph.as_deref(), "")
        .with_context(|| format!("no descriptor can be made of {}", args.path.display()))?;
    let options = Options {
        dialect: args.dialect.or_else(|| dialect_of(stream.as_deref()?)).unwrap_or(Dialect::Flo01),
        node_limit: args.node_limit,
        message_limit: args.message_limit,
        label: args.label.clone(),
    };
    let bytes = compile(&build, &options)?;
    if let Some(stream) = &stream {
        ensure!(
            makes_nodes_of(stream, &Descriptor::read(&bytes)?),
            "main.fbcs in {} makes other nodes than main.json has, so they are of different graphs; run `microflo generate` again",
            args.path.display()
        );
    }
    Ok(print(&header(&bytes, &options, stream.as_ref().map(Vec::len)))?)
}
