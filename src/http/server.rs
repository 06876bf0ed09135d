//! Listening and serving connections, with limits that axum's own `serve` does not have.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use super::control::ControlListener;
use super::counted::Counted;
use super::lifecycle::Lifecycle;
use super::peer::Peer;
use crate::actors::heartbeat::Pulse;
use crate::config::ListenAddress;

/// Open TCP connections in all, WebSockets included. More wait in the system's queue.
const MAX_CONNECTIONS: usize = 512;
/// Open connections to the control socket.
const MAX_CONTROL_CONNECTIONS: usize = 64;
/// How long a client may take to send a request's head, and how long a connection may stay idle between two.
const HEAD_LIMIT: Duration = Duration::from_secs(15);
/// How long a client may leave unread what was sent to it, in milliseconds; then its connection is closed.
const UNREAD_LIMIT_MS: u32 = 60_000;
/// The longest request head, in bytes.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// Pause after a failed accept, for example when file descriptors run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Why an address cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Somebody has it.
    #[error(
        "{0} is in use: a microflo-bridge that runs already? `microflo-bridge list` tells; \
         or choose another port with --listen"
    )]
    InUse(SocketAddr),
    /// Ports below 1024 are for root.
    #[error("{0} needs root: choose a port from 1024 on")]
    Denied(SocketAddr),
    /// Anything else.
    #[error("cannot listen on {address}: {source}")]
    Other {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// Sockets that listen.
pub struct Listeners {
    sockets: Vec<(TcpListener, SocketAddr)>,
    tls: Option<TlsAcceptor>,
}

impl Listeners {
    /// Listens on all of these.
    pub async fn bind(wanted: &[ListenAddress]) -> Result<Self, BindError> {
        let mut listeners = Listeners { sockets: Vec::new(), tls: None };
        for address in wanted {
            match *address {
                ListenAddress::Exact(address) => {
                    listeners.add(address).await?;
                }
                ListenAddress::Localhost(port) => {
                    let port = listeners.add((Ipv4Addr::LOCALHOST, port).into()).await?.port();
                    listeners.add_if_there((Ipv6Addr::LOCALHOST, port).into()).await?;
                }
            }
        }
        Ok(listeners)
    }

    async fn add(&mut self, address: SocketAddr) -> Result<SocketAddr, BindError> {
        let wrong = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => BindError::InUse(address),
            io::ErrorKind::PermissionDenied => BindError::Denied(address),
            _ => BindError::Other { address, source },
        };
        let listener = TcpListener::bind(address).await.map_err(wrong)?;
        let bound = listener.local_addr().map_err(wrong)?;
        self.sockets.push((listener, bound));
        Ok(bound)
    }

    /// A host may have no IPv6. But a port that somebody else has there must not go unnoticed: half the clients would reach them.
    async fn add_if_there(&mut self, address: SocketAddr) -> Result<(), BindError> {
        match self.add(address).await {
            Err(BindError::Other { source, .. }) => {
                tracing::debug!(%address, %source, "not listened on");
                Ok(())
            }
            result => result.map(drop),
        }
    }

    /// What is listened on, with the real port numbers.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.sockets.iter().map(|(_, address)| *address).collect()
    }

    /// The same, encrypted with that certificate.
    pub fn over_tls(self, config: Arc<ServerConfig>) -> Self {
        Listeners { tls: Some(config.into()), ..self }
    }

    /// Serves until `lifecycle` stops. Returns at once; the tasks belong to `lifecycle`.
    pub fn serve(self, app: &Router, lifecycle: &Lifecycle) {
        self.serve_at_most(MAX_CONNECTIONS, app, lifecycle);
    }

    /// The same with another limit of connections at once.
    pub fn serve_at_most(self, connections: usize, app: &Router, lifecycle: &Lifecycle) {
        let places = Arc::new(Semaphore::new(connections));
        for (listener, address) in self.sockets {
            let (tls, pulse) = (self.tls.clone(), lifecycle.pulse(format!("connections to {address}")));
            lifecycle.spawn(accept_all(listener, tls, places.clone(), pulse, app.clone(), lifecycle.clone()));
        }
    }
}

/// Serves the control socket until `lifecycle` stops. Returns at once.
pub fn serve_control(control: ControlListener, app: &Router, lifecycle: &Lifecycle) {
    let places = Arc::new(Semaphore::new(MAX_CONTROL_CONNECTIONS));
    let pulse = lifecycle.pulse("connections to the control socket");
    lifecycle.spawn(accept_all(control, None, places, pulse, app.clone(), lifecycle.clone()));
}

/// Something that connections come from.
pub(super) trait Accept: Send + Sync + 'static {
    /// A connection.
    type Io: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// The next connection, and who it is.
    fn accept(&self) -> impl Future<Output = io::Result<(Self::Io, Peer)>> + Send;
}

impl Accept for TcpListener {
    type Io = TcpStream;

    async fn accept(&self) -> io::Result<(TcpStream, Peer)> {
        let (io, remote) = TcpListener::accept(self).await?;
        // Messages are small, and each is flushed when it should go.
        io.set_nodelay(true)?;
        rustix::net::sockopt::set_tcp_user_timeout(&io, UNREAD_LIMIT_MS)?;
        let local = io.local_addr()?;
        Ok((io, Peer::Tcp { local, remote }))
    }
}

async fn accept_all<L: Accept>(
    listener: L,
    tls: Option<TlsAcceptor>,
    places: Arc<Semaphore>,
    mut pulse: Pulse,
    app: Router,
    lifecycle: Lifecycle,
) {
    loop {
        let accepted = async {
            // The semaphore is never closed.
            let place = places.clone().acquire_owned().await.ok()?;
            Some((place, listener.accept().await))
        };
        let (place, connection) = tokio::select! {
            accepted = pulse.during(accepted) => match accepted {
                Some(accepted) => accepted,
                None => return,
            },
            () = lifecycle.stopping() => return,
        };
        match connection {
            Ok((io, peer)) => {
                let (io, app, stop) = (Counted::new(io, place), app.clone(), lifecycle.clone());
                match tls.clone() {
                    Some(tls) => lifecycle.spawn(serve_encrypted(io, tls, peer, app, stop)),
                    None => lifecycle.spawn(serve_connection(io, peer, app, stop)),
                }
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// The handshake is each connection's own affair: nobody waits for another's.
async fn serve_encrypted<IO>(io: IO, tls: TlsAcceptor, peer: Peer, app: Router, lifecycle: Lifecycle)
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let shaken = tokio::select! {
        shaken = tokio::time::timeout(HEAD_LIMIT, tls.accept(io)) => shaken,
        () = lifecycle.stopping() => return,
    };
    match shaken {
        Ok(Ok(io)) => serve_connection(io, peer, app, lifecycle).await,
        Ok(Err(error)) => tracing::debug!(?peer, %error, "no TLS handshake"),
        Err(_) => tracing::debug!(?peer, "no TLS handshake in time"),
    }
}

async fn serve_connection<IO>(io: IO, peer: Peer, app: Router, lifecycle: Lifecycle)
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer);
        app.clone().oneshot(request)
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_LIMIT)
            .max_buf_size(MAX_HEAD_BYTES)
            .serve_connection(TokioIo::new(io), service)
            .with_upgrades()
    );
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = lifecycle.stopping() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(?peer, %error, "a connection ended early");
    }
}

impl std::fmt::Debug for Listeners {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listeners").field("addresses", &self.addresses()).field("tls", &self.tls.is_some()).finish()
    }
}
