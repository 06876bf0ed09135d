//! `run`: the bridge itself, in the foreground.

use std::io::IsTerminal;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args};
use rustix::fs::Mode;
use tokio::signal::unix::{SignalKind, signal};
use uuid::Uuid;

use super::{announce, open_files};
use crate::config::{
    BoardOption, DeviceSpec, GenericPolicy, HalfTls, Ide, Layer, ListenAddress, Origin, Origins, Places,
    RegistryChoice, Settings, WebUrl, file,
};
use crate::daemon::Daemon;
use crate::http::control::check_unanswered;
use crate::io::systemd;
use crate::io::tls::TlsError;
use crate::pure::view::{BoardState, BoardView};

/// How often every loop is asked whether it turns, where systemd does not say.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// How long threads may still hold on to ports after everything else has ended.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(1);
/// The most simulated boards.
const MAX_SIMULATED: i64 = 1000;
/// What the bridge writes is for its user only: the state holds secrets.
pub(super) const UMASK: Mode = Mode::RWXG.union(Mode::RWXO);

#[derive(Clone, Debug, Args)]
pub(super) struct RunArgs {
    /// Address to listen on; may be given several times [default: localhost:3569]
    #[arg(long, value_name = "ADDRESS:PORT", env = "MICROFLO_BRIDGE_LISTEN", value_delimiter = ',')]
    listen: Vec<ListenAddress>,
    /// Make N simulated boards
    #[arg(long, value_name = "N", default_value_t = 0, env = "MICROFLO_BRIDGE_SIMULATE")]
    #[arg(value_parser = clap::value_parser!(u32).range(0..=MAX_SIMULATED))]
    simulate: u32,
    /// Open this port too, a UART or PTY: PATH, or PATH,KEY=VALUE… with baud, dialect, label, components, restore, reset,
    /// registry, user; may be given several times
    #[arg(long, value_name = "SPEC", env = "MICROFLO_BRIDGE_DEVICE")]
    device: Vec<DeviceSpec>,
    /// Settings for some boards, as `[[board]]` in a file: which ones by serial=, vid=, pid=, path=, id=, and what by label=,
    /// description=, registry=, user=, baud=, dialect=, reset=, components=, graph=, firmware=, restore=, ignore=; may be
    /// given several times [in the environment separated by `;`]
    #[arg(long, value_name = "KEY=VALUE,…", env = "MICROFLO_BRIDGE_BOARD", value_delimiter = ';')]
    board: Vec<BoardOption>,
    /// Register boards at this registry, beside the embedded one; `none`: not even there; may be given several times
    /// [its token: environment MICROFLO_BRIDGE_REGISTRY_TOKEN, or `registry_token` in the configuration]
    #[arg(long, value_name = "URL|none", env = "MICROFLO_BRIDGE_REGISTRY", value_delimiter = ',')]
    registry: Vec<RegistryChoice>,
    /// Register boards as this user's
    #[arg(long, value_name = "UUID", env = "MICROFLO_BRIDGE_USER")]
    user: Option<Uuid>,
    /// How others reach this bridge, for example through a proxy
    #[arg(long, value_name = "URL", env = "MICROFLO_BRIDGE_PUBLIC_URL")]
    public_url: Option<WebUrl>,
    /// The Flowhub or NoFlo UI that live URLs open: its URL, or the directory of a built one, which is then served at /ide/
    /// [default: https://app.flowhub.io]
    #[arg(long, value_name = "URL|DIR", env = "MICROFLO_BRIDGE_IDE")]
    ide: Option<Ide>,
    /// Serve https and wss with this certificate (PEM, with those that lead to its root); SIGHUP reads it again
    #[arg(long, value_name = "FILE", env = "MICROFLO_BRIDGE_TLS_CERT")]
    tls_cert: Option<PathBuf>,
    /// The certificate's key (PEM)
    #[arg(long, value_name = "FILE", env = "MICROFLO_BRIDGE_TLS_KEY")]
    tls_key: Option<PathBuf>,
    /// What to do with generic USB-serial chips: ask first, open, or never open [default: ask]
    #[arg(
        long,
        value_enum,
        value_name = "ask|open|never",
        env = "MICROFLO_BRIDGE_GENERIC",
        hide_possible_values = true
    )]
    generic: Option<GenericPolicy>,
    /// Whether boards are announced by multicast DNS where other hosts can reach the bridge [default: true]
    #[arg(long, value_name = "true|false", env = "MICROFLO_BRIDGE_MDNS", hide_possible_values = true)]
    mdns: Option<bool>,
    /// Read this configuration file and no other
    #[arg(long, value_name = "FILE", env = "MICROFLO_BRIDGE_CONFIG")]
    config: Option<PathBuf>,
    #[arg(long, hide = true, default_value = "/sys", env = "MICROFLO_BRIDGE_SYSFS_ROOT")]
    sysfs_root: PathBuf,
    #[arg(long, hide = true, default_value = "/dev", env = "MICROFLO_BRIDGE_DEV_ROOT")]
    dev_root: PathBuf,
    #[arg(long, hide = true, default_value = "/etc/machine-id", env = "MICROFLO_BRIDGE_MACHINE_ID")]
    machine_id: PathBuf,
    /// Where the options come from, by their keys.
    #[arg(skip)]
    pub(super) origins: Origins,
}

