//! Logging to standard error. Secrets are never logged.

use std::io::{IsTerminal, stderr, stdout};

use tracing_subscriber::EnvFilter;

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
    let default = format!("warn,microflo_bridge={level}");
    let filter = EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new(default));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    // systemd's journal adds the time itself.
    let under_systemd = std::env::var_os("JOURNAL_STREAM").is_some();
    let subscriber = subscriber.with_ansi(stderr().is_terminal());
    if under_systemd { subscriber.without_time().init() } else { subscriber.init() }
}
