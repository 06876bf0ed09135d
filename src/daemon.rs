//! The daemon: what `run` starts and stops.

use std::fmt::Write;
use std::time::Duration;

use axum::Router;

use crate::actors::directory::{Directory, DirectoryError, DirectoryServer, Request};
use crate::config::Settings;
use crate::http::control::{ControlError, ControlListener};
use crate::http::server::{BindError, serve_control};
use crate::http::{Addresses, AdminToken, HttpConfig, HttpState, Lifecycle, Listeners, router};

/// How long connections may take to end when the bridge stops.
const STOP_LIMIT: Duration = Duration::from_secs(3);
/// Random bytes in the admin token.
const TOKEN_BYTES: usize = 32;

/// Why the daemon cannot start.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The control socket.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// The listen addresses.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(#[from] getrandom::Error),
}

/// A running daemon.
#[derive(Debug)]
pub struct Daemon {
    directory: Directory,
    addresses: Addresses,
    lifecycle: Lifecycle,
}

impl Daemon {
    /// Starts everything: when this returns, the bridge listens and answers.
    pub async fn start(settings: &Settings) -> Result<Daemon, DaemonError> {
        let lifecycle = Lifecycle::new();
        let (directory, server) = Directory::new();
        tokio::spawn(no_boards(server));
        let control = ControlListener::bind(&settings.control_socket)?;
        let listeners = Listeners::bind(&settings.listen).await?;
        let addresses = Addresses::new(listeners.addresses(), settings.public_url.clone(), settings.ide.clone());
        let state = HttpState::new(HttpConfig {
            directory: directory.clone(),
            addresses: addresses.clone(),
            admin_token: AdminToken::new(&random_token()?),
            local_user: None,
            lifecycle: lifecycle.clone(),
        });
        let app = router(state, Router::new());
        serve_control(control, &app, &lifecycle);
        listeners.serve(&app, &lifecycle);
        Ok(Daemon { directory, addresses, lifecycle })
    }

    /// The boards.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Where the bridge is reached.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Stops everything, and waits for it.
    pub async fn stop(self) {
        if !self.lifecycle.finish(STOP_LIMIT).await {
            tracing::warn!("some connections did not end in time");
        }
    }
}

fn random_token() -> Result<String, getrandom::Error> {
    let mut bytes = [0; TOKEN_BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

/// A supervisor of nothing.
async fn no_boards(mut server: DirectoryServer) {
    while let Some(request) = server.requests.recv().await {
        // A caller that has gone needs no answer.
        let _ = match request {
            Request::SetLabel { id, reply, .. } => reply.send(Err(DirectoryError::NotFound(id))).is_ok(),
            Request::Admit { id, reply, .. } => reply.send(Err(DirectoryError::NotFound(id))).is_ok(),
            Request::Connect { id, reply, .. } => reply.send(Err(DirectoryError::NotFound(id))).is_ok(),
            Request::Secrets { id, reply } => reply.send(Err(DirectoryError::NotFound(id))).is_ok(),
        };
    }
}