/// Where the options of `run` come from, by the keys of the configuration file.
pub(super) fn origins(definition: &clap::Command, matches: &ArgMatches) -> Origins {
    let (mut definition, mut matches, mut origins) = (definition, matches, Origins::default());
    while let Some((name, below)) = matches.subcommand() {
        let Some(command) = definition.find_subcommand(name) else { break };
        (definition, matches) = (command, below);
    }
    for option in definition.get_arguments() {
        let key = option.get_id().as_str();
        let variable = || option.get_env().unwrap_or_default().to_string_lossy().into_owned();
        match matches.try_contains_id(key).ok().and_then(|_| matches.value_source(key)) {
            Some(ValueSource::CommandLine) => origins.set(key, Origin::Flag),
            Some(ValueSource::EnvVariable) => origins.set(key, Origin::Environment(variable())),
            _ => {}
        }
    }
    origins
}

pub(super) fn run(args: RunArgs, places: &Places) -> anyhow::Result<()> {
    let settings = args.clone().settings(places)?;
    let inherited = systemd::inherited_socket().context("the control socket that systemd has opened cannot be used")?;
    if inherited.is_none() {
        check_unanswered(places.control_to_try())?;
    }
    // Before any thread starts, since it is the whole process's.
    rustix::process::umask(UMASK);
    open_files::raise_limit();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(serve(settings, inherited, || args.clone().settings(places)));
    // A driver that does not let go of a port is no reason to wait.
    runtime.shutdown_timeout(SHUTDOWN_LIMIT);
    ended
}

/// `again` reads the settings once more.
async fn serve(
    settings: Settings,
    inherited: Option<UnixListener>,
    again: impl Fn() -> anyhow::Result<Settings>,
) -> anyhow::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut daemon = Daemon::start(&settings, inherited).await?;
    if settings.tls.is_none() {
        warn_unencrypted(&settings.listen);
    }
    let announcer = std::io::stdout().is_terminal().then(|| {
        tokio::spawn(announce::announce(daemon.directory().clone(), daemon.addresses().clone(), settings.clone()))
    });
    tracing::info!(address = daemon.addresses().http(), state = %settings.state_dir.display(), "listening");
    let mut boards = daemon.directory().watch();
    let mut status = status_line(&boards.borrow_and_update());
    systemd::say_ready(&status);
    let mut pulse = daemon.heartbeats().pulse("signals");
    let _watch = daemon.heartbeats().watch(heartbeat_period(), systemd::say_alive)?;
    loop {
        tokio::select! {
            () = pulse.beat() => {}
            _ = interrupt.recv() => break,
            _ = terminate.recv() => break,
            _ = hangup.recv() => {
                systemd::say_reloading();
                reload(&mut daemon, again()).await;
                systemd::say_ready(&status);
            }
            Ok(()) = boards.changed() => {
                let before = std::mem::replace(&mut status, status_line(&boards.borrow_and_update()));
                if status != before {
                    systemd::say_status(&status);
                }
            }
        }
    }
    tracing::info!("stopping");
    systemd::say_stopping();
    if let Some(announcer) = announcer {
        announcer.abort();
    }
    daemon.stop().await;
    Ok(())
}

