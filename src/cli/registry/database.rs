//! Which database.

use clap::Args;

use crate::config::Places;
use crate::io::store::{DatabaseUrl, RegistryStore};

#[derive(Debug, Args)]
pub(super) struct DatabaseArgs {
    /// Keep the registry on PostgreSQL, as postgres://user@host/database [default: an SQLite file in the state directory]
    ///
    /// Everybody on this computer can read command lines: give the password in the environment (MICROFLO_BRIDGE_DATABASE
    /// with the whole URL, or PGPASSWORD), or in ~/.pgpass. `?sslmode=verify-full` checks the server's certificate.
    #[arg(long, value_name = "URL", env = "MICROFLO_BRIDGE_DATABASE", hide_env_values = true)]
    pub(super) database: Option<String>,
}

impl DatabaseArgs {
    /// The URL. It is read here and not by the parser, which would repeat a wrong one with the password in it.
    pub(super) fn url(&self) -> anyhow::Result<Option<DatabaseUrl>> {
        Ok(self.database.as_deref().map(str::parse).transpose()?)
    }

    /// The registry, for a command that comes and goes.
    pub(super) async fn open(&self, places: &Places) -> anyhow::Result<RegistryStore> {
        let state_dir = places.state_dir(None);
        let store = match self.url()? {
            Some(url) => RegistryStore::on_postgres(&url, &state_dir)?,
            None => RegistryStore::beside(&state_dir).await?,
        };
        store.prepare().await?;
        Ok(store)
    }
}
