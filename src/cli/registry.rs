//! `registry user show`.

use clap::{Args, Subcommand};

use super::client::Client;
use super::screen::{plain, print, print_json};
use crate::http::api::LocalUserJson;

#[derive(Debug, Subcommand)]
pub(super) enum RegistryCommand {
    /// Users of the embedded registry
    #[command(subcommand)]
    User(UserCommand),
}

#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Show the local user, whose boards these are: id, name, token and the registry's URL
    Show(ShowArgs),
}

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn registry(client: &Client, command: RegistryCommand) -> anyhow::Result<()> {
    let RegistryCommand::User(UserCommand::Show(args)) = command;
    let user: LocalUserJson = client.get("/api/registry/user").await?;
    if args.json {
        return print_json(&user);
    }
    print(&format!(
        "id     {}\nname   {}\ntoken  {}\nurl    {}\n",
        user.id,
        plain(&user.name),
        plain(&user.token),
        user.url
    ))?;
    Ok(())
}
