//! The daemon: what `run` starts and stops.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::actors::announcer;
use crate::actors::directory::{Directory, DirectoryError, DirectoryServer};
use crate::actors::heartbeat::Heartbeats;
use crate::actors::keeper::Keeper;
use crate::actors::registrar::{Registrar, RegistrarConfig, Registries, RemoteRegistry, Statuses};
use crate::actors::supervisor::{Memory, Planner, Sources, Supervisor};
use crate::config::{RemoteSettings, Settings};
use crate::http::control::{ControlError, ControlListener};
use crate::http::registry::RegistryState;
use crate::http::server::{BindError, serve_control};
use crate::http::{Addresses, HttpConfig, HttpState, Lifecycle, Listeners, router};
use crate::io::firmware_files::{self, FirmwareFilesError};
use crate::io::hotplug::Hotplug;
use crate::io::random::{self, RandomError};
use crate::io::registry_client::{EndpointError, Limits, RegistryClient};
use crate::io::static_dir::{StaticDir, StaticDirError};
use crate::io::store::{Store, StoreError};
use crate::io::tls::{Certificate, TlsError};
use crate::pure::firmwares::Firmwares;
use crate::pure::identity::HostKey;
use crate::pure::model::build::{Build, BuildError};

/// How long connections may take to end when the bridge stops.
const STOP_LIMIT: Duration = Duration::from_secs(3);