/// Several times within the time after which systemd loses patience, so that one late answer is none too many.
fn heartbeat_period() -> Duration {
    systemd::watchdog().map_or(HEARTBEAT, |patience| patience / 4)
}

/// For `systemctl status`.
fn status_line(boards: &[BoardView]) -> String {
    let there = boards.iter().filter(|board| board.state != BoardState::Gone);
    let ready = there.clone().filter(|board| board.state == BoardState::Ready).count();
    match there.count() {
        0 => "no board".to_owned(),
        1 => format!("1 board, {ready} ready"),
        count => format!("{count} boards, {ready} ready"),
    }
}

/// Names the addresses that anybody on the way can listen in on.
pub(super) fn warn_unencrypted(listen: &[ListenAddress]) {
    for address in listen.iter().filter(|address| address.is_public()) {
        tracing::warn!(
            %address,
            "other computers can reach this address, and the connection is not encrypted; --tls-cert and --tls-key encrypt it"
        );
    }
}

/// A mistake in a file changes nothing. The certificate does not depend on that: it is renewed whatever the files say.
async fn reload(daemon: &mut Daemon, settings: anyhow::Result<Settings>) {
    tell_of_certificate(daemon.renew_certificate(settings.as_ref().ok()));
    let done = match settings {
        Ok(settings) => daemon.reload(&settings).await.map_err(anyhow::Error::from),
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => tracing::info!("the configuration was read again"),
        Err(error) => tracing::error!("{error:#}; the configuration stays as it was"),
    }
}

/// Says what became of the certificate when it was read again.
pub(super) fn tell_of_certificate(renewed: Result<bool, TlsError>) {
    match renewed {
        Ok(true) => tracing::info!("new connections are served with another certificate"),
        Ok(false) => tracing::debug!("the certificate is the same as before, or there is none"),
        Err(error) => tracing::error!("{error}; the certificate stays as it was"),
    }
}

impl RunArgs {
    /// The roots of sysfs and of device nodes.
    pub(super) fn roots(&self) -> (PathBuf, PathBuf) {
        (self.sysfs_root.clone(), self.dev_root.clone())
    }

    /// Command line, environment and credentials over the configuration files over the defaults.
    pub(super) fn settings(mut self, places: &Places) -> anyhow::Result<Settings> {
        let files = file::load(self.config.as_deref(), places)?;
        let of_boards = self.origins.of("board");
        let registry_token = places.registry_token()?.map(|(token, origin)| {
            self.origins.set("registry_token", origin);
            token
        });
        let given = Layer {
            listen: some(self.listen),
            registry: some(self.registry.into_iter().map(Into::into).collect()),
            user: self.user,
            registry_token,
            public_url: self.public_url,
            ide: self.ide,
            tls_cert: self.tls_cert,
            tls_key: self.tls_key,
            generic: self.generic,
            mdns: self.mdns,
            board: self.board.into_iter().map(|board| board.into_rule(&of_boards)).collect(),
            origins: self.origins,
            ..Layer::default()
        };
        let layer = given.over(files);
        HalfTls::check(layer.tls_cert.as_ref(), layer.tls_key.as_ref())?;
        let mut settings = Settings::decide(layer, places);
        settings.simulate = self.simulate;
        settings.devices = self.device;
        settings.sysfs_root = self.sysfs_root;
        settings.dev_root = self.dev_root;
        settings.machine_id = self.machine_id;
        Ok(settings)
    }
}

fn some<T>(values: Vec<T>) -> Option<Vec<T>> {
    (!values.is_empty()).then_some(values)
}
