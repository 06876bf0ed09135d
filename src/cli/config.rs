//! `config show`: every setting that `run` would have, and where it comes from.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::run::RunArgs;
use super::screen::{plain, print, print_json};
use crate::config::show::{Shown, rows};
use crate::config::{Origin, Places};

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Show every setting that `run` would have with these options, and where it comes from
    Show(Box<ShowArgs>),
}

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// As JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub(super) run: RunArgs,
}

/// One setting as JSON.
#[derive(Serialize)]
struct SettingJson {
    key: String,
    value: String,
    /// The kind of source: `command line`, `environment`, `credential`, `file`, `default`.
    source: &'static str,
    /// The source in words: a variable's name, or file and line.
    origin: String,
}

impl From<Shown> for SettingJson {
    fn from(shown: Shown) -> SettingJson {
        let source = match &shown.origin {
            Origin::Flag => "command line",
            Origin::Environment(_) => "environment",
            Origin::Credential(_) => "credential",
            Origin::File { .. } => "file",
            Origin::Default => "default",
        };
        SettingJson { key: shown.key, value: shown.value, source, origin: shown.origin.to_string() }
    }
}

pub(super) fn config(command: ConfigCommand, places: &Places) -> anyhow::Result<()> {
    let ConfigCommand::Show(args) = command;
    let rows = rows(&args.run.settings(places)?);
    if args.json {
        return print_json(&rows.into_iter().map(SettingJson::from).collect::<Vec<_>>());
    }
    let width = |text: fn(&Shown) -> &str| rows.iter().map(|row| text(row).chars().count()).max().unwrap_or_default();
    let (keys, values) = (width(|row| &row.key), width(|row| &row.value));
    let line = |row: &Shown| {
        format!("{:keys$}  {:values$}  {}\n", plain(&row.key), plain(&row.value), plain(&row.origin.to_string()))
    };
    print(&rows.iter().map(line).collect::<String>())?;
    Ok(())
}
