//! `registry serve` on SQLite, from outside.

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::registry_support::{Events, Registry, id, record};
use crate::support::{Bridge, PROGRAM};
use crate::web::curl;

const IDE: &str = "https://app.flowhub.io";

fn start(dir: &tempfile::TempDir, args: &[&str]) -> Registry {
    Registry::start(&dir.path().join("state"), None, args)
}

#[test]
fn an_ide_asks_before_each_kind_of_call_and_is_let_in() {
    let dir = tempfile::tempdir().unwrap();
    let registry = start(&dir, &[]);
    for (path, method) in [("/runtimes/", "GET"), ("/runtimes", "GET"), ("/user", "GET"), ("/runtimes/events", "GET")]
        .into_iter()
        .map(|(path, method)| (path.to_owned(), method))
        .chain(["GET", "PUT", "POST", "DELETE"].map(|method| (format!("/runtimes/{}", id(1)), method)))
    {
        let url = format!("{}{path}", registry.base);
        let method = format!("Access-Control-Request-Method: {method}");
        let asked = "Access-Control-Request-Headers: authorization,content-type";
        let origin = format!("Origin: {IDE}");
        let (status, head) = curl(&["-X", "OPTIONS", "-i", "-H", &origin, "-H", &method, "-H", asked, &url]);
        let head = head.to_ascii_lowercase();
        assert_eq!(status, 204, "{path} {method}");
        for wanted in [&format!("access-control-allow-origin: {IDE}"), "delete", "authorization, content-type"] {
            assert!(head.contains(wanted), "{path} {method}: {head}");
        }
        let (status, _) = curl(&["-X", "OPTIONS", "-H", "Origin: https://evil.example", "-H", &method, &url]);
        assert_eq!(status, 403);
    }
}

#[test]
fn every_refusal_says_in_json_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let registry = start(&dir, &[]);
    let user = registry.local_user();
    registry.put(&id(1), &user, "one");
    let one = format!("/runtimes/{}", id(1));
    let mut stranger = record(&id(1), &user, "x");
    stranger["secret"] = json!("another");
    let wrong = stranger.to_string();
    for (method, path, token, body, wanted, word) in [
        ("GET", "/runtimes", None, "", 401, "Bearer"),
        ("GET", "/runtimes", Some("wrong"), "", 401, "registry user"),
        ("GET", "/runtimes/events", None, "", 401, "Bearer"),
        ("GET", "/user", None, "", 401, "Bearer"),
        ("DELETE", &one, None, "", 401, "Bearer"),
        ("PUT", &one, None, &wrong, 403, "owner's token"),
        ("PUT", &one, None, "{", 400, "line 1"),
        ("PUT", &one, None, "[]", 400, "send the runtime's keys"),
        ("PUT", "/runtimes/one", None, "{}", 400, "UUID"),
        ("GET", "/runtimes/one", Some(&user.token), "", 404, "register it"),
        ("POST", &format!("/runtimes/{}", id(2)), None, "", 404, "register it"),
        ("PATCH", &one, None, "", 405, "PUT"),
        ("GET", "/nothing", None, "", 404, "/runtimes"),
    ] {
        let (status, head, body) = registry.ask(method, path, token, body);
        let message: Value = serde_json::from_str(&body).unwrap_or_else(|_| panic!("{method} {path}: {body}"));
        let message = message["message"].as_str().unwrap_or_else(|| panic!("{method} {path}: {body}"));
        println!("{method} {path} -> {status} {message}");
        assert_eq!(status, wanted, "{method} {path}: {message}");
        assert!(message.contains(word), "{method} {path}: {message}");
        assert!(head.contains("content-security-policy: default-src 'self'"), "{head}");
    }
}

