//! Over real sockets where the peer matters, else straight into the router.

use axum::body::Body;
use axum::http::{HeaderMap, Request};
use tower::ServiceExt;

use super::*;
use crate::http::Peer;
use crate::io::registry_client::{CallError, Limits, RegistryClient};
use crate::io::store::{LocalUser, Store};
use crate::pure::registry::Record;
use crate::pure::secret::Secret;

const ID: &str = "11111111-1111-4111-8111-111111111111";
const RUNTIME: &str = "/runtimes/11111111-1111-4111-8111-111111111111";
const STRANGER: Option<&str> = Some("192.0.2.7:1234");
const NEIGHBOUR: Option<&str> = Some("127.0.0.1:1234");
const CONTROL_SOCKET: Option<&str> = None;

struct Bench {
    _dir: tempfile::TempDir,
    router: Router,
    user: LocalUser,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }
}

impl Bench {
    async fn new() -> Bench {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).await.unwrap().registry().clone();
        let user = store.local_user().await.unwrap();
        Bench { _dir: dir, router: router(RegistryState { store }), user }
    }

    fn token(&self) -> Option<&str> {
        Some(self.user.token.expose())
    }

    fn record(&self) -> Value {
        json!({"id": ID, "user": self.user.id, "address": "ws://localhost:3569/x", "protocol": "websocket",
            "type": "microflo", "label": "Blinky", "secret": "hush", "seenHoursAgo": 3})
    }

    async fn call(&self, peer: Option<&str>, method: &str, path: &str, token: Option<&str>, body: String) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let mut request = request.body(Body::from(body)).unwrap();
        if let Some(peer) = peer {
            let remote = peer.parse().unwrap();
            request.extensions_mut().insert(Peer::Tcp { local: "127.0.0.1:3569".parse().unwrap(), remote });
        } else {
            request.extensions_mut().insert(Peer::Control);
        }
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8(text.to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, text }
    }

    async fn put(&self, peer: Option<&str>, token: Option<&str>, record: Value) -> Answer {
        self.call(peer, "PUT", RUNTIME, token, record.to_string()).await
    }

    async fn get(&self, path: &str, token: Option<&str>) -> Answer {
        self.call(STRANGER, "GET", path, token, String::new()).await
    }
}

#[tokio::test]
async fn a_runtime_is_registered_listed_pinged_updated_and_deleted() {
    let bench = Bench::new().await;
    assert_eq!(bench.put(NEIGHBOUR, None, bench.record()).await.status, 201);
    for path in ["/runtimes", "/runtimes/"] {
        let list = bench.get(path, bench.token()).await.json();
        assert_eq!(list.as_array().unwrap().len(), 1, "{path}");
        assert_eq!(list[0]["id"], ID);
        assert_eq!(list[0]["secret"], "hush", "the owner opens it with this");
        assert_eq!(list[0]["seenHoursAgo"], 3);
    }
    let first = bench.get(RUNTIME, bench.token()).await.json();
    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    assert_eq!(bench.call(STRANGER, "POST", RUNTIME, None, "{}".into()).await.status, 200);
    let pinged = bench.get(RUNTIME, bench.token()).await.json();
    assert_eq!(pinged["registered"], first["registered"]);
    assert!(pinged["seen"].as_str() > first["seen"].as_str());

    let update = bench.put(STRANGER, None, json!({"secret": "hush", "label": "Lamp"})).await;
    assert_eq!((update.status, &update.json()["label"]), (StatusCode::OK, &json!("Lamp")));
    assert_eq!(update.json()["address"], "ws://localhost:3569/x");

    assert_eq!(bench.call(STRANGER, "DELETE", RUNTIME, bench.token(), String::new()).await.status, 204);
    assert_eq!(bench.call(STRANGER, "DELETE", RUNTIME, bench.token(), String::new()).await.status, 404);
    assert_eq!(bench.call(STRANGER, "POST", RUNTIME, None, String::new()).await.status, 404);
    assert_eq!(bench.get("/runtimes/", bench.token()).await.json(), json!([]));
}

#[tokio::test]
async fn anonymous_programs_register_only_from_this_machine() {
    for (peer, status) in [
        (NEIGHBOUR, 201),
        (Some("[::1]:1"), 201),
        (Some("[::ffff:127.0.0.1]:1"), 201),
        (CONTROL_SOCKET, 201),
        (STRANGER, 401),
        (Some("[2001:db8::1]:1"), 401),
    ] {
        let bench = Bench::new().await;
        let answer = bench.put(peer, None, bench.record()).await;
        assert_eq!(answer.status, status, "{peer:?}: {}", answer.text);
    }
    let bench = Bench::new().await;
    assert_eq!(bench.put(STRANGER, bench.token(), bench.record()).await.status, 201);
}

