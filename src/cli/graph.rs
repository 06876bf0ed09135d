//! `graph show` and `graph upload`.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use super::change::find;
use super::client::Client;
use super::screen::{plain, print, print_json};
use crate::http::graph::{GraphBody, UploadLine};
use crate::io::firmware_files::read_text;
use crate::pure::language::{self, PortCase};

#[derive(Debug, Subcommand)]
pub(super) enum GraphCommand {
    /// Show the graph on a board
    Show(ShowArgs),
    /// Put a graph on a board, in place of the one it has, and start it
    Upload(UploadArgs),
}

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// The board
    board: String,
    /// As JSON, with positions and groups; else in the .fbp language
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct UploadArgs {
    /// The board
    board: String,
    /// The graph: a .fbp file, or .json in FBP's JSON format
    file: PathBuf,
    /// Do not start it
    #[arg(long)]
    stopped: bool,
}

pub(super) async fn graph(client: &Client, command: GraphCommand) -> anyhow::Result<()> {
    match command {
        GraphCommand::Show(args) => show(client, args).await,
        GraphCommand::Upload(args) => upload(client, args).await,
    }
}

async fn show(client: &Client, args: ShowArgs) -> anyhow::Result<()> {
    let board = find(client, &args.board).await?;
    let graph: Value = client.get(&format!("/api/boards/{}/graph", board.id)).await?;
    match language::print(&graph).filter(|_| !args.json) {
        Some(text) if text.is_empty() => print("# there is nothing on the board\n")?,
        Some(text) => print(&text)?,
        // Some name in it cannot be written in the language.
        None => print_json(&graph)?,
    }
    Ok(())
}

async fn upload(client: &Client, args: UploadArgs) -> anyhow::Result<()> {
    let graph = read(&args.file)?;
    let board = find(client, &args.board).await?;
    let body = GraphBody { graph, start: !args.stopped };
    let bar = bar(&plain(&board.label));
    let mut end = None;
    let sent = client
        .post_lines(&format!("/api/boards/{}/graph", board.id), &body, |line| match line {
            UploadLine::Progress { done, total } => {
                bar.set_length(total as u64);
                bar.set_position(done as u64);
            }
            line => end = Some(line),
        })
        .await;
    bar.finish_and_clear();
    sent?;
    match end {
        Some(UploadLine::Done) => {
            let state = if args.stopped { "is on" } else { "runs on" };
            print(&format!("{} {state} {}\n", args.file.display(), plain(&board.label)))?;
            Ok(())
        }
        Some(UploadLine::Failed(why)) => Err(anyhow!(why)),
        _ => bail!("the bridge did not say how it ended; `microflo-bridge graph show` shows what is on the board"),
    }
}

fn bar(label: &str) -> ProgressBar {
    let target =
        if std::io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(None, target).with_prefix(label.to_owned());
    // The template is tested below; without it the bar only looks plainer.
    bar.with_style(ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar()))
}

const TEMPLATE: &str = "{prefix} [{bar:40}] {pos}/{len} {elapsed}";

/// A graph from a file. One without a name is called like its file.
fn read(file: &Path) -> anyhow::Result<Value> {
    let text = read_text(file)?;
    let is_json = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let mut graph: Value = if is_json {
        serde_json::from_str(&text).with_context(|| format!("{} is not JSON", file.display()))?
    } else {
        language::parse(&text, PortCase::Lower).with_context(|| format!("{} is not a graph", file.display()))?
    };
    if !graph.is_object() {
        bail!("{} is not a graph: it must be a JSON object with `processes` and `connections`", file.display());
    }
    if !graph["properties"].is_object() {
        graph["properties"] = json!({});
    }
    if !graph["properties"]["name"].is_string() {
        graph["properties"]["name"] = json!(file.file_stem().unwrap_or_default().to_string_lossy());
    }
    Ok(graph)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_is_well_formed() {
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
    }

    #[test]
    fn a_file_that_is_no_graph_says_where() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let blink = read(&write("blink.fbp", "t(Timer) OUT -> IN l(Forward)\n")).unwrap();
        assert_eq!(blink["properties"]["name"], "blink");
        assert_eq!(blink["connections"][0]["src"]["port"], "out");
        for properties in ["[]", "\"x\"", "3", "null"] {
            let text = format!("{{\"processes\":{{}},\"properties\":{properties}}}");
            assert_eq!(read(&write("odd.json", &text)).unwrap()["properties"]["name"], "odd");
        }
        let error = |path: PathBuf| format!("{:#}", read(&path).unwrap_err());
        assert!(
            error(write("x.fbp", "a(B) ->\n")).contains("line 1, column 8"),
            "{}",
            error(write("x.fbp", "a(B) ->\n"))
        );
        assert!(error(write("x.json", "{")).contains("x.json is not JSON"));
        assert!(error(write("y.json", "[]")).contains("must be a JSON object"));
        assert!(error(dir.path().join("none.fbp")).contains("cannot be read"));
    }
}
