//! `simulate`: boards on pseudo-terminals, for tests and measurements of a bridge in another process.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use firmware_proto::Dialect;
use firmware_proto::limits::{DEFAULT_MESSAGE_LIMIT, DEFAULT_NODE_LIMIT};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

use super::open_files;
use crate::config::value;
use crate::pure::descriptor::{Options, compile};
use crate::pure::model::build::Build;
use crate::sim;

/// The component map of the boards, for `--device …,components=`.
const MAP: &str = "components.json";

/// How fast their LEDs blink.
const BLINK: Duration = Duration::from_millis(500);

#[derive(Debug, Args)]
pub(super) struct SimulateArgs {
    /// How many
    #[arg(long, value_name = "N", default_value_t = 1)]
    count: u32,
    /// Where to make the links `board-1`, `board-2`… and the component map
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// What they speak
    #[arg(long, value_parser = value::dialect, default_value = Dialect::Flo01.name())]
    dialect: Dialect,
    /// Report the values of bytes, which stock firmware does not
    #[arg(long)]
    reports_bytes: bool,
    /// Tell components, nodes and limits, and keep an id and a label while the process runs, as self-describing boards do
    #[arg(long)]
    self_describing: bool,
}

/// Runs until it is interrupted or all boards are gone.
pub(super) async fn simulate(args: SimulateArgs) -> anyhow::Result<()> {
    open_files::raise_limit();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    std::fs::create_dir_all(&args.dir).with_context(|| format!("{} cannot be made", args.dir.display()))?;
    let map = args.dir.join(MAP);
    std::fs::write(&map, sim::component_map(args.dialect).to_string())
        .with_context(|| format!("{} cannot be written", map.display()))?;
    let content = if args.self_describing { Some(descriptor(args.dialect)?) } else { None };
    let mut boards = JoinSet::new();
    for index in 1..=args.count {
        let link = args.dir.join(format!("board-{index}"));
        let embedded = Some(sim::blink(args.dialect, BLINK));
        // Each has a memory of its own.
        let described = content.as_deref().map(sim::Described::new);
        let reports_bytes = args.reports_bytes;
        let config = sim::Config { embedded, described, reports_bytes, ..sim::Config::new(args.dialect) };
        boards.spawn(async move { sim::serve_pty(&link, config, sim::Opening::Joins).await });
    }
    let gone = async {
        while let Some(board) = boards.join_next().await {
            board??;
        }
        Ok(())
    };
    tokio::select! {
        gone = gone => gone,
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
    }
}

/// What the boards tell of themselves.
fn descriptor(dialect: Dialect) -> anyhow::Result<Vec<u8>> {
    let (map, graph) = (sim::component_map(dialect).to_string(), sim::blink_source(BLINK).to_string());
    let build = Build::read(&map, Some(&graph), "")?;
    let limits = (DEFAULT_NODE_LIMIT, DEFAULT_MESSAGE_LIMIT);
    let options = Options { dialect, node_limit: limits.0, message_limit: limits.1, label: String::new() };
    Ok(compile(&build, &options)?)
}
