//! `registry user …`.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::super::client::{Client, ClientError};
use super::super::screen::{plain, print, print_json};
use super::database::DatabaseArgs;
use crate::config::Places;
use crate::http::api::LocalUserJson;
use crate::io::store::UserRow;

#[derive(Debug, Subcommand)]
pub(in super::super) enum UserCommand {
    /// Make a user, and show the token: now or never
    Add(NamedArgs),
    /// List the users
    List(AllArgs),
    /// Show a user; without a name the local user, with the token
    Show(ShowArgs),
    /// Give a user a new token, and show it: the old one is not valid from then on
    Rotate(NamedArgs),
    /// Remove a user, with all the user's runtimes
    Remove(NamedArgs),
}

#[derive(Debug, Args)]
pub(in super::super) struct NamedArgs {
    /// The user's name; of a user that there is, also the id
    #[arg(value_name = "USER")]
    user: String,
    #[command(flatten)]
    all: AllArgs,
}

#[derive(Debug, Args)]
pub(in super::super) struct ShowArgs {
    /// The user's name or id
    #[arg(value_name = "USER")]
    user: Option<String>,
    #[command(flatten)]
    all: AllArgs,
}

#[derive(Debug, Args)]
pub(in super::super) struct AllArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn user(command: UserCommand, places: &Places) -> anyhow::Result<()> {
    match command {
        UserCommand::Add(args) => {
            let store = args.all.database.open(places).await?;
            let (user, token) = store.add_user(&args.user).await?;
            store.close().await;
            show(&json!({"id": user.id, "name": user.name, "token": token.expose()}), args.all.json)
        }
        UserCommand::Rotate(args) => {
            let store = args.all.database.open(places).await?;
            let (row, token) = store.rotate_user(&args.user).await?;
            store.close().await;
            show(&json!({"id": row.user.id, "name": row.user.name, "token": token.expose()}), args.all.json)
        }
        UserCommand::Remove(args) => {
            let store = args.all.database.open(places).await?;
            let row = store.remove_user(&args.user).await?;
            store.close().await;
            show(&shown(&row), args.all.json)
        }
        UserCommand::List(args) => list(&args, places).await,
        UserCommand::Show(args) => match &args.user {
            None => show_local(&args.all, places).await,
            Some(name) => {
                let store = args.all.database.open(places).await?;
                let row = store.user(name).await?;
                store.close().await;
                show(&shown(&row), args.all.json)
            }
        },
    }
}

async fn list(args: &AllArgs, places: &Places) -> anyhow::Result<()> {
    let store = args.database.open(places).await?;
    let users = store.users().await?;
    store.close().await;
    if args.json {
        return print_json(&users.iter().map(shown).collect::<Vec<_>>());
    }
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_header(["NAME", "RUNTIMES", "ID"]);
    for row in &users {
        table.add_row([plain(&row.user.name), row.runtimes.to_string(), row.user.id.to_string()]);
    }
    Ok(print(&format!("{table}\n"))?)
}

/// The running bridge knows its address too; the database knows the rest.
async fn show_local(args: &AllArgs, places: &Places) -> anyhow::Result<()> {
    if args.database.database.is_none() {
        let asked = match Client::find(places).await {
            Ok(client) => client.get::<LocalUserJson>("/api/registry/user").await,
            Err(error) => Err(error),
        };
        match asked {
            Ok(user) => return show(&serde_json::to_value(user)?, args.json),
            Err(ClientError::NotRunning { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let store = args.database.open(places).await?;
    let user = store.local_user().await?;
    store.close().await;
    show(&json!({"id": user.id, "name": user.name, "token": user.token.expose()}), args.json)
}

fn shown(row: &UserRow) -> Value {
    json!({"id": row.user.id, "name": row.user.name, "local": row.local, "runtimes": row.runtimes})
}

/// One line for each key.
fn show(user: &Value, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        return print_json(user);
    }
    let lines = user.as_object().into_iter().flatten().map(|(key, value)| match value {
        Value::String(text) => format!("{key:<9} {}\n", plain(text)),
        other => format!("{key:<9} {other}\n"),
    });
    Ok(print(&lines.collect::<String>())?)
}
