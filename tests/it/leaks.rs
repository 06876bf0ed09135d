//! Secrets and tokens are looked for wherever they must not be: in logs that tell everything, on pages, in answers and errors
//! to those who have none.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::machine::{id, text};
use crate::registry_support::{Events, Registry, ask, record};
use crate::support::{Bridge, PROGRAM, read_secret, secret};
use crate::web::{Fbp, Raw, curl};

/// Everything that any part of the program would ever log.
const TALKATIVE: (&str, &str) = ("MICROFLO_BRIDGE_LOG", "trace");
/// The secret of a board that has one in the configuration.
const CONFIGURED: &str = "configured-secret-of-board-0001";

/// A bridge that registers its boards at another registry, both of which log everything.
struct World {
    registry: Registry,
    bridge: Bridge,
    boards: Vec<Value>,
    /// What nobody may see, and what it is.
    secrets: Vec<(String, String)>,
}

impl World {
    fn start(dir: &Path) -> World {
        let mut command = Command::new(PROGRAM);
        command.env(TALKATIVE.0, TALKATIVE.1);
        let registry = Registry::start_command(&dir.join("registry"), None, command, &["--listen", "127.0.0.1:0"]);
        let ann = registry.add_user("ann");
        let config = dir.join("bridge.toml");
        let known =
            format!("[[registry]]\nurl = \"{}\"\ntoken = \"{}\"\nuser = \"{}\"\n", registry.base, ann.token, ann.id);
        // A simulated board's id follows from the machine's.
        std::fs::write(dir.join("machine-id"), "5ca1ab1e0ddba11c0ffee00000000002\n").unwrap();
        std::fs::write(&config, &known).unwrap();
        let mut command = Command::new(PROGRAM);
        command.args(["--simulate", "2", "--config"]).arg(&config).arg("--machine-id").arg(dir.join("machine-id"));
        command.env(TALKATIVE.0, TALKATIVE.1);
        let bridge = Bridge::start_command(&dir.join("bridge"), command);
        let is_there = |bridge: &Bridge| {
            let everywhere = |board: &Value| {
                let registries = board["registries"].as_array().unwrap();
                registries.len() == 2 && registries.iter().all(|at| at["registered"] == true)
            };
            bridge.boards().len() == 2 && bridge.boards().iter().all(everywhere)
        };
        bridge.wait("all are registered everywhere", is_there);
        let first = id(&bridge.boards()[0]).to_owned();
        let made = secret(&bridge.boards()[0]);
        std::fs::write(
            &config,
            format!("{known}[[board]]\nmatch = {{ id = \"{first}\" }}\nsecret = \"{CONFIGURED}\"\n"),
        )
        .unwrap();
        assert!(Command::new("kill").args(["-HUP", &bridge.pid().to_string()]).status().unwrap().success());
        bridge.wait("the configured secret holds", |bridge| secret(&bridge.boards()[0]) == CONFIGURED);
        bridge.wait("and is registered", is_there);

        let boards = bridge.boards();
        let mut secrets = vec![
            ("ann's token".to_owned(), ann.token),
            ("the registry's local token".to_owned(), registry.local_user().token),
            (
                "the bridge's local token".to_owned(),
                text(&bridge.json(&["registry", "user", "show", "--json"]), "token").to_owned(),
            ),
            ("the secret that was made at first".to_owned(), made),
            ("the secret of the configuration".to_owned(), CONFIGURED.to_owned()),
        ];
        for board in &boards {
            secrets.push((format!("the secret of {}", id(board)), secret(board)));
            secrets.push((format!("the secret to look at {}", id(board)), read_secret(board)));
        }
        let links = bridge.json(&["dashboard", "--json"]);
        for key in ["url", "once"] {
            let (_, token) = text(&links, key).rsplit_once('=').unwrap();
            secrets.push((format!("the dashboard's token or code, {key}"), token.to_owned()));
        }
        assert!(secrets.iter().all(|(what, secret)| secret.len() > 20 && !what.contains(secret)), "{secrets:#?}");
        World { registry, bridge, boards, secrets }
    }

    fn secret(&self, what: &str) -> &str {
        &self.secrets.iter().find(|(name, _)| name == what).unwrap().1
    }

    /// Nothing of it is in `text`.
    fn is_silent(&self, place: &str, text: &str) {
        for (what, secret) in &self.secrets {
            if let Some(at) = text.find(secret.as_str()) {
                let line = text[..at].rsplit('\n').next().unwrap_or_default();
                panic!("{what} is shown in {place}, behind: {line}");
            }
        }
    }

