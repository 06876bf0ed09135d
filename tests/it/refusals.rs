//! What the web may not do, shown with curl.

use serde_json::{Value, json};

use crate::machine::id;
use crate::support::{Bridge, secret};
use crate::web::{Fbp, Raw, boards, curl};

fn bridge(dir: &tempfile::TempDir) -> (Bridge, String, Value) {
    let bridge = Bridge::start(&dir.path().join("state"), &["--simulate", "1"]);
    bridge.wait("the board is registered", |bridge| {
        bridge.boards().iter().any(|board| board["registries"][0]["registered"] == true)
    });
    let board = bridge.board_in_state("ready");
    let base = bridge.http();
    (bridge, base, board)
}

/// Every kind of route: path, and whether it is asked for as a WebSocket.
fn routes(board: &str) -> Vec<(String, bool)> {
    let mut routes = vec![("/".to_owned(), true), (format!("/{board}"), true), (format!("/{board}/raw"), true)];
    let plain = ["/", "/api/boards", "/runtimes", "/runtimes/", "/user", "/healthz", "/no/such/page"];
    routes.extend(plain.map(|path| (path.to_owned(), false)));
    routes.extend([format!("/api/boards/{board}"), format!("/runtimes/{board}")].map(|path| (path, false)));
    routes
}

