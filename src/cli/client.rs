//! The running bridge, asked over its control socket.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::body::Body;
use futures_util::StreamExt;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use crate::config::Places;
use crate::http::board_json::BoardJson;

/// How long the bridge may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(15);
/// How long an answer of several lines may take in all: a graph on a slow line.
const LINES_LIMIT: Duration = Duration::from_secs(120);
/// The longest answer, in bytes.
const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;

/// Why the bridge cannot be asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClientError {
    /// There is none.
    #[error("no bridge is running; start one with `microflo-bridge run` (looked for {})", list(tried))]
    NotRunning {
        /// Where it was looked for.
        tried: Vec<PathBuf>,
    },
    /// There is one, and this user may not talk to it.
    #[error(
        "you may not use the running bridge's control socket {}; \
         type `sudo usermod -aG dialout $USER`, then log out and in again",
        .0.display()
    )]
    Denied(PathBuf),
    /// It said no, in its own words.
    #[error("{message}")]
    Refused {
        /// The HTTP status.
        status: StatusCode,
        /// Its words.
        message: String,
    },
    /// It does not answer.
    #[error("the bridge did not answer in time; its log tells why (of the service: `journalctl -u microflo-bridge`)")]
    NoAnswer,
    /// The connection broke, or the answer makes no sense.
    #[error("the bridge's answer could not be read ({0}); is it another version?")]
    Broken(String),
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// The running bridge.
#[derive(Debug)]
pub(super) struct Client {
    path: PathBuf,
}

impl Client {
    /// The first bridge that answers.
    pub(super) async fn find(places: &Places) -> Result<Client, ClientError> {
        let tried = places.control_to_try();
        let mut denied = None;
        for path in &tried {
            match UnixStream::connect(path).await {
                Ok(_) => return Ok(Client { path: path.clone() }),
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    denied = denied.or_else(|| Some(path.clone()));
                }
                Err(_) => {}
            }
        }
        Err(denied.map_or(ClientError::NotRunning { tried }, ClientError::Denied))
    }

    /// The boards; gone ones too, if asked for.
    pub(super) async fn boards(&self, all: bool) -> Result<Vec<BoardJson>, ClientError> {
        self.get(if all { "/api/boards?all=true" } else { "/api/boards" }).await
    }

    /// Asks for something.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let answer = self.send(Method::GET, path, Body::empty()).await?;
        serde_json::from_slice(&answer).map_err(broken)
    }

    /// Asks for a change.
    pub(super) async fn post(&self, path: &str, body: &impl Serialize) -> Result<(), ClientError> {
        let body = serde_json::to_vec(body).map_err(broken)?;
        self.send(Method::POST, path, body.into()).await.map(drop)
    }

    /// Asks for a change, and takes the answer.
    pub(super) async fn post_for<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let body = serde_json::to_vec(body).map_err(broken)?;
        serde_json::from_slice(&self.send(Method::POST, path, body.into()).await?).map_err(broken)
    }

    /// Asks for an end of something.
    pub(super) async fn delete(&self, path: &str) -> Result<(), ClientError> {
        self.send(Method::DELETE, path, Body::empty()).await.map(drop)
    }

    /// Asks for a change that takes its time, and takes each line of the answer as it comes.
    pub(super) async fn post_lines<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        mut line: impl FnMut(T),
    ) -> Result<(), ClientError> {
        let body = serde_json::to_vec(body).map_err(broken)?;
        let request = request(Method::POST, path, body.into())?;
        let exchange = exchange(&self.path, request, |text: &[u8]| {
            line(serde_json::from_slice(text).map_err(broken)?);
            Ok(())
        });
        let (status, answer) =
            tokio::time::timeout(LINES_LIMIT, exchange).await.map_err(|_| ClientError::NoAnswer)??;
        if status.is_success() { Ok(()) } else { Err(refused(status, &answer)) }
    }

    async fn send(&self, method: Method, path: &str, body: Body) -> Result<Vec<u8>, ClientError> {
        let request = request(method, path, body)?;
        let exchange = tokio::time::timeout(ANSWER_LIMIT, exchange(&self.path, request, |_| Ok(())));
        let (status, answer) = exchange.await.map_err(|_| ClientError::NoAnswer)??;
        if status.is_success() { Ok(answer) } else { Err(refused(status, &answer)) }
    }
}

fn request(method: Method, path: &str, body: Body) -> Result<Request<Body>, ClientError> {
    let request = Request::builder().method(method).uri(path).header(HOST, "localhost");
    request.header(CONTENT_TYPE, "application/json").body(body).map_err(broken)
}

/// Sends a request; returns the status and the whole answer. A good answer's lines go to `line` as they come.
async fn exchange(
    path: &Path,
    request: Request<Body>,
    mut line: impl FnMut(&[u8]) -> Result<(), ClientError>,
) -> Result<(StatusCode, Vec<u8>), ClientError> {
    let io = UnixStream::connect(path).await.map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => ClientError::Denied(path.to_owned()),
        _ => ClientError::NotRunning { tried: vec![path.to_owned()] },
    })?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(io)).await.map_err(broken)?;
    let answer = async {
        let response = sender.send_request(request).await.map_err(broken)?;
        let status = response.status();
        let mut body = Body::new(response.into_body()).into_data_stream();
        let (mut answer, mut seen) = (Vec::new(), 0);
        while let Some(part) = body.next().await {
            answer.extend_from_slice(&part.map_err(broken)?);
            if answer.len() > MAX_ANSWER_BYTES {
                return Err(ClientError::Broken(format!("it has more than {MAX_ANSWER_BYTES} bytes")));
            }
            while let Some(end) = answer[seen..].iter().position(|byte| *byte == b'\n').filter(|_| status.is_success())
            {
                line(&answer[seen..seen + end])?;
                seen += end + 1;
            }
        }
        Ok((status, answer))
    };
    tokio::pin!(answer, connection);
    tokio::select! {
        answer = &mut answer => answer,
        // What came with the end of the connection is still to be read.
        _ = &mut connection => answer.await,
    }
}

fn refused(status: StatusCode, answer: &[u8]) -> ClientError {
    let words = serde_json::from_slice::<serde_json::Value>(answer).ok();
    let words = words.as_ref().and_then(|words| words["message"].as_str());
    ClientError::Refused { status, message: words.map_or_else(|| format!("the bridge said {status}"), str::to_owned) }
}

fn broken(error: impl std::fmt::Display) -> ClientError {
    ClientError::Broken(error.to_string())
}
