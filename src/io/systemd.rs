//! What systemd gives to a service, and what it is told. Where there is no systemd nothing here does anything.

use std::io;
use std::os::unix::net::UnixListener;
use std::time::Duration;

use listenfd::ListenFd;
use sd_notify::NotifyState;

/// The socket that a socket unit listens on for this process, if there is one. It is here once: ask once.
pub fn inherited_socket() -> io::Result<Option<UnixListener>> {
    ListenFd::from_env().take_unix_listener(0)
}

/// How long systemd waits for a sign of life before it starts the service anew; `None`: it does not watch.
pub fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}

/// The service answers; `status` is what `systemctl status` shows.
pub fn say_ready(status: &str) {
    say(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// What `systemctl status` shows.
pub fn say_status(status: &str) {
    say(&[NotifyState::Status(status)]);
}

/// The configuration is being read again; [`say_ready`] follows.
pub fn say_reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => say(&[NotifyState::Reloading, now]),
        Err(error) => tracing::debug!(%error, "the clock cannot be read"),
    }
}

/// The service is on its way out.
pub fn say_stopping() {
    say(&[NotifyState::Stopping, NotifyState::Status("closing the ports")]);
}

/// All is well.
pub fn say_alive() {
    say(&[NotifyState::Watchdog]);
}

fn say(states: &[NotifyState]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "systemd could not be told how the bridge is");
    }
}
