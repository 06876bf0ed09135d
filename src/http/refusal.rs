//! Refusals: a status, and words in JSON that say what was refused and what to do.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::actors::directory::DirectoryError;
use crate::pure::board::OwnChangeError;

/// Why a request was not served: `{"message": "…"}` with that status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: StatusCode,
    /// For people.
    pub message: String,
}

impl Refusal {
    /// A refusal with these words.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Refusal { status, message: message.into() }
    }

    /// 401: a token or secret is missing or wrong.
    pub fn unauthorized(message: impl Into<String>) -> Self {
        Refusal::new(StatusCode::UNAUTHORIZED, message)
    }

    /// 404.
    pub fn not_found(message: impl Into<String>) -> Self {
        Refusal::new(StatusCode::NOT_FOUND, message)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(json!({ "message": self.message }))).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<DirectoryError> for Refusal {
    fn from(error: DirectoryError) -> Self {
        let status = match &error {
            DirectoryError::NotFound(_) => StatusCode::NOT_FOUND,
            DirectoryError::NotOpen { .. } | DirectoryError::Full { .. } | DirectoryError::ShuttingDown => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            DirectoryError::Invalid(_) => StatusCode::BAD_REQUEST,
            DirectoryError::OnBoard(OwnChangeError::NotSelfDescribing | OwnChangeError::Refused(_)) => {
                StatusCode::CONFLICT
            }
            DirectoryError::OnBoard(_) => StatusCode::SERVICE_UNAVAILABLE,
            DirectoryError::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Refusal::new(status, error.to_string())
    }
}

/// A JSON body. `Content-Type: application/json` is required, which no other site's form can send.
#[derive(Clone, Copy, Debug)]
pub struct JsonBody<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let refuse = |rejection: JsonRejection| Refusal::new(rejection.status(), rejection.body_text());
        Json::from_request(request, state).await.map(|Json(body)| JsonBody(body)).map_err(refuse)
    }
}