#[test]
fn a_runtime_that_does_not_ping_goes_offline_and_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let registry = start(&dir, &["--offline-after", "1"]);
    let user = registry.local_user();
    let events = Events::follow(&registry, &user);
    registry.put(&id(1), &user, "one");
    let path = format!("/runtimes/{}", id(1));
    for (kind, online) in [("put", true), ("offline", false)] {
        let event = events.next();
        assert_eq!((event.kind.as_str(), &event.data["online"]), (kind, &json!(online)));
    }
    assert_eq!(registry.ask_json("GET", &path, Some(&user.token), &Value::Null).1["online"], false);
    assert_eq!(registry.ask("POST", &path, None, "").0, 200);
    let event = events.next();
    assert_eq!((event.kind.as_str(), &event.data["online"]), ("online", &json!(true)));
    assert_eq!(registry.ask("POST", &path, None, "{}").0, 200);
    assert!(!events.comes_within(Duration::from_millis(300)), "a ping that changes nothing is no news");
}

#[test]
fn users_are_made_while_the_registry_runs() {
    let dir = tempfile::tempdir().unwrap();
    let registry = start(&dir, &[]);
    let local = registry.local_user();
    let ann = registry.add_user("ann");
    assert_eq!(registry.ids(&ann), Vec::<String>::new());
    registry.put(&id(1), &ann, "one");
    registry.put(&id(2), &local, "two");
    assert_eq!((registry.ids(&ann), registry.ids(&local)), (vec![id(1)], vec![id(2)]), "each sees the own");
    let users = registry.json(&["user", "list"]);
    assert_eq!((&users[0]["name"], &users[0]["runtimes"]), (&json!("ann"), &json!(1)));
    let shown = registry.json(&["user", "show", "ann"]).to_string() + &users.to_string();
    assert!(!shown.contains(&ann.token), "shown once");
    let all = registry.json(&["list"]);
    assert_eq!(all.as_array().unwrap().len(), 2);
    assert!(!all.to_string().contains("secret"), "{all}");
    assert_eq!(registry.json(&["list", "--user", "ann"]).as_array().unwrap().len(), 1);

    let again = registry.json(&["user", "rotate", "ann"]);
    assert_eq!(registry.ask("GET", "/user", Some(&ann.token), "").0, 401);
    assert_eq!(registry.ask("GET", "/user", again["token"].as_str(), "").0, 200);
    registry.json(&["user", "rotate", "local"]);
    let rotated = registry.local_user();
    assert_ne!(rotated.token, local.token);
    assert_eq!((registry.ids(&rotated), registry.ask("GET", "/user", Some(&local.token), "").0), (vec![id(2)], 401));
    registry.json(&["user", "remove", "ann"]);
    assert_eq!(registry.ask("GET", "/user", again["token"].as_str(), "").0, 401);
    for (args, word) in [
        (["user", "add", "local"], "already"),
        (["user", "show", "ann"], "user list"),
        (["user", "remove", "local"], "rotate"),
        (["user", "add", " "], "1 to 64"),
    ] {
        let output = registry.command(&args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        print!("{args:?}: {said}");
        assert!(!output.status.success() && said.contains(word), "{args:?}: {said}");
    }
    let log = registry.log();
    for secret in [&local.token, &rotated.token, &ann.token, &format!("secret-of-{}", id(1))] {
        assert!(!log.contains(secret.as_str()), "a secret in the log");
    }
}

#[test]
fn a_command_makes_no_registry_by_mistake() {
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new(PROGRAM)
        .args(["registry", "user", "add", "ann", "--state-dir"])
        .arg(dir.path().join("nothing"))
        .env_remove("MICROFLO_BRIDGE_DATABASE")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("there is no registry in"), "{said}");
    assert!(!dir.path().join("nothing").exists());
}

/// A certificate for localhost, and its key.
fn certificate(dir: &tempfile::TempDir) -> (String, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let file = |name: &str, text: String| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    (file("cert.pem", made.cert.pem()), file("key.pem", made.signing_key.serialize_pem()))
}

