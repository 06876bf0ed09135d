//! `dashboard`: opens the page with the right to make changes.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

use clap::Args;

use super::client::Client;
use super::screen::{plain, print, print_json};
use crate::http::dashboard::DashboardJson;

/// Opens a URL in the user's browser, on any Linux desktop.
const OPENER: &str = "xdg-open";

#[derive(Debug, Args)]
pub(super) struct DashboardArgs {
    /// Print the link and open nothing. It holds the token that allows changes until the bridge is restarted
    #[arg(long)]
    print: bool,
    /// As JSON; opens nothing
    #[arg(long)]
    json: bool,
}

pub(super) async fn dashboard(client: &Client, args: DashboardArgs) -> anyhow::Result<()> {
    let dashboard: DashboardJson = client.get("/api/dashboard").await?;
    if args.json {
        return print_json(&dashboard);
    }
    if args.print {
        print(&format!("{}\n", plain(&dashboard.url)))?;
        return Ok(());
    }
    if has_display(|name| std::env::var_os(name)) && open(&dashboard.once) {
        print("the dashboard opens in your browser\n")?;
        return Ok(());
    }
    print(&format!("open this in a browser:\n{}\n", plain(&dashboard.url)))?;
    Ok(())
}

fn has_display<V: AsRef<OsStr>>(variable: impl Fn(&str) -> Option<V>) -> bool {
    ["WAYLAND_DISPLAY", "DISPLAY"].iter().any(|name| variable(name).is_some_and(|value| !value.as_ref().is_empty()))
}

/// Whether a browser was found.
fn open(url: &str) -> bool {
    let quiet = Command::new(OPENER).arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    quiet.is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_needs_a_display() {
        let with = |set: &'static [(&str, &str)]| {
            has_display(|name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| *value))
        };
        assert!(!with(&[]));
        assert!(!with(&[("DISPLAY", "")]));
        assert!(with(&[("DISPLAY", ":0")]));
        assert!(with(&[("WAYLAND_DISPLAY", "wayland-0")]));
    }
}
