//! Errors as HTTP: a status and `{"message": …}`.

use axum::Json;
use axum::extract::rejection::BytesRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::pure::registry::{Invalid, RECORD_LIMIT_BYTES, Refusal};

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the path must be /runtimes/ID, with a UUID")]
    NotAUuid,
    #[error("the body is larger than {RECORD_LIMIT_BYTES} bytes")]
    BodyTooLarge,
    #[error("the body did not arrive whole")]
    BodyBroken,
    /// Line and column only: the parser's own text may quote a value.
    #[error("the body is not JSON: it goes wrong at line {line}, column {column}")]
    NotJson { line: usize, column: usize },
    #[error("this path does not take this method")]
    MethodNotAllowed,
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
                Refusal::NotOwner | Refusal::WrongSecret | Refusal::ForeignOwner => StatusCode::FORBIDDEN,
                Refusal::Invalid(Invalid::TooLarge) => StatusCode::PAYLOAD_TOO_LARGE,
                Refusal::Invalid(_) => StatusCode::BAD_REQUEST,
            },
            Failure::NotAUuid | Failure::BodyBroken | Failure::NotJson { .. } => StatusCode::BAD_REQUEST,
            Failure::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Failure::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Failure::Store => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = self.status();
        let mut response = (status, Json(json!({"message": self.to_string()}))).into_response();
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
        }
        response
    }
}
