//! `registry list`.

use std::time::SystemTime;

use clap::Args;
use serde_json::Value;

use super::super::screen::{plain, print, print_json};
use super::database::DatabaseArgs;
use crate::config::Places;
use crate::pure::registry::Entry;

#[derive(Debug, Args)]
pub(in super::super) struct ListArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Only this user's, by name or id
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn list(args: ListArgs, places: &Places) -> anyhow::Result<()> {
    let store = args.database.open(places).await?;
    let users = store.users().await?;
    let only = match &args.user {
        Some(name) => Some(store.user(name).await?.user.id),
        None => None,
    };
    let mut entries = store.list_all().await?;
    entries.retain(|entry| only.is_none_or(|id| entry.record.user == id));
    let now = SystemTime::now().into();
    let online = |entry: &Entry| store.presence().is_online(entry.seen, now);
    store.close().await;
    if args.json {
        let shown: Vec<Value> = entries.iter().map(|entry| without_secret(entry, online(entry))).collect();
        return print_json(&shown);
    }
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_header(["LABEL", "USER", "STATE", "TYPE", "ADDRESS", "ID"]);
    for entry in &entries {
        let record = &entry.record;
        let user = users.iter().find(|row| row.user.id == record.user);
        table.add_row([
            plain(record.label.as_deref().unwrap_or_default()),
            user.map_or_else(|| record.user.to_string(), |row| plain(&row.user.name)),
            if online(entry) { "online" } else { "offline" }.to_owned(),
            plain(&record.kind),
            plain(&record.address),
            record.id.to_string(),
        ]);
    }
    if entries.is_empty() {
        return Ok(print("no runtime is registered\n")?);
    }
    Ok(print(&format!("{table}\n"))?)
}

fn without_secret(entry: &Entry, online: bool) -> Value {
    let mut keys = entry.to_json(online);
    keys.shift_remove("secret");
    Value::Object(keys)
}