#[test]
fn a_registry_speaks_tls_with_its_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let (cert, key) = certificate(&dir);
    let registry = start(&dir, &["--tls-cert", &cert, "--tls-key", &key]);
    let user = registry.local_user();
    let port = registry.base.strip_prefix("https://127.0.0.1:").expect("https").to_owned();
    let token = format!("Authorization: Bearer {}", user.token);
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("https://{host}:{port}");
        assert_eq!(curl(&["--cacert", &cert, &format!("{url}/healthz")]).0, 200);
        assert_eq!(curl(&["--cacert", &cert, "-H", &token, &format!("{url}/runtimes")]), (200, "[]".to_owned()));
        let own = format!("Origin: https://{host}:{port}");
        assert_eq!(curl(&["--cacert", &cert, "-H", &own, &format!("{url}/healthz")]).0, 200);
        let plain = format!("Origin: http://{host}:{port}");
        assert_eq!(curl(&["--cacert", &cert, "-H", &plain, &format!("{url}/healthz")]).0, 403);
    }
    let plain =
        Command::new("curl").args(["--silent", "--max-time", "5", &format!("http://127.0.0.1:{port}/")]).output();
    assert!(!plain.unwrap().status.success(), "nothing is answered unencrypted");
    let unknown =
        Command::new("curl").args(["--silent", "--max-time", "5", &format!("https://127.0.0.1:{port}/")]).output();
    assert!(!unknown.unwrap().status.success(), "curl does not know who signed it");
}

#[test]
fn a_bridge_with_a_certificate_has_boards_at_wss() {
    let dir = tempfile::tempdir().unwrap();
    let (cert, key) = certificate(&dir);
    let bridge = Bridge::start(&dir.path().join("state"), &["--simulate", "1", "--tls-cert", &cert, "--tls-key", &key]);
    let board = bridge.board_in_state("ready");
    let (url, live) = (board["url"].as_str().unwrap(), board["liveUrl"].as_str().unwrap());
    assert!(url.starts_with("wss://127.0.0.1:") && live.contains("wss%3A%2F%2F127.0.0.1"), "{url} {live}");
    let base = bridge.http();
    assert!(base.starts_with("https://"), "{base}");
    assert_eq!(curl(&["--cacert", &cert, &format!("{base}/api/boards")]).0, 200);
    assert_eq!(curl(&["--cacert", &cert, &format!("{base}/registry")]).0, 200);
}

#[test]
fn what_is_wrong_with_the_options_is_told_before_anything_starts() {
    let dir = tempfile::tempdir().unwrap();
    let (cert, key) = certificate(&dir);
    for (args, word) in [
        (vec!["--tls-cert", &cert], "go together"),
        (vec!["--tls-cert", &key, "--tls-key", &cert], "holds no certificate"),
        (vec!["--tls-cert", "/nowhere", "--tls-key", &key], "/nowhere"),
        (vec!["--database", "mysql://me:hush@host/db"], "postgres://"),
        (vec!["--database", "postgres://me:hush@host/db?sslmod=require"], "`sslmod`"),
    ] {
        let output = Command::new(PROGRAM)
            .args(["registry", "serve", "--listen", "127.0.0.1:0", "--state-dir"])
            .arg(dir.path().join("state"))
            .args(&args)
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        print!("{said}");
        assert!(!output.status.success() && said.contains(word) && !said.contains("hush"), "{args:?}: {said}");
    }
}

#[test]
fn the_page_is_at_the_root_and_its_parts_are_served_here() {
    let dir = tempfile::tempdir().unwrap();
    let registry = start(&dir, &["--ide", "https://ide.example"]);
    let (status, head, page) = registry.ask("GET", "/", None, "");
    assert_eq!(status, 200);
    assert!(head.contains("content-security-policy: default-src 'self'; frame-ancestors 'none'"), "{head}");
    for part in ["registry/page.js", "registry/page.css"] {
        assert!(page.contains(&format!("\"{part}\"")), "{part} is named by the page");
        assert_eq!(registry.ask("GET", &format!("/{part}"), None, "").0, 200);
    }
    assert!(!page.contains("<style") && !page.contains("onclick") && !page.contains("//"), "nothing inline, no CDN");
    let (_, _, settings) = registry.ask("GET", "/registry/settings.json", None, "");
    assert_eq!(settings, r#"{"ide":"https://ide.example/"}"#);
}