const UPGRADE: [&str; 8] = [
    "-H",
    "Connection: Upgrade",
    "-H",
    "Upgrade: websocket",
    "-H",
    "Sec-WebSocket-Version: 13",
    "-H",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

fn ask(base: &str, path: &str, upgrade: bool, headers: &[&str]) -> (u16, String) {
    let url = format!("{base}{path}");
    let mut args: Vec<&str> = headers.iter().flat_map(|header| ["-H", header]).collect();
    if upgrade {
        args.extend(UPGRADE);
    }
    args.push(&url);
    curl(&args)
}

#[test]
fn other_sites_are_refused_on_every_route() {
    let dir = tempfile::tempdir().unwrap();
    let (_bridge, base, board) = bridge(&dir);
    for (path, upgrade) in routes(id(&board)) {
        for origin in ["https://evil.example", "null", "http://127.0.0.1:1", "http://localhost.evil.example"] {
            let (status, body) = ask(&base, &path, upgrade, &[&format!("Origin: {origin}")]);
            assert_eq!(status, 403, "{path} for {origin}: {body}");
            assert!(body.contains("may not use this bridge") && body.contains("--ide"), "{body}");
        }
        let (status, body) = ask(&base, &path, upgrade, &["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors"]);
        assert_eq!(status, 403, "{path}: {body}");
    }
    let preflight = ["-X", "OPTIONS", "-H", "Origin: https://evil.example", "-H", "Access-Control-Request-Method: PUT"];
    let url = format!("{base}/runtimes/{}", id(&board));
    assert_eq!(curl(&[&preflight[..], &[&url]].concat()).0, 403);
}

#[test]
fn rebinding_hosts_are_refused_on_every_route() {
    let dir = tempfile::tempdir().unwrap();
    let (_bridge, base, board) = bridge(&dir);
    let port = base.rsplit_once(':').unwrap().1;
    for (path, upgrade) in routes(id(&board)) {
        for host in
            [&format!("evil.example:{port}"), "localhost:1", "169.254.169.254", &format!("127.0.0.1.nip.io:{port}")]
        {
            let (status, body) = ask(&base, &path, upgrade, &[&format!("Host: {host}")]);
            assert_eq!(status, 403, "{path} at {host}: {body}");
            assert!(body.contains("is not this bridge") && body.contains("--public-url"), "{body}");
        }
        let (status, _) = ask(&base, &path, upgrade, &["Host:"]);
        assert!(status == 403 || status == 400, "{path} without a Host: {status}");
    }
}

#[test]
fn without_a_token_nothing_is_changed_and_no_secret_shown() {
    let dir = tempfile::tempdir().unwrap();
    let (bridge, base, board) = bridge(&dir);
    let (id, secret) = (id(&board), secret(&board));
    for path in ["/", "/api/boards", &format!("/api/boards/{id}"), "/healthz"] {
        let (status, body) = ask(&base, path, false, &[]);
        assert_eq!(status, 200, "{path}");
        assert!(!body.contains(&secret) && !body.contains("liveUrl"), "{path}: {body}");
    }
    for path in ["/runtimes", "/runtimes/", &format!("/runtimes/{id}"), "/user"] {
        for headers in [&[][..], &["Authorization: Bearer wrong"]] {
            assert_eq!(ask(&base, path, false, headers).0, 401, "{path} {headers:?}");
        }
    }
    assert_eq!(ask(&base, "/api/registry/user", false, &[]).0, 403);
    assert_eq!(ask(&base, "/no/such/page", false, &[]).0, 404);
    assert_eq!(ask(&base, "/api/boards", false, &["Authorization: Bearer wrong"]).0, 401);
    let json = ["-H", "Content-Type: application/json"];
    let changes = [("label", r#"{"label":"x"}"#), ("allow", "{}"), ("ignore", "{}")];
    for (change, body) in changes {
        let url = format!("{base}/api/boards/{id}/{change}");
        assert_eq!(curl(&[&json[..], &["-d", body, &url]].concat()).0, 401, "{change}");
    }
    let url = format!("{base}/runtimes/{id}");
    let taken_over = json!({ "type": "microflo", "protocol": "websocket", "address": "ws://evil.example/", "id": id,
        "user": id, "secret": "guessed" });
    let body = taken_over.to_string();
    assert_eq!(curl(&[&json[..], &["-X", "PUT", "-d", &body, &url]].concat()).0, 403, "another secret");
    assert_eq!(curl(&["-X", "DELETE", &url]).0, 401);
    assert_eq!(bridge.board_in_state("ready"), board, "nothing has changed");
}

#[test]
fn the_raw_socket_needs_the_secret_before_the_upgrade() {
    let dir = tempfile::tempdir().unwrap();
    let (_bridge, base, board) = bridge(&dir);
    let path = format!("/{}/raw", id(&board));
    let right = secret(&board);
    for headers in [
        &[][..],
        &["Authorization: Bearer wrong"],
        &["Authorization: Bearer"],
        &["Sec-WebSocket-Protocol: secret.wrong"],
        &["Sec-WebSocket-Protocol: secret."],
    ] {
        let (status, body) = ask(&base, &path, true, headers);
        assert_eq!(status, 401, "{headers:?}");
        assert!(body.contains("secret") && !body.contains(&right), "{body}");
    }
    assert_eq!(ask(&base, &format!("{path}?secret={right}"), true, &[]).0, 401, "never in the query");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_fbp_client_without_the_secret_may_only_ask_who_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let (bridge, base, board) = bridge(&dir);
    for secret in ["", "wrong"] {
        let mut client = Fbp::connect(board["url"].as_str().unwrap(), secret).await.unwrap();
        let runtime = client.ask("runtime", "getruntime", json!({})).await;
        assert_eq!((&runtime["command"], &runtime["payload"]["id"]), (&json!("runtime"), &board["id"]));
        assert_eq!(runtime["payload"]["capabilities"], json!([]));
        for (protocol, command) in [("graph", "clear"), ("component", "list"), ("network", "start"), ("trace", "start")]
        {
            let answer = client.ask(protocol, command, json!({ "id": "x", "graph": "main" })).await;
            println!("{protocol}:{command} -> {}", answer["payload"]["message"]);
            assert_eq!(answer["command"], "error");
        }
    }
    let dialect = firmware_proto::Dialect::Flo01;
    let refused = Raw::connect(board["rawUrl"].as_str().unwrap(), "wrong", dialect).await.err().unwrap();
    assert_eq!(refused.0, 401);
    bridge.wait("all have left", |_| boards(&base)[0]["clients"] == 0);
}