#[tokio::test]
async fn an_update_needs_the_secret_or_the_owners_token() {
    let bench = Bench::new().await;
    bench.put(NEIGHBOUR, None, bench.record()).await;
    let mut other = bench.record();
    other["secret"] = json!("loud");
    let refused = bench.put(NEIGHBOUR, None, other.clone()).await;
    assert_eq!(refused.status, 403);
    assert!(refused.json()["message"].as_str().unwrap().contains("another secret"));
    assert_eq!(bench.put(STRANGER, bench.token(), other).await.status, 200);
    assert_eq!(bench.get(RUNTIME, bench.token()).await.json()["secret"], "loud");
}

#[tokio::test]
async fn everything_but_put_and_ping_needs_a_token() {
    let bench = Bench::new().await;
    bench.put(NEIGHBOUR, None, bench.record()).await;
    for (method, path) in [("GET", "/runtimes"), ("GET", RUNTIME), ("DELETE", RUNTIME), ("GET", "/user")] {
        for token in [None, Some("wrong"), Some("")] {
            let answer = bench.call(CONTROL_SOCKET, method, path, token, String::new()).await;
            assert_eq!(answer.status, 401, "{method} {path} {token:?}");
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
            assert!(answer.json()["message"].is_string());
        }
    }
    assert_eq!(bench.put(NEIGHBOUR, Some("wrong"), bench.record()).await.status, 401);
}

#[tokio::test]
async fn user_has_the_shape_that_noflo_ui_keeps() {
    let bench = Bench::new().await;
    let user = bench.get("/user", bench.token()).await.json();
    assert_eq!(user["id"], json!(bench.user.id));
    assert_eq!(user["name"], "local");
    assert!(user["plan"]["type"].is_string() && user["github"]["username"].is_string() && user["avatar"].is_string());
}

#[tokio::test]
async fn no_answer_is_kept_by_browsers() {
    let bench = Bench::new().await;
    for path in [RUNTIME, "/runtimes", "/runtimes/", "/user"] {
        assert_eq!(bench.get(path, None).await.headers["cache-control"], "no-store");
    }
}

#[tokio::test]
async fn bad_requests_are_answered_in_json() {
    let bench = Bench::new().await;
    let large = format!("{{\"x\": \"{}\"}}", "x".repeat(RECORD_LIMIT_BYTES));
    for (method, path, body, status) in [
        ("PUT", RUNTIME, "{\"secret\": hush}", 400),
        ("PUT", RUNTIME, "[]", 400),
        ("PUT", RUNTIME, "", 400),
        ("PUT", RUNTIME, large.as_str(), 413),
        ("PUT", "/runtimes/blinky", "{}", 400),
        ("GET", "/runtimes/blinky", "", 404),
        ("PATCH", RUNTIME, "", 405),
        ("DELETE", "/runtimes", "", 405),
    ] {
        let answer = bench.call(NEIGHBOUR, method, path, bench.token(), body.to_owned()).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text);
        assert!(answer.json()["message"].as_str().is_some_and(|text| !text.contains("hush")), "{}", answer.text);
    }
}

/// The registry on a real socket, and the bridge's own client for it.
async fn served(with_token: bool) -> (Bench, RegistryClient) {
    let bench = Bench::new().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let peer = Peer::Tcp { local: listener.local_addr().unwrap(), remote: ([127, 0, 0, 1], 1).into() };
    let service = bench.router.clone().layer(axum::Extension(peer));
    tokio::spawn(async move { axum::serve(listener, service).await });
    let token = with_token.then(|| bench.user.token.clone());
    let client = RegistryClient::new(&url, token, Limits::default()).unwrap();
    (bench, client)
}

fn own_record(bench: &Bench) -> Record {
    let id = Uuid::parse_str(ID).unwrap();
    Record::create(id, Patch::parse(id, bench.record()).unwrap(), None).unwrap()
}

#[tokio::test]
async fn a_runtime_lives_and_dies_by_our_own_client() {
    let (bench, client) = served(true).await;
    let record = own_record(&bench);
    assert!(matches!(client.ping(record.id).await, Err(CallError::NotFound { .. })));
    client.put(&record).await.unwrap();
    client.put(&record).await.unwrap();
    client.ping(record.id).await.unwrap();
    client.delete(record.id).await.unwrap();
    assert!(matches!(client.delete(record.id).await, Err(CallError::NotFound { .. })));
}

#[tokio::test]
async fn without_a_token_registering_works_and_deleting_does_not() {
    let (bench, client) = served(false).await;
    let record = own_record(&bench);
    client.put(&record).await.unwrap();
    let error = client.delete(record.id).await.unwrap_err();
    assert!(error.to_string().contains("wants a token; configure one for it"), "{error}");
    let other = Record { secret: Some(Secret::new("another")), ..record };
    assert!(matches!(client.put(&other).await, Err(CallError::Forbidden { .. })));
}