    /// What all kinds of clients do, with right and wrong secrets.
    async fn use_everything(&self) {
        let board = &self.boards[1];
        let (url, raw, base) = (text(board, "url"), text(board, "rawUrl"), self.bridge.http());
        let right = secret(board);
        for secret in [&right, &read_secret(board), "wrong"] {
            let mut client = Fbp::connect(url, secret).await.unwrap();
            client.ask("runtime", "getruntime", json!({})).await;
            client.ask("graph", "clear", json!({"id": "main", "main": true})).await;
            // Older clients put it here.
            client.ask("network", "getstatus", json!({"graph": "main", "secret": secret})).await;
            client.ask("nonsense", "nonsense", json!({"secret": secret})).await;
            drop(client);
            let dialect = firmware_proto::Dialect::from_name(text(&board["firmware"], "dialect")).unwrap();
            drop(Raw::connect(raw, secret, dialect).await);
        }
        let upgrade = [
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ];
        let by_protocol = format!("Sec-WebSocket-Protocol: secret.{right}");
        let mut socket: Vec<&str> = upgrade.iter().flat_map(|header| ["-H", header]).collect();
        let http_raw = raw.replace("ws://", "http://");
        socket.extend(["--max-time", "1", "-H", &by_protocol, &http_raw]);
        curl(&socket);

        let admin = self.secret("the dashboard's token or code, url");
        let code = self.secret("the dashboard's token or code, once");
        let local = self.secret("the bridge's local token");
        let json_type = "Content-Type: application/json";
        let label = format!("{base}/api/boards/{}/label", id(board));
        let change = format!("{base}/api/dashboard/token");
        for token in [admin, "wrong"] {
            let token = format!("Authorization: Bearer {token}");
            curl(&["-H", &token, "-H", json_type, "-d", "{\"label\": \"Door\"}", &label]);
            curl(&["-H", &token, &format!("{base}/api/boards")]);
            curl(&["-H", &token, "--max-time", "1", &format!("{base}/api/events")]);
        }
        for _ in 0..2 {
            curl(&["-H", json_type, "-d", &format!("{{\"code\": \"{code}\"}}"), &change]);
        }
        curl(&["-H", json_type, "-d", &format!("{{\"code\": \"{code}"), &change]);
        curl(&["-H", &format!("Authorization: Bearer {local}"), &format!("{base}/runtimes")]);
        curl(&["-H", &format!("Authorization: Bearer {local}"), &format!("{base}/user")]);

        let ann = self.registry_user();
        drop(Events::follow(&self.registry, &ann));
        self.registry.put("00000001-1111-4111-8111-111111111111", &ann, "another");
        self.registry.ids(&ann);
        self.registry.command(&["list"]);
        self.bridge.cli(&["graph", "show", id(board)]);
    }

    fn registry_user(&self) -> crate::registry_support::User {
        let local = self.registry.local_user();
        crate::registry_support::User { token: self.secret("ann's token").to_owned(), ..local }
    }

    /// Every route of a server, by every method, without a token and with a wrong one.
    fn answers(&self, base: &str) -> String {
        let mut all = String::new();
        let (status, head, page) = ask(base, "GET", "/", None, "");
        assert_eq!(status, 200);
        all += &(head + &page);
        let registry_page = ask(base, "GET", "/registry", None, "").2;
        let named = page.split('"').chain(registry_page.split('"')).filter(|word| {
            let (before, after) = word.split_once('/').unwrap_or_default();
            matches!(before, "dashboard" | "registry") && after.contains('.')
        });
        let mut paths: Vec<String> = named.map(|name| format!("/{name}")).collect();
        assert!(paths.len() >= 3, "{paths:?}");
        let fixed = [
            "/registry",
            "/registry/settings.json",
            "/ide",
            "/ide/",
            "/ide/x",
            "/healthz",
            "/metrics",
            "/nothing",
            "/user",
            "/runtimes",
            "/runtimes/",
            "/runtimes/x",
            "/api",
            "/api/boards",
            "/api/firmware",
            "/api/registry/user",
            "/api/dashboard",
        ];
        paths.extend(fixed.map(str::to_owned));
        for board in &self.boards {
            let id = id(board);
            paths.extend(
                ["/{id}", "/{id}/raw", "/runtimes/{id}", "/api/boards/{id}", "/api/boards/{id}/graph"]
                    .map(|path| path.replace("{id}", id)),
            );
        }
        let bodies = |method| match method {
            "POST" | "PUT" => &["", "{\"secret\": \"wrong\", \"type\": 5}", "not JSON"][..],
            _ => &[""],
        };
        for path in &paths {
            for method in ["GET", "POST", "PUT", "DELETE", "PATCH"] {
                for (token, bodies) in [(None, bodies(method)), (Some("a-wrong-token"), &[""])] {
                    for body in bodies {
                        let (_, head, body) = ask(base, method, path, token, body);
                        all += &(head + &body);
                    }
                }
            }
        }
        let id = id(&self.boards[0]);
        let taken = record(id, &self.registry.local_user(), "mine now").to_string();
        let (status, _, body) = ask(base, "PUT", &format!("/runtimes/{id}"), None, &taken);
        assert_eq!(status, 403, "{body}");
        for stream in ["/api/events", "/runtimes/events"] {
            all += &curl(&["--max-time", "1", "-i", &format!("{base}{stream}")]).1;
        }
        println!("{base}: {} paths, {} bytes of answers", paths.len(), all.len());
        all + &body
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_or_token_is_in_any_log_page_answer_or_error() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::start(dir.path());
    world.use_everything().await;
    for (name, base) in
        [("the bridge's answers", world.bridge.http()), ("the registry's answers", world.registry.base.clone())]
    {
        world.is_silent(name, &world.answers(&base));
    }
    let config = dir.path().join("bridge.toml");
    let shown = Command::new(PROGRAM).args(["config", "show", "--config"]).arg(config).output().unwrap();
    world.is_silent("config show", &String::from_utf8(shown.stdout).unwrap());
    for args in [&["list"][..], &["list", "--json"], &["user", "list"]] {
        let output = world.registry.command(args);
        world.is_silent("registry's commands", &String::from_utf8_lossy(&[output.stdout, output.stderr].concat()));
    }
    for pid in [world.bridge.pid(), world.registry.pid()] {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap();
        world.is_silent("a command line", &String::from_utf8_lossy(&line));
    }
    assert!(world.bridge.log().contains("TRACE"), "the bridge's log does not tell everything");
    for (name, log) in [("the bridge's log", world.bridge.log()), ("the registry's log", world.registry.log())] {
        println!("{name}: {} lines", log.lines().count());
        world.is_silent(name, &log);
    }
}
