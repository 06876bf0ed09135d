//! What every route knows.

use std::ops::Deref;
use std::sync::Arc;

use super::addresses::Addresses;
use super::auth::AdminToken;
use super::dashboard::Codes;
use super::events::Watchers;
use super::guard::Guard;
use super::lifecycle::Lifecycle;
use super::ws::SocketLimits;
use crate::actors::directory::Directory;
use crate::io::static_dir::StaticDir;
use crate::io::store::LocalUser;

/// What the routes are built on.
#[derive(Debug)]
pub struct HttpConfig {
    /// The boards.
    pub directory: Directory,
    /// Where the bridge is reached: known once it listens.
    pub addresses: Addresses,
    /// Allows changes over TCP.
    pub admin_token: AdminToken,
    /// The user at the embedded registry whose boards these are.
    pub local_user: Option<LocalUser>,
    /// The UI that is served at `/ide/`.
    pub ide: Option<StaticDir>,
    /// When to stop.
    pub lifecycle: Lifecycle,
}

/// What every route knows. Cheap to clone.
#[derive(Clone, Debug)]
pub struct HttpState(Arc<Known>);

/// See [`HttpState`].
#[derive(Debug)]
pub struct Known {
    /// As configured.
    pub config: HttpConfig,
    /// Who may ask at all.
    pub guard: Guard,
    /// Limits of each WebSocket.
    pub socket_limits: SocketLimits,
    /// Who watches the boards.
    pub watchers: Watchers,
    /// What opens the dashboard.
    pub codes: Codes,
}

impl HttpState {
    /// The state of a server.
    pub fn new(config: HttpConfig) -> Self {
        HttpState::with_limits(config, SocketLimits::default())
    }

    pub(crate) fn with_limits(config: HttpConfig, socket_limits: SocketLimits) -> Self {
        let guard = Guard::new(&config.addresses);
        HttpState(Arc::new(Known {
            config,
            guard,
            socket_limits,
            watchers: Watchers::default(),
            codes: Codes::default(),
        }))
    }
}

impl Deref for HttpState {
    type Target = Known;

    fn deref(&self) -> &Known {
        &self.0
    }
}
