//! Against real sockets on loopback: a good registry and every kind of bad one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use axum::extract::Request;
use axum::http::header;
use axum::response::{IntoResponse, Redirect};
use axum::{Json, Router};
use serde_json::json;
use tokio::net::TcpListener;

use super::*;

const SHORT: Limits = Limits { connect: Duration::from_millis(200), total: Duration::from_millis(200) };

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// A registry that answers everything like this.
async fn serve_always<R: IntoResponse>(
    answer: impl Fn(Request) -> R + Clone + Send + Sync + 'static,
) -> RegistryClient {
    let url = serve(Router::new().fallback(async move |request: Request| answer(request).into_response())).await;
    RegistryClient::new(&url, Some(Secret::new("the-token")), SHORT).unwrap()
}

fn record(user: Uuid) -> Record {
    Record {
        id: Uuid::from_u128(7),
        user,
        address: "ws://localhost:3569/x".to_owned(),
        protocol: "websocket".to_owned(),
        kind: "microflo".to_owned(),
        label: Some("Blinky".to_owned()),
        description: None,
        secret: Some(Secret::new("the-secret")),
        extra: serde_json::Map::new(),
    }
}

#[tokio::test]
async fn the_token_goes_with_put_and_delete_only() {
    let client = serve_always(|request: Request| {
        let token = request.headers().get(header::AUTHORIZATION).is_some_and(|value| value == "Bearer the-token");
        if token == (request.method() != "POST") { StatusCode::OK } else { StatusCode::IM_A_TEAPOT }
    })
    .await;
    client.put(&record(Uuid::nil())).await.unwrap();
    client.ping(Uuid::nil()).await.unwrap();
    client.delete(Uuid::nil()).await.unwrap();
}

#[tokio::test]
async fn every_2xx_is_a_yes_whatever_the_body() {
    for status in [StatusCode::OK, StatusCode::CREATED, StatusCode::ACCEPTED, StatusCode::NO_CONTENT] {
        let client = serve_always(move |_| (status, "<not json")).await;
        client.put(&record(Uuid::nil())).await.unwrap();
        client.ping(Uuid::nil()).await.unwrap();
    }
}

#[tokio::test]
async fn what_a_registry_refuses_is_told_apart() {
    type Check = fn(&CallError) -> bool;
    let table: [(StatusCode, Check); 6] = [
        (StatusCode::INTERNAL_SERVER_ERROR, |error| matches!(error, CallError::Troubled { .. })),
        (StatusCode::TOO_MANY_REQUESTS, |error| matches!(error, CallError::Troubled { .. })),
        (StatusCode::FORBIDDEN, |error| matches!(error, CallError::Forbidden { .. })),
        (StatusCode::UNAUTHORIZED, |error| matches!(error, CallError::Unauthorized { token: true, .. })),
        (StatusCode::NOT_FOUND, |error| matches!(error, CallError::NotFound { .. })),
        (StatusCode::BAD_REQUEST, |error| matches!(error, CallError::Refused { .. })),
    ];
    for (status, check) in table {
        let client = serve_always(move |_| (status, Json(json!({"message": "no"})))).await;
        let error = client.put(&record(Uuid::nil())).await.unwrap_err();
        assert!(check(&error), "{status}: {error}");
    }
}

#[tokio::test]
async fn a_redirect_is_reported_not_followed() {
    let arrived = Arc::new(AtomicUsize::new(0));
    let counted = arrived.clone();
    let count = async move || counted.fetch_add(1, Ordering::Relaxed).to_string();
    let target = serve(Router::new().fallback(count)).await;
    let to = format!("{target}/runtimes/secret-path?x=1");
    let client = serve_always(move |_| Redirect::temporary(&to)).await;
    for result in [client.put(&record(Uuid::nil())).await, client.delete(Uuid::nil()).await] {
        let error = result.unwrap_err();
        assert!(matches!(&error, CallError::Redirected { to: Some(to), .. } if *to == target), "{error}");
    }
    assert_eq!(arrived.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_registry_that_hangs_is_left_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let started = Instant::now();
    let client = RegistryClient::new(&url, None, SHORT).unwrap();
    assert_eq!(client.ping(Uuid::nil()).await, Err(CallError::Timeout { url }));
    assert!(started.elapsed() < SHORT.total * 5, "{:?}", started.elapsed());
}

#[tokio::test]
async fn garbage_and_a_closed_port_are_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let client = RegistryClient::new(&url, None, SHORT).unwrap();
    let server = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut socket, b"\x1b[2J not http\r\n\r\n").await.unwrap();
    });
    assert!(matches!(client.ping(Uuid::nil()).await, Err(CallError::Unreachable { .. })));
    server.await.unwrap();
    let error = client.ping(Uuid::nil()).await.unwrap_err();
    assert!(matches!(&error, CallError::Unreachable { reason, .. } if reason.contains("refused")), "{error}");
}

#[tokio::test]
async fn a_huge_answer_is_not_read_to_its_end() {
    let client = serve_always(|_| (StatusCode::BAD_REQUEST, "x".repeat(ANSWER_LIMIT_BYTES * 100))).await;
    assert!(matches!(client.ping(Uuid::nil()).await, Err(CallError::Refused { said, .. }) if said.is_empty()));
}

#[tokio::test]
async fn secrets_that_a_registry_repeats_are_not_shown() {
    let message = "\u{1b}[2Jno: the-secret, the-token\n".to_owned() + &"long ".repeat(100);
    let client = serve_always(move |_| (StatusCode::BAD_REQUEST, Json(json!({"message": message})))).await;
    let error = client.put(&record(Uuid::nil())).await.unwrap_err();
    let shown = format!("{error} {error:?} {client:?} {:?}", record(Uuid::nil()));
    assert!(!shown.contains("the-secret") && !shown.contains("the-token"), "{shown}");
    assert!(!error.to_string().contains(char::is_control) && error.to_string().len() < 400, "{error}");
}

#[test]
fn a_token_that_cannot_be_sent_is_refused_and_not_repeated() {
    for token in ["a b", "a\nb", "ä"] {
        let error = RegistryClient::new("http://localhost", Some(Secret::new(token)), SHORT).unwrap_err();
        assert_eq!(error, EndpointError::Token);
    }
}
