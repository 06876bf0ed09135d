//! Over real sockets where the peer matters, else straight into the router.

use axum::body::Body;
use axum::http::{HeaderMap, Request};
use tower::ServiceExt;

use super::*;
use crate::http::Peer;
use crate::io::registry_client::{CallError, Limits, RegistryClient};
use crate::io::store::{LocalUser, Store};
use crate::pure::rate::Rate;
use crate::pure::registry::Presence;
use crate::pure::registry::Record;
use crate::pure::secret::Secret;

const ID: &str = "11111111-1111-4111-8111-111111111111";
const RUNTIME: &str = "/runtimes/11111111-1111-4111-8111-111111111111";
const EVENTS: (&str, &str) = ("GET", "/runtimes/events");
const STRANGER: Option<&str> = Some("192.0.2.7:1234");
const NEIGHBOUR: Option<&str> = Some("127.0.0.1:1234");
const CONTROL_SOCKET: Option<&str> = None;

struct Bench {
    _dir: tempfile::TempDir,
    router: Router,
    user: LocalUser,
    state: RegistryState,
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
        let state = RegistryState::new(store.clone(), "https://ide.example/".to_owned(), Lifecycle::new());
        Bench { _dir: dir, router: router(state.clone()), user, state }
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
    for (method, path) in [("GET", "/runtimes"), ("GET", RUNTIME), ("DELETE", RUNTIME), ("GET", "/user"), EVENTS] {
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
    assert_eq!(user["github"]["token"].as_str(), bench.token(), "the UI uses it for its next calls");
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

#[tokio::test]
async fn the_list_can_be_of_one_type_and_shows_who_is_online() {
    let bench = Bench::new().await;
    bench.put(NEIGHBOUR, None, bench.record()).await;
    let listed = bench.get("/runtimes?type=microflo", bench.token()).await.json();
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["online"]), (1, &json!(true)));
    assert_eq!(bench.get("/runtimes/?type=noflo-nodejs", bench.token()).await.json(), json!([]));
    let store = bench.state.store.clone().with_presence(Presence::new(std::time::Duration::ZERO));
    let bench = Bench { router: router(RegistryState { store, ..bench.state.clone() }), ..bench };
    assert_eq!(bench.get(RUNTIME, bench.token()).await.json()["online"], false);
}

#[tokio::test]
async fn each_user_sees_and_changes_the_own_runtimes_only() {
    let bench = Bench::new().await;
    let (ann, token) = bench.state.store.add_user("ann").await.unwrap();
    let theirs = Some(token.expose());
    bench.put(NEIGHBOUR, None, bench.record()).await;
    assert_eq!(bench.get("/runtimes", theirs).await.json(), json!([]));
    for method in ["GET", "DELETE"] {
        assert_eq!(bench.call(STRANGER, method, RUNTIME, theirs, String::new()).await.status, 403, "{method}");
    }
    let mut taken = bench.record();
    taken["user"] = json!(ann.id);
    taken["secret"] = json!("loud");
    assert_eq!(bench.put(STRANGER, theirs, taken).await.status, 403);
    assert_eq!(bench.get("/user", theirs).await.json()["name"], "ann");
}

#[tokio::test]
async fn with_open_registration_strangers_register_for_users_that_there_are() {
    let bench = Bench::new().await;
    let bench = Bench { router: router(RegistryState { open: true, ..bench.state.clone() }), ..bench };
    let mut nobody = bench.record();
    nobody["user"] = json!(ID);
    let refused = bench.put(STRANGER, None, nobody).await;
    assert_eq!((refused.status, refused.text.contains("user list")), (StatusCode::FORBIDDEN, true));
    assert_eq!(bench.put(STRANGER, None, bench.record()).await.status, 201);
    assert_eq!(bench.get("/runtimes", None).await.status, 401);
}

