//! Errors as HTTP: a status and `{"message": …}`.

use axum::Json;
use axum::extract::rejection::BytesRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::io::store::WatchError;
use crate::pure::registry::{Invalid, RECORD_LIMIT_BYTES, Refusal};

/// What clients are told to wait while the database is away, in seconds.
const AWAY_RETRY_S: u64 = 5;
/// What a client is told to wait when too many watch, in seconds.
const WATCH_RETRY_S: u64 = 30;

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the path must be /runtimes/ID, with the runtime's UUID")]
    NotAUuid,
    #[error("the body is larger than {RECORD_LIMIT_BYTES} bytes; leave out keys that the registry need not keep")]
    BodyTooLarge,
    #[error("the body did not arrive whole; send it again")]
    BodyBroken,
    /// Line and column only: the parser's own text may quote a value.
    #[error(
        "the body is not JSON: it goes wrong at line {line}, column {column}; send the runtime's keys as one object"
    )]
    NotJson { line: usize, column: usize },
    #[error("this path does not take this method; see GET, PUT, POST and DELETE of /runtimes/ID and GET of /runtimes")]
    MethodNotAllowed,
    /// The text of the query.
    #[error("the part of the path after the `?` cannot be read; `?type=microflo` lists the runtimes of one type")]
    NotAQuery,
    #[error("too many requests; try again in {seconds} s")]
    TooOften { seconds: u64 },
    #[error(transparent)]
    Watch(#[from] WatchError),
    #[error("the registry's database is not reached at present; try again in a few seconds")]
    Away,
    #[error("the registry's database failed; the log of microflo-bridge says why")]
    Store,
}

impl Failure {
    pub(super) fn from_body(rejection: BytesRejection) -> Failure {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Failure::BodyTooLarge,
            _ => Failure::BodyBroken,
        }
    }

    pub(super) fn not_json(error: serde_json::Error) -> Failure {
        Failure::NotJson { line: error.line(), column: error.column() }
    }

    fn status(&self) -> StatusCode {
        match self {
            Failure::Refused(refusal) => match refusal {
                Refusal::Unauthenticated | Refusal::AnonymousCreate => StatusCode::UNAUTHORIZED,
                Refusal::NotFound => StatusCode::NOT_FOUND,
                Refusal::NotOwner
                | Refusal::WrongSecret
                | Refusal::ForeignOwner
                | Refusal::UnknownOwner
                | Refusal::TooMany => StatusCode::FORBIDDEN,
                Refusal::Invalid(Invalid::TooLarge) => StatusCode::PAYLOAD_TOO_LARGE,
                Refusal::Invalid(_) => StatusCode::BAD_REQUEST,
            },
            Failure::NotAUuid | Failure::NotAQuery | Failure::BodyBroken | Failure::NotJson { .. } => {
                StatusCode::BAD_REQUEST
            }
            Failure::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Failure::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Failure::TooOften { .. } | Failure::Watch(WatchError::TooMany) => StatusCode::TOO_MANY_REQUESTS,
            Failure::Away | Failure::Watch(WatchError::NotReady) => StatusCode::SERVICE_UNAVAILABLE,
            Failure::Store => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// When it is worth trying again, in seconds.
    fn retry_after(&self) -> Option<u64> {
        match self {
            Failure::TooOften { seconds } => Some(*seconds),
            Failure::Away | Failure::Watch(WatchError::NotReady) => Some(AWAY_RETRY_S),
            Failure::Watch(WatchError::TooMany) => Some(WATCH_RETRY_S),
            _ => None,
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = self.status();
        let retry_after = self.retry_after();
        let mut response = (status, Json(json!({"message": self.to_string()}))).into_response();
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}
