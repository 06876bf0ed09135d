//! `firmware add`, `list` and `remove`; `firmware descriptor` is in [`super::descriptor`].

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand};
use comfy_table::{Table, presets};

use super::change::find;
use super::client::Client;
use super::descriptor::DescriptorArgs;
use super::screen::{plain, print, print_json};
use crate::http::firmware::{FirmwareBody, FirmwareJson};
use crate::io::firmware_files::{self, read_text};
use crate::pure::firmwares::Subject;

#[derive(Debug, Subcommand)]
pub(super) enum FirmwareCommand {
    /// Tell the bridge what `microflo generate` wrote: a component map, and the graph that the firmware runs at boot
    Add(AddArgs),
    /// List what was added, and which boards have it
    List(ListArgs),
    /// Forget it
    Remove(RemoveArgs),
    /// Make the C header of a self-describing board, of what `microflo generate` wrote
    Descriptor(DescriptorArgs),
}

#[derive(Debug, Args)]
pub(super) struct AddArgs {
    /// The directory that `microflo generate` wrote to, or a component map
    path: PathBuf,
    /// What to call it [default: the directory's name]
    #[arg(long)]
    name: Option<String>,
    /// Which boards have it: a BOARD, a chip as VID:PID, or `default` for all that nothing else is known of; may be given several times
    #[arg(long = "for", value_name = "BOARDS", default_value = "default")]
    boards: Vec<String>,
    /// The graph that the firmware runs at boot, if it does not lie beside the map as main.json
    #[arg(long, value_name = "FILE")]
    graph: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct RemoveArgs {
    /// Its name
    name: String,
}

pub(super) async fn firmware(client: &Client, command: FirmwareCommand) -> anyhow::Result<()> {
    match command {
        FirmwareCommand::Add(args) => add(client, args).await,
        FirmwareCommand::List(args) => list(client, &args).await,
        FirmwareCommand::Descriptor(_) => unreachable!("does not ask a running bridge"),
        FirmwareCommand::Remove(args) => {
            client.delete(&format!("/api/firmware/{}", encoded(&args.name))).await?;
            print(&format!("{} is forgotten\n", plain(&args.name)))?;
            Ok(())
        }
    }
}

async fn add(client: &Client, args: AddArgs) -> anyhow::Result<()> {
    let files = firmware_files::read(&args.path)?;
    let graph = match &args.graph {
        Some(graph) => Some(read_text(graph)?),
        None => files.graph,
    };
    let name = match args.name {
        Some(name) => name,
        None => name_of(&args.path)?,
    };
    let mut boards = Vec::new();
    for board in &args.boards {
        boards.push(subject(client, board).await?.to_string());
    }
    let body = FirmwareBody { name, components: files.components, graph, boards };
    let added: FirmwareJson = client.post_for("/api/firmware", &body).await?;
    let graph = if added.graph { " and the graph it runs at boot" } else { "" };
    let name = plain(&added.name);
    print(&format!("{name}: {} components{graph}, for {}\n", added.components, added.boards.join(", ")))?;
    Ok(())
}

/// What it is called if nobody says: like the directory that it was written to.
fn name_of(path: &Path) -> anyhow::Result<String> {
    let path = path.canonicalize().with_context(|| format!("{} cannot be found", path.display()))?;
    let directory = if path.is_dir() { Some(path.as_path()) } else { path.parent() };
    let name = directory.and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    Ok(name.unwrap_or_else(|| "firmware".to_owned()))
}

/// `default`, a chip, or a board by any of its names.
async fn subject(client: &Client, text: &str) -> anyhow::Result<Subject> {
    if text == "default" {
        return Ok(Subject::Default);
    }
    if let Ok(chip) = format!("chip:{text}").parse() {
        return Ok(chip);
    }
    Ok(Subject::Board(find(client, text).await?.id))
}

async fn list(client: &Client, args: &ListArgs) -> anyhow::Result<()> {
    let firmwares: Vec<FirmwareJson> = client.get("/api/firmware").await?;
    if args.json {
        return print_json(&firmwares);
    }
    if firmwares.is_empty() {
        print("nothing was added; `microflo-bridge firmware add DIRECTORY` adds what `microflo generate` wrote\n")?;
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["NAME", "COMPONENTS", "GRAPH", "FOR"]);
    for firmware in &firmwares {
        let graph = if firmware.graph { "yes" } else { "no" };
        table.add_row([&plain(&firmware.name), &firmware.components.to_string(), graph, &firmware.boards.join(", ")]);
    }
    print(&format!("{table}\n"))?;
    Ok(())
}

fn encoded(name: &str) -> String {
    url::form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>().replace('+', "%20")
}