#[tokio::test]
async fn who_calls_too_often_is_told_when_to_come_again() {
    let bench = Bench::new().await;
    let limits = Arc::new(limits::Limits::new(Rate { burst: 3, per_second: 1 }, Rate { burst: 2, per_second: 1 }));
    let bench = Bench { router: router(RegistryState { limits, ..bench.state.clone() }), ..bench };
    for _ in 0..2 {
        assert_eq!(bench.get("/runtimes", bench.token()).await.status, 200);
    }
    for by in ["the user", "the address"] {
        let refused = bench.get("/runtimes", bench.token()).await;
        assert_eq!(refused.status, 429, "{by}");
        assert_eq!(refused.headers["retry-after"], "1");
        assert!(refused.json()["message"].as_str().unwrap().contains("try again in 1 s"));
    }
    for _ in 0..10 {
        let local = bench.call(NEIGHBOUR, "GET", "/runtimes", bench.token(), String::new()).await;
        assert_eq!(local.status, 200, "this machine's own programs are not counted");
    }
}

#[tokio::test]
async fn a_users_runtimes_are_limited() {
    let bench = Bench::new().await;
    let store = &bench.state.store;
    // As many as there may be, put into the table at once.
    store.fill(bench.user.id, crate::pure::registry::RECORDS_PER_USER).await;
    let refused = bench.put(NEIGHBOUR, None, bench.record()).await;
    assert_eq!(refused.status, 403);
    assert!(refused.text.contains("delete some"), "{}", refused.text);
}

async fn next_event(body: &mut axum::body::BodyDataStream) -> String {
    use futures_util::StreamExt;
    let piece = tokio::time::timeout(std::time::Duration::from_secs(5), body.next()).await.expect("an event");
    String::from_utf8(piece.expect("no end").unwrap().to_vec()).unwrap()
}

async fn watch(bench: &Bench, token: Option<&str>, path: &str) -> axum::body::BodyDataStream {
    let authorization = format!("Bearer {}", token.unwrap());
    let request = Request::builder().uri(path).header("authorization", authorization);
    let mut request = request.body(Body::empty()).unwrap();
    request.extensions_mut().insert(Peer::Control);
    let response = bench.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.into_body().into_data_stream();
    assert!(next_event(&mut body).await.contains(": watching"));
    body
}

#[tokio::test]
async fn a_watcher_is_told_of_the_own_runtimes() {
    let bench = Bench::new().await;
    let (_, token) = bench.state.store.add_user("ann").await.unwrap();
    let mut events = watch(&bench, bench.token(), "/runtimes/events").await;
    let mut others = watch(&bench, Some(token.expose()), "/runtimes/events").await;
    let mut filtered = watch(&bench, bench.token(), "/runtimes/events?type=noflo").await;
    bench.put(NEIGHBOUR, None, bench.record()).await;
    let put = next_event(&mut events).await;
    assert!(put.starts_with("event: put\ndata: {") && put.contains("\"online\":true"), "{put}");
    bench.call(STRANGER, "DELETE", RUNTIME, bench.token(), String::new()).await;
    let gone = next_event(&mut events).await;
    assert_eq!(gone, format!("event: delete\ndata: {{\"id\":\"{ID}\"}}\n\n"));
    assert!(next_event(&mut filtered).await.starts_with("event: delete"), "the put of another type is left out");
    bench.state.lifecycle.stop();
    use futures_util::StreamExt;
    assert!(others.next().await.is_none(), "another user's are not told");
}

#[tokio::test]
async fn a_new_token_ends_what_the_old_one_watches() {
    let bench = Bench::new().await;
    bench.state.store.add_user("ann").await.unwrap();
    let (_, old) = bench.state.store.rotate_user("ann").await.unwrap();
    let mut events = watch(&bench, Some(old.expose()), "/runtimes/events").await;
    bench.state.store.rotate_user("ann").await.unwrap();
    use futures_util::StreamExt;
    assert!(events.next().await.is_none());
    assert_eq!(bench.get("/runtimes", Some(old.expose())).await.status, 401);
}

#[tokio::test]
async fn the_page_is_in_the_program_and_holds_nothing_of_others() {
    let bench = Bench::new().await;
    for (path, kind) in [
        ("/registry", "text/html; charset=utf-8"),
        ("/registry/page.js", "text/javascript; charset=utf-8"),
        ("/registry/page.css", "text/css; charset=utf-8"),
        ("/registry/settings.json", "application/json"),
    ] {
        let answer = bench.get(path, None).await;
        assert_eq!((answer.status, answer.headers["content-type"].to_str().unwrap()), (StatusCode::OK, kind));
        assert!(!answer.text.contains("innerHTML") && !answer.text.contains("http://"), "{path}");
        assert!(!answer.text.contains(bench.user.token.expose()));
    }
}
