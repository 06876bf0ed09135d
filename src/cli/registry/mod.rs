//! `registry …`: the registry as a server of its own, its users and its runtimes.

mod database;
mod list;
mod serve;
mod user;

use clap::Subcommand;

use crate::config::Places;

pub(super) use serve::ServeArgs;

#[derive(Debug, Subcommand)]
pub(super) enum RegistryCommand {
    /// Run a registry without a bridge, in the foreground
    Serve(Box<ServeArgs>),
    /// Users of a registry: each sees the own runtimes only
    ///
    /// These commands work on the registry's database itself, whether anything runs or not: the SQLite file in --state-dir
    /// (of `run` as of `registry serve`), or PostgreSQL by --database. Only who may read it can use them. `user show`
    /// without a name asks the running bridge first.
    #[command(subcommand)]
    User(user::UserCommand),
    /// List the runtimes of all users, without secrets; works on the database, as `registry user` does
    List(list::ListArgs),
}

pub(super) async fn registry(command: RegistryCommand, places: &Places) -> anyhow::Result<()> {
    match command {
        RegistryCommand::Serve(_) => unreachable!("has a runtime of its own"),
        RegistryCommand::User(command) => user::user(command, places).await,
        RegistryCommand::List(args) => list::list(args, places).await,
    }
}

pub(super) fn serve(args: ServeArgs, places: &Places) -> anyhow::Result<()> {
    serve::serve(args, places)
}
