//! The client half: one registry somewhere else, over HTTP.
//!
//! Nothing is retried here, and no redirect followed: a record holds a secret, which goes where it was configured to go.

mod endpoint;
mod error;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Client, RequestBuilder, Response, StatusCode};
use uuid::Uuid;

use crate::pure::registry::Record;
use crate::pure::secret::Secret;

use endpoint::Endpoint;

pub use error::{CallError, EndpointError};

/// The most bytes of an answer that are read: enough for an error message, and for a record to be thrown away.
const ANSWER_LIMIT_BYTES: usize = 128 * 1024;
/// Idle connections are closed after this time, well before the next minute's pings.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);
/// Idle connections kept meanwhile.
const IDLE_CONNECTIONS: usize = 2;

/// How long a registry may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Until connected, TLS included.
    pub connect: Duration,
    /// Until the answer has been read.
    pub total: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { connect: Duration::from_secs(5), total: Duration::from_secs(10) }
    }
}

/// One registry. `Debug` shows its URL only.
#[derive(Clone)]
pub struct RegistryClient {
    endpoint: Endpoint,
    token: Option<Secret>,
    limits: Limits,
    /// Made when it is needed, with the CA certificates of that moment: a system that has none is a registry's trouble and not
    /// the bridge's, and one that has been given them needs no restart.
    http: Arc<Mutex<Option<Client>>>,
}

impl std::fmt::Debug for RegistryClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("RegistryClient").field(&self.url()).finish()
    }
}

impl RegistryClient {
    /// A client for the registry whose `/runtimes` lies under `url`, for example `https://api.flowhub.io`. Nothing is
    /// sent yet. Plain `http://` is for this machine only.
    pub fn new(url: &str, token: Option<Secret>, limits: Limits) -> Result<RegistryClient, EndpointError> {
        let endpoint = Endpoint::parse(url)?;
        if token.as_ref().is_some_and(|token| !token.expose().bytes().all(|byte| byte.is_ascii_graphic())) {
            return Err(EndpointError::Token);
        }
        Ok(RegistryClient { endpoint, token, limits, http: Arc::default() })
    }

    /// The registry's URL, without a slash at the end: its name in `status` and in the store.
    pub fn url(&self) -> &str {
        self.endpoint.name()
    }

    /// Whether there is a token, without which records cannot be deleted.
    pub fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// Registers a runtime or updates it.
    pub async fn put(&self, record: &Record) -> Result<(), CallError> {
        let request = self.http()?.put(self.endpoint.runtime(record.id)).json(&record.to_json());
        self.call(self.with_token(request), record.secret.as_ref()).await
    }

    /// Says that a runtime is alive. [`CallError::NotFound`]: it has to be put again.
    pub async fn ping(&self, id: Uuid) -> Result<(), CallError> {
        let request = self.http()?.post(self.endpoint.runtime(id)).json(&serde_json::Map::new());
        self.call(request, None).await
    }

    /// Removes a runtime. Needs the token. [`CallError::NotFound`]: it was gone already.
    pub async fn delete(&self, id: Uuid) -> Result<(), CallError> {
        self.call(self.with_token(self.http()?.delete(self.endpoint.runtime(id))), None).await
    }

    fn http(&self) -> Result<Client, CallError> {
        let mut http = self.http.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = &*http {
            return Ok(client.clone());
        }
        let client = http_client(&self.endpoint, self.limits)
            .map_err(|error| CallError::Tls { url: self.url().to_owned(), reason: error::innermost(&error) })?;
        Ok(http.insert(client).clone())
    }

    /// No connection came about: the next call looks again at what the system trusts.
    fn forget_client(&self) {
        *self.http.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn with_token(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.token {
            Some(token) => request.bearer_auth(token.expose()),
            None => request,
        }
    }

    /// Sends, and reads the answer. `secret` is kept out of the error, should the registry repeat it.
    async fn call(&self, request: RequestBuilder, secret: Option<&Secret>) -> Result<(), CallError> {
        let mut response = request.send().await.map_err(|error| {
            if error.is_connect() {
                self.forget_client();
            }
            CallError::from_send(self.url(), error)
        })?;
        let body = read_limited(&mut response).await;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let hide = [secret, self.token.as_ref()];
        let said = error::said(&body, hide.into_iter().flatten());
        let url = self.url().to_owned();
        Err(match status {
            StatusCode::UNAUTHORIZED => CallError::Unauthorized { url, token: self.has_token(), said },
            StatusCode::FORBIDDEN => CallError::Forbidden { url, said },
            StatusCode::NOT_FOUND => CallError::NotFound { url },
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => CallError::Troubled { url, status, said },
            _ if status.is_redirection() => CallError::Redirected { url, to: error::redirected_to(&response) },
            _ if status.is_client_error() => CallError::Refused { url, status, said },
            _ => CallError::Troubled { url, status, said },
        })
    }
}

fn http_client(endpoint: &Endpoint, limits: Limits) -> reqwest::Result<Client> {
    // reqwest takes the process's provider; an error says that one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .user_agent(concat!("microflo-bridge/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(limits.connect)
        .timeout(limits.total)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(IDLE_CONNECTIONS);
    if endpoint.is_plain() {
        // This machine only: a proxy would carry the secret away, and certificates need not be loaded.
        builder = builder.no_proxy().tls_certs_only([]);
    }
    builder.build()
}

/// The first bytes of the answer's body. A body that breaks off changes nothing: the status counts.
async fn read_limited(response: &mut Response) -> Vec<u8> {
    let mut body = Vec::new();
    while body.len() < ANSWER_LIMIT_BYTES
        && let Ok(Some(chunk)) = response.chunk().await
    {
        body.extend_from_slice(&chunk[..chunk.len().min(ANSWER_LIMIT_BYTES - body.len())]);
    }
    body
}
