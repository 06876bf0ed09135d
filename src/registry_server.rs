//! The registry without a bridge: what `registry serve` starts and stops.

use std::path::PathBuf;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::actors;
use crate::config::{Ide, ListenAddress, WebUrl};
use crate::http::registry::{RegistryState, standalone};
use crate::http::server::BindError;
use crate::http::{Addresses, Lifecycle, Listeners};
use crate::io::static_dir::{StaticDir, StaticDirError};
use crate::io::store::{DatabaseUrl, RegistryStore, Store, StoreError};
use crate::io::tls::{Certificate, TlsError, TlsFiles};
use crate::pure::registry::Presence;

/// How long connections may take to end when the registry stops.
const STOP_LIMIT: Duration = Duration::from_secs(3);
/// Open connections in all, watchers included. More wait in the system's queue.
const MAX_CONNECTIONS: usize = 4_096;

/// What a registry is to do.
#[derive(Clone, Debug)]
pub struct RegistrySettings {
    /// Addresses to listen on; at least one.
    pub listen: Vec<ListenAddress>,
    /// PostgreSQL; else a file in the state directory.
    pub database: Option<DatabaseUrl>,
    /// The certificate.
    pub tls: Option<TlsFiles>,
    /// Whether anybody may register runtimes.
    pub open: bool,
    /// How others reach it, where that is not the address it listens on.
    pub public_url: Option<WebUrl>,
    /// Where live URLs point.
    pub ide: Ide,
    /// When runtimes count as offline.
    pub presence: Presence,
    /// The state directory.
    pub state_dir: PathBuf,
}

/// Why a registry cannot start.
#[derive(Debug, thiserror::Error)]
pub enum RegistryServerError {
    /// The listen addresses.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The database or the state directory.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The directory of the UI.
    #[error(transparent)]
    Ide(#[from] StaticDirError),
}

/// A running registry.
#[derive(Debug)]
pub struct RegistryServer {
    addresses: Addresses,
    lifecycle: Lifecycle,
    background: CancellationToken,
    store: RegistryStore,
    certificate: Option<(Certificate, TlsFiles)>,
}

impl RegistryServer {
    /// Starts it: when this returns it listens. A PostgreSQL server that is away is waited for in the background, and calls
    /// are answered with 503 meanwhile; one that refuses is an error.
    pub async fn start(settings: &RegistrySettings) -> Result<RegistryServer, RegistryServerError> {
        let certificate = settings.tls.as_ref().map(Certificate::load).transpose()?;
        let ide = settings.ide.dir().map(StaticDir::new).transpose()?;
        let store = open(settings).await?.with_presence(settings.presence);
        let mut listeners = Listeners::bind(&settings.listen).await?;
        let mut addresses = Addresses::new(listeners.addresses(), settings.public_url.clone(), settings.ide.clone());
        if let Some(certificate) = &certificate {
            listeners = listeners.over_tls(certificate.config());
            addresses = addresses.over_tls();
        }
        let lifecycle = Lifecycle::new();
        let state = RegistryState::new(store.clone(), addresses.ide_url(), lifecycle.clone());
        let app = standalone(RegistryState { open: settings.open, ..state }, &addresses, ide);
        let background = CancellationToken::new();
        let pulse = lifecycle.pulse("presence");
        lifecycle.spawn(actors::registry::run(store.clone(), pulse, background.clone()));
        listeners.serve_at_most(MAX_CONNECTIONS, &app, &lifecycle);
        let certificate = certificate.zip(settings.tls.clone());
        Ok(RegistryServer { addresses, lifecycle, background, store, certificate })
    }

    /// Reads the certificate again. Whether there is another one now. With an error the one before stays.
    pub fn renew_certificate(&self) -> Result<bool, TlsError> {
        self.certificate.as_ref().map_or(Ok(false), |(certificate, files)| certificate.renew(files))
    }

    /// Where it is reached.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Stops it, and waits for it: connections end, the database is written.
    pub async fn stop(self) {
        self.background.cancel();
        if !self.lifecycle.finish(STOP_LIMIT).await {
            tracing::warn!("some connections did not end in time");
        }
        if tokio::time::timeout(STOP_LIMIT, self.store.close()).await.is_err() {
            tracing::warn!("the database did not close in time");
        }
    }
}

async fn open(settings: &RegistrySettings) -> Result<RegistryStore, StoreError> {
    let Some(url) = &settings.database else {
        return Ok(Store::open(&settings.state_dir).await?.registry().clone());
    };
    let store = RegistryStore::on_postgres(url, &settings.state_dir)?;
    match store.prepare().await {
        Err(error @ StoreError::Away(_)) => tracing::warn!(%error, "waiting for it; calls are answered with 503"),
        prepared => prepared?,
    }
    Ok(store)
}