/// Why the daemon cannot start.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The control socket.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// The control socket that systemd has opened.
    #[error("the control socket that systemd has opened cannot be used: {0}")]
    Inherited(io::Error),
    /// The listen addresses.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The state directory.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system gives no random bytes.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// A registry cannot be used.
    #[error(transparent)]
    Registry(#[from] EndpointError),
    /// The certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A component map or graph cannot be read.
    #[error(transparent)]
    FirmwareFiles(#[from] FirmwareFilesError),
    /// The directory of the UI.
    #[error(transparent)]
    Ide(#[from] StaticDirError),
    /// A component map or graph is wrong.
    #[error("{} cannot be used: {source}", .path.display())]
    Build {
        /// The file or directory.
        path: PathBuf,
        /// What is wrong.
        source: BuildError,
    },
    /// The boards' tasks have ended.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
}

/// A running daemon.
#[derive(Debug)]
pub struct Daemon {
    directory: Directory,
    addresses: Addresses,
    lifecycle: Lifecycle,
    boards: Boards,
    store: Store,
    /// What cannot change while it runs is compared with these.
    settings: Settings,
    registries: watch::Sender<Registries>,
    local_user: Uuid,
    announcer: Option<JoinHandle<()>>,
    certificate: Option<Certificate>,
    heartbeats: Heartbeats,
}

/// The tasks behind the directory.
#[derive(Debug)]
struct Boards {
    cancel: CancellationToken,
    supervisor: JoinHandle<()>,
    registrar: JoinHandle<()>,
    keeper: JoinHandle<()>,
    stop_keeping: CancellationToken,
}

impl Daemon {
    /// Starts everything: when this returns, the bridge listens and answers, and has looked at the ports once. A control
    /// socket that systemd has opened is taken in place of one's own.
    pub async fn start(settings: &Settings, inherited: Option<UnixListener>) -> Result<Daemon, DaemonError> {
        let planner = planner(settings)?;
        let certificate = settings.tls.as_ref().map(Certificate::load).transpose()?;
        let ide = settings.ide.dir().map(StaticDir::new).transpose()?;
        let store = Store::open(&settings.state_dir).await?;
        let control = match inherited {
            Some(socket) => ControlListener::inherited(socket).map_err(DaemonError::Inherited)?,
            None => ControlListener::bind(&settings.control_socket)?,
        };
        let mut listeners = Listeners::bind(&settings.listen).await?;
        let mut addresses = Addresses::new(listeners.addresses(), settings.public_url.clone(), settings.ide.clone());
        if let Some(certificate) = &certificate {
            listeners = listeners.over_tls(certificate.config());
            addresses = addresses.over_tls();
        }

        let (directory, server) = Directory::new();
        let user = store.registry().local_user().await?;
        let local_user = user.id;
        let registries = watch::Sender::new(registries(settings, local_user)?);
        let board_address = {
            let addresses = addresses.clone();
            move |id| addresses.board_for_others(id)
        };
        let heartbeats = Heartbeats::default();
        let config = RegistrarConfig {
            heartbeats: heartbeats.clone(),
            ..RegistrarConfig::new(directory.clone(), store.clone(), registries.subscribe(), board_address)
        };
        let (registrar, statuses) = Registrar::new(config).await?;
        let boards = Boards::start(settings, planner, &store, server, registrar, statuses, &heartbeats).await?;

        let lifecycle = Lifecycle::watched(heartbeats.clone());
        let state = HttpState::new(HttpConfig {
            directory: directory.clone(),
            addresses: addresses.clone(),
            admin_token: random::secret()?,
            registry: Some(store.registry().clone()),
            ide,
            lifecycle: lifecycle.clone(),
        });
        let registry = RegistryState::new(store.registry().clone(), addresses.ide_url(), lifecycle.clone());
        let registry = crate::http::registry::router(registry);
        let app = router(state, registry);
        let presence = heartbeats.pulse("presence");
        let presence = crate::actors::registry::run(store.registry().clone(), presence, boards.cancel.clone());
        lifecycle.spawn(presence);
        serve_control(control, &app, &lifecycle);
        listeners.serve(&app, &lifecycle);
        let announcer = settings
            .mdns
            .then(|| announcer::start(&directory, addresses.listening(), heartbeats.pulse("announcer")))
            .flatten();
        let settings = settings.clone();
        Ok(Daemon {
            directory,
            addresses,
            lifecycle,
            boards,
            store,
            settings,
            registries,
            local_user,
            announcer,
            certificate,
            heartbeats,
        })
    }

    /// Takes up other settings. With an error nothing has changed.
    pub async fn reload(&mut self, settings: &Settings) -> Result<(), DaemonError> {
        let planner = planner(settings)?;
        let registries = registries(settings, self.local_user)?;
        for key in self.settings.needs_restart(settings) {
            tracing::warn!("`{key}` has changed; that takes effect when the bridge is started again");
        }
        self.registries.send_replace(registries);
        self.directory.reconfigure(planner, settings.generic).await?;
        Ok(())
    }

    /// Reads the certificate again, from the files that it came from unless these settings name others. Whether there is
    /// another one now. With an error the one before stays.
    pub fn renew_certificate(&self, settings: Option<&Settings>) -> Result<bool, TlsError> {
        let named = settings.and_then(|settings| settings.tls.as_ref());
        match (&self.certificate, named.or(self.settings.tls.as_ref())) {
            (Some(certificate), Some(files)) => certificate.renew(files),
            _ => Ok(false),
        }
    }

    /// The boards.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// The loops that must turn.
    pub fn heartbeats(&self) -> &Heartbeats {
        &self.heartbeats
    }

    /// Where the bridge is reached.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Stops everything, and waits for it: clients are told, ports closed, the database written.
    pub async fn stop(self) {
        if let Some(announcer) = self.announcer {
            announcer.abort();
            // Dropped with its task: what it announced is withdrawn.
            let _ = announcer.await;
        }
        self.boards.cancel.cancel();
        if tokio::time::timeout(STOP_LIMIT, self.boards.supervisor).await.is_err() {
            tracing::warn!("some ports did not close in time");
        }
        if !self.lifecycle.finish(STOP_LIMIT).await {
            tracing::warn!("some connections did not end in time");
        }
        self.boards.registrar.abort();
        // The boards' loops have ended, and saved what there was.
        self.boards.stop_keeping.cancel();
        if tokio::time::timeout(STOP_LIMIT, self.boards.keeper).await.is_err() {
            tracing::warn!("some boards' graphs were not saved in time");
        }
        self.store.close().await;
    }
}

impl Boards {
    async fn start(
        settings: &Settings,
        planner: Planner,
        store: &Store,
        server: DirectoryServer,
        registrar: Registrar,
        statuses: tokio::sync::watch::Receiver<Statuses>,
        heartbeats: &Heartbeats,
    ) -> Result<Boards, DaemonError> {
        let sources = Sources {
            sysfs_root: settings.sysfs_root.clone(),
            dev_root: settings.dev_root.clone(),
            devices: settings.devices.iter().map(|device| device.path.clone()).collect(),
            simulate: settings.simulate,
            generic: settings.generic,
        };
        for path in sources.devices.iter().filter(|path| !path.exists()) {
            tracing::warn!("{} does not exist yet; it is opened as soon as it does", path.display());
        }
        // Before the first look at the ports, so that nothing falls between.
        let hotplug = Hotplug::new(&sources.dev_root, sources.devices.iter().map(PathBuf::as_path)).with_udev();
        let memory = memory(&settings.machine_id, store).await?;
        for name in planner.rules.iter().filter_map(|rule| rule.firmware.as_deref()) {
            if memory.firmwares.get(name).is_none() {
                tracing::warn!(
                    "the configuration names the firmware `{name}`, which is not there; `microflo-bridge firmware add` adds it"
                );
            }
        }
        let (keeper, stop_keeping) = (Keeper::default(), CancellationToken::new());
        let keeping = tokio::spawn(keeper.clone().run(store.clone(), heartbeats.pulse("keeper"), stop_keeping.clone()));
        let supervisor = Supervisor::new(sources, planner, memory, store.clone(), keeper, server, statuses);
        let supervisor = supervisor.watched(heartbeats.clone());
        let cancel = CancellationToken::new();
        let (scanned, mut first_look) = mpsc::channel(1);
        let supervisor = tokio::spawn(supervisor.run(hotplug, cancel.clone(), scanned));
        // Ends when the other end is dropped.
        first_look.recv().await;
        let registrar = tokio::spawn(registrar.run());
        Ok(Boards { cancel, supervisor, registrar, keeper: keeping, stop_keeping })
    }
}

async fn memory(machine_id: &Path, store: &Store) -> Result<Memory, StoreError> {
    let machine_id = tokio::fs::read_to_string(machine_id).await.unwrap_or_default();
    let host = match HostKey::from_machine_id(&machine_id) {
        Some(host) => host,
        None => store.host_key().await?,
    };
    Ok(Memory {
        host,
        serials: store.load_serials().await?,
        overrides: store.load_id_overrides().await?,
        answers: store.load_answers().await?,
        firmwares: firmwares(store).await?,
        descriptors: store.descriptors().await?,
    })
}

/// The builds that were added. One that cannot be read any more is left out: the others' boards do not suffer from it.
async fn firmwares(store: &Store) -> Result<Firmwares, StoreError> {
    let mut firmwares = Firmwares::default();
    for record in store.firmwares().await? {
        match Build::read(&record.components, record.graph.as_deref(), &record.name) {
            Ok(build) => firmwares.add(&record.name, build, []),
            Err(error) => tracing::error!(firmware = record.name, %error, "a firmware that was added cannot be used"),
        }
    }
    for (subject, name) in store.firmware_rules().await? {
        firmwares.assign(subject, &name);
    }
    Ok(firmwares)
}

fn registries(settings: &Settings, local_user: Uuid) -> Result<Registries, EndpointError> {
    let remote = |remote: RemoteSettings| {
        let client = RegistryClient::new(remote.url.url().as_str(), remote.token, Limits::default())?;
        Ok(RemoteRegistry { client, user: remote.user.unwrap_or(local_user), default: remote.default })
    };
    let remotes = settings.remotes().into_iter().map(remote).collect::<Result<_, EndpointError>>()?;
    Ok(Registries { embedded: settings.registries.embedded, remotes })
}

/// Reads every component map and graph that is named, so that a wrong one is found now and not when its board comes.
fn planner(settings: &Settings) -> Result<Planner, DaemonError> {
    let of_devices = settings.devices.iter().filter_map(|device| device.components.clone());
    let of_rules = settings.boards.iter().filter_map(|rule| rule.components.clone());
    let graphs = settings.boards.iter().filter_map(|rule| rule.graph.clone());
    Ok(Planner {
        devices: settings.devices.clone(),
        rules: settings.boards.clone(),
        builds: read_each(of_devices.chain(of_rules), read_build)?,
        graphs: read_each(graphs, read_graph)?,
        bauds: settings.bauds.clone(),
        registries: settings.registries.clone(),
    })
}

/// What is read from each path, once.
fn read_each<T>(
    paths: impl Iterator<Item = PathBuf>,
    read: impl Fn(&Path) -> Result<T, DaemonError>,
) -> Result<HashMap<PathBuf, T>, DaemonError> {
    let mut all = HashMap::new();
    for path in paths {
        if let Entry::Vacant(place) = all.entry(path) {
            let content = read(place.key())?;
            place.insert(content);
        }
    }
    Ok(all)
}

/// A component map, and the graph beside it.
fn read_build(path: &Path) -> Result<Build, DaemonError> {
    let files = firmware_files::read(path)?;
    let build = Build::read(&files.components, files.graph.as_deref(), path.display().to_string());
    build.map_err(|source| DaemonError::Build { path: path.to_owned(), source })
}

fn read_graph(path: &Path) -> Result<Arc<serde_json::Value>, DaemonError> {
    let graph = Build::read_graph(&firmware_files::read_text(path)?);
    graph.map_err(|source| DaemonError::Build { path: path.to_owned(), source })
}
