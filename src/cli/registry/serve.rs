//! `registry serve`: a registry without a bridge.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::super::open_files;
use super::super::run::{UMASK, tell_of_certificate, warn_unencrypted};
use super::super::screen::print;
use super::database::DatabaseArgs;
use crate::config::{HalfTls, Ide, ListenAddress, Places, WebUrl, tls_files};
use crate::pure::registry::{OFFLINE_AFTER, Presence};
use crate::registry_server::{RegistryServer, RegistrySettings};

/// The shortest time after which a runtime may count as offline, in seconds.
const MIN_OFFLINE_S: u64 = 1;

#[derive(Debug, Args)]
#[command(
    after_help = "The local user is made at the first start; `registry user show` shows the token, `registry user add` \
                        makes others.\nSeveral of these may share one PostgreSQL database: each sees at once what the \
                        others change."
)]
pub(in super::super) struct ServeArgs {
    /// Address to listen on; may be given several times [default: localhost:3569]
    #[arg(long, value_name = "ADDRESS:PORT", env = "MICROFLO_BRIDGE_LISTEN", value_delimiter = ',')]
    listen: Vec<ListenAddress>,
    #[command(flatten)]
    database: DatabaseArgs,
    /// Serve https with this certificate (PEM, with those that lead to its root); SIGHUP reads it again
    #[arg(long, value_name = "FILE", env = "MICROFLO_BRIDGE_TLS_CERT")]
    tls_cert: Option<PathBuf>,
    /// The certificate's key (PEM)
    #[arg(long, value_name = "FILE", env = "MICROFLO_BRIDGE_TLS_KEY")]
    tls_key: Option<PathBuf>,
    /// Let anybody register runtimes for users of this registry, from anywhere, without a token; without this, programs on
    /// this computer can
    #[arg(long, env = "MICROFLO_BRIDGE_OPEN_REGISTRATION")]
    open_registration: bool,
    /// How others reach this registry, for example https://registry.example
    #[arg(long, value_name = "URL", env = "MICROFLO_BRIDGE_PUBLIC_URL")]
    public_url: Option<WebUrl>,
    /// The Flowhub or NoFlo UI that live URLs open and that may use this registry: its URL, or the directory of a built one,
    /// which is then served at /ide/ [default: https://app.flowhub.io]
    #[arg(long, value_name = "URL|DIR", env = "MICROFLO_BRIDGE_IDE")]
    ide: Option<Ide>,
    /// When a runtime counts as offline that has not pinged
    #[arg(long, value_name = "SECONDS", default_value_t = OFFLINE_AFTER.as_secs(), env = "MICROFLO_BRIDGE_OFFLINE_AFTER")]
    #[arg(value_parser = clap::value_parser!(u64).range(MIN_OFFLINE_S..))]
    offline_after: u64,
}

pub(super) fn serve(args: ServeArgs, places: &Places) -> anyhow::Result<()> {
    let settings = args.settings(places)?;
    // Before any thread starts, since it is the whole process's.
    rustix::process::umask(UMASK);
    open_files::raise_limit();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(settings))
}

async fn run(settings: RegistrySettings) -> anyhow::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let server = RegistryServer::start(&settings).await?;
    if settings.tls.is_none() {
        warn_unencrypted(&settings.listen);
    }
    let address = server.addresses().http();
    tracing::info!(address, state = %settings.state_dir.display(), "the registry listens");
    if std::io::stdout().is_terminal() {
        print(&format!(
            "The registry listens at {address}\nIts page wants a token: microflo-bridge registry user show\n"
        ))?;
    }
    loop {
        tokio::select! {
            _ = hangup.recv() => tell_of_certificate(server.renew_certificate()),
            _ = interrupt.recv() => break,
            _ = terminate.recv() => break,
        }
    }
    tracing::info!("stopping");
    server.stop().await;
    Ok(())
}

impl ServeArgs {
    fn settings(self, places: &Places) -> anyhow::Result<RegistrySettings> {
        HalfTls::check(self.tls_cert.as_ref(), self.tls_key.as_ref())?;
        let default_ide = || crate::config::settings::DEFAULT_IDE.parse().expect("the default IDE is a URL");
        Ok(RegistrySettings {
            listen: if self.listen.is_empty() { vec![ListenAddress::DEFAULT] } else { self.listen },
            database: self.database.url()?,
            tls: tls_files(self.tls_cert, self.tls_key),
            open: self.open_registration,
            public_url: self.public_url,
            ide: self.ide.unwrap_or_else(default_ide),
            presence: Presence::new(Duration::from_secs(self.offline_after)),
            state_dir: places.state_dir(None),
        })
    }
}
