//! `doctor`: what blocks boards, and the line to type. Works with and without a running bridge.

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde::Serialize;
use uuid::Uuid;

use super::client::{Client, ClientError};
use super::run::RunArgs;
use super::screen::{Style, plain, print, print_json};
use crate::config::{ListenAddress, Places, Settings};
use crate::http::board_json::BoardJson;
use crate::io::accounts;
use crate::io::host::{self, Roots};
use crate::io::registry_client::{CallError, EndpointError, Limits, RegistryClient};
use crate::pure::doctor::{BoardFacts, BridgeFacts, Facts, Finding, RegistryFacts, StateDir, examine};

/// How long a registry may take to show that it is there.
const REGISTRY_LIMITS: Limits = Limits { connect: Duration::from_secs(3), total: Duration::from_secs(5) };

#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    /// As JSON
    #[arg(long)]
    json: bool,
    #[arg(long, hide = true, default_value = "/")]
    system_root: PathBuf,
    #[command(flatten)]
    run: RunArgs,
}

/// Something blocks boards; all of it was printed.
#[derive(Debug, thiserror::Error)]
#[error("{}", if *.0 == 1 { "one thing blocks boards".to_owned() } else { format!("{} things block boards", .0) })]
struct Blocked(usize);

/// One finding as JSON.
#[derive(Serialize)]
struct FindingJson<'a> {
    /// What was looked at.
    check: &'static str,
    /// Whether it keeps a board from being used.
    blocks: bool,
    /// What it is about.
    subject: &'a str,
    /// What is wrong.
    problem: &'a str,
    /// The line to type, where one helps.
    command: Option<&'a str>,
}

pub(super) async fn doctor(args: DoctorArgs, places: &Places) -> anyhow::Result<()> {
    let (sysfs, dev) = args.run.roots();
    let roots = Roots { sysfs, dev, system: args.system_root };
    let settings = args.run.settings(places);
    let facts = gather(&roots, settings.as_ref(), places).await?;
    let findings = examine(&facts);
    if args.json {
        let json = |finding: &Finding| serde_json::to_value(FindingJson::from(finding));
        print_json(&findings.iter().map(json).collect::<Result<Vec<_>, _>>()?)?;
    } else {
        print(&render(&facts, &findings, Style::of_stdout()))?;
    }
    match findings.iter().filter(|finding| finding.blocks).count() {
        0 => Ok(()),
        blocking => Err(Blocked(blocking).into()),
    }
}

async fn gather(roots: &Roots, settings: Result<&Settings, &anyhow::Error>, places: &Places) -> anyhow::Result<Facts> {
    let own = accounts::own(&roots.etc());
    let bridge = ask(places, roots, &own).await;
    let is_running = matches!(bridge, BridgeFacts::Running(_));
    let listen = settings.map_or_else(|_| vec![ListenAddress::DEFAULT], |settings| settings.listen.clone());
    let taken = if is_running { Vec::new() } else { host::taken(roots, &addresses(&listen)) };
    let serving = host::bridge(roots);
    Ok(Facts {
        bridge,
        serving: serving.is_some(),
        opener: serving.filter(|_| is_running).unwrap_or_else(|| own.clone()),
        root: own.uid == 0,
        service: host::has_service(roots),
        settings_error: settings.err().map(|error| format!("{error:#}")),
        taken,
        state_dir: settings.map_or_else(
            |_| StateDir { path: places.state_dir(None), problem: None },
            |settings| host::state_dir(&settings.state_dir),
        ),
        ports: host::ports(roots)?,
        without_tty: host::without_tty(roots)?,
        drivers: host::drivers(roots),
        modules_on_disk: host::modules_on_disk(roots),
        modem_manager: host::program(roots, "ModemManager"),
        brltty: host::program(roots, "brltty"),
        udev: host::udev(roots),
        clock: host::clock(),
        registries: registries(settings.ok()).await,
    })
}

async fn ask(places: &Places, roots: &Roots, own: &crate::pure::access::Opener) -> BridgeFacts {
    let client = match Client::find(places).await {
        Ok(client) => client,
        Err(ClientError::Denied(socket)) => {
            let node = accounts::node(&socket, &roots.etc()).ok();
            return BridgeFacts::Denied { socket, node, user: own.clone() };
        }
        Err(_) => return BridgeFacts::NotRunning,
    };
    match client.boards(false).await {
        Ok(boards) => BridgeFacts::Running(boards.into_iter().map(BoardFacts::from).collect()),
        Err(error) => BridgeFacts::Mute(error.to_string()),
    }
}

impl From<BoardJson> for BoardFacts {
    fn from(board: BoardJson) -> BoardFacts {
        BoardFacts {
            label: board.label,
            device: board.device.map(PathBuf::from),
            state: board.state,
            reason: board.reason,
            warnings: board.warnings,
            has_components: board.components.is_some(),
            registries: board.registries,
        }
    }
}

