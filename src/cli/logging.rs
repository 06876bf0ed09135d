//! Logging to standard error. Secrets are never logged.

use std::io::{IsTerminal, stderr, stdout};

use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// How the names of this program's own parts begin.
const OWN: &str = "microflo_bridge";

/// The variable that sets the level.
const VARIABLE: &str = "MICROFLO_BRIDGE_LOG";

/// Starts logging. `run` on a terminal tells what happens in its own words, so that only warnings are logged there.
pub(super) fn start(verbose: u8, daemon: bool) {
    let quiet = !daemon || stdout().is_terminal();
    let level = match verbose {
        0 if quiet => "warn",
        0 => "info",
        1 => "debug",
        _ => "trace",
    };
    // Other crates' inner life helps nobody.
    let default = format!("warn,{OWN}={level}");
    let filter = EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new(default));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    // systemd's journal adds the time itself.
    let under_systemd = std::env::var_os("JOURNAL_STREAM").is_some();
    let subscriber = subscriber.with_ansi(stderr().is_terminal());
    let discreet = filter_fn(is_discreet);
    if under_systemd {
        subscriber.without_time().finish().with(discreet).init();
    } else {
        subscriber.finish().with(discreet).init();
    }
}

/// At TRACE other crates quote what goes over the network, secrets included: that is never logged, whatever the level.
fn is_discreet(about: &Metadata<'_>) -> bool {
    *about.level() < Level::TRACE || about.target().starts_with(OWN)
}