fn addresses(listen: &[ListenAddress]) -> Vec<SocketAddr> {
    let of = |address: &ListenAddress| match address {
        ListenAddress::Localhost(port) => {
            vec![SocketAddr::from((Ipv4Addr::LOCALHOST, *port)), SocketAddr::from((Ipv6Addr::LOCALHOST, *port))]
        }
        ListenAddress::Exact(address) => vec![*address],
    };
    listen.iter().flat_map(of).collect()
}

/// Says hello to every registry that is configured, all at once.
async fn registries(settings: Option<&Settings>) -> Vec<RegistryFacts> {
    let remotes = settings.map(Settings::remotes).unwrap_or_default();
    let greetings = remotes.into_iter().map(|remote| async move {
        let name = remote.url.name().to_owned();
        let (trouble, lacks_certificates) = match greet(remote.url.url().as_str()).await {
            Ok(()) => (None, false),
            Err(error) => (Some(error.to_string()), matches!(error, Trouble::Call(CallError::Tls { .. }))),
        };
        RegistryFacts { name, trouble, lacks_certificates }
    });
    futures_util::future::join_all(greetings).await
}

/// Why a registry cannot be used.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    #[error(transparent)]
    Call(CallError),
}

/// Pings a runtime that nobody has: a registry says that it does not know it.
async fn greet(url: &str) -> Result<(), Trouble> {
    let client = RegistryClient::new(url, None, REGISTRY_LIMITS)?;
    match client.ping(Uuid::nil()).await {
        Ok(()) | Err(CallError::NotFound { .. }) => Ok(()),
        Err(CallError::Unauthorized { .. } | CallError::Forbidden { .. } | CallError::Refused { .. }) => Ok(()),
        Err(error) => Err(Trouble::Call(error)),
    }
}

impl<'a> From<&'a Finding> for FindingJson<'a> {
    fn from(finding: &'a Finding) -> FindingJson<'a> {
        FindingJson {
            check: finding.check.name(),
            blocks: finding.blocks,
            subject: &finding.subject,
            problem: &finding.problem,
            command: finding.command.as_deref(),
        }
    }
}

fn render(facts: &Facts, findings: &[Finding], style: Style) -> String {
    let mut text = String::new();
    for finding in findings {
        let mark = if finding.blocks { style.yellow("✗") } else { style.dim("·") };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{mark} {}: {}", style.bold(&plain(&finding.subject)), plain(&finding.problem));
        if let Some(command) = &finding.command {
            let _ = writeln!(text, "    type: {}", plain(command));
        }
    }
    if !findings.iter().any(|finding| finding.blocks) {
        let _ = writeln!(text, "{} nothing blocks boards: {}", style.green("✓"), looked_at(facts));
    }
    if !facts.root {
        let _ = writeln!(
            text,
            "{}",
            style.dim("Root sees more, such as every program that has a port: sudo microflo-bridge doctor")
        );
    }
    text
}

/// What was looked at, so that "nothing" means something.
fn looked_at(facts: &Facts) -> String {
    let count = |number: usize, what: &str| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
    let mut parts = vec![count(facts.ports.len(), "USB-serial port")];
    if let BridgeFacts::Running(boards) = &facts.bridge {
        parts.push(count(boards.len(), "board") + " of the running bridge");
    }
    parts.push("drivers, permissions, udev, ModemManager, brltty, the clock".to_owned());
    if !facts.registries.is_empty() {
        parts.push(count(facts.registries.len(), "registry").replace("registrys", "registries"));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pure::doctor::Check;

    fn finding(blocks: bool) -> Finding {
        Finding {
            check: Check::Holder,
            blocks,
            subject: "Uno\x1b[2J (/dev/ttyACM0)".into(),
            problem: "avrdude (process 7) has it open".into(),
            command: Some("sudo kill 7".into()),
        }
    }

    #[test]
    fn a_finding_has_the_line_to_type_below_it_and_no_escape_sequence() {
        let mut facts = crate::pure::doctor::fixtures::facts();
        let text = render(&facts, &[finding(true)], Style::default());
        assert!(
            text.starts_with(
                "✗ Uno\u{fffd}[2J (/dev/ttyACM0): avrdude (process 7) has it open\n    type: sudo kill 7\n"
            ),
            "{text}"
        );
        assert!(!text.contains('✓') && text.contains("sudo microflo-bridge doctor"), "{text}");
        facts.root = true;
        let text = render(&facts, &[finding(false)], Style::default());
        assert!(text.contains("\n✓ nothing blocks boards: 0 USB-serial ports, "), "{text}");
        assert!(!text.contains("sudo microflo-bridge doctor"), "{text}");
    }
}
