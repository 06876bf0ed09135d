//! `registry serve` as a user starts it, and clients for it.
#![allow(dead_code, unreachable_pub)] // each test program uses its part

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{PATIENCE, PROGRAM};

/// A running registry. Stopped with SIGTERM when dropped.
pub struct Registry {
    child: Child,
    /// Where it listens, without a slash at the end.
    pub base: String,
    /// Its state directory.
    pub state: PathBuf,
    log: PathBuf,
    database: Option<String>,
}

impl Registry {
    /// Starts it with these arguments on a free port, and waits until it listens.
    pub fn start(state: &Path, database: Option<&str>, args: &[&str]) -> Registry {
        let args = [&["--listen", "127.0.0.1:0"], args].concat();
        Registry::start_command(state, database, Command::new(PROGRAM), &args)
    }

    /// The same with a command that ends with the program.
    pub fn start_command(state: &Path, database: Option<&str>, mut command: Command, args: &[&str]) -> Registry {
        std::fs::create_dir_all(state).unwrap();
        let log = state.with_extension(format!("{}.log", std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos()));
        let out = std::fs::File::create(&log).unwrap();
        command.args(["registry", "serve", "-v", "--state-dir"]).arg(state).args(args);
        command.env_remove("MICROFLO_BRIDGE_DATABASE");
        if let Some(database) = database {
            command.env("MICROFLO_BRIDGE_DATABASE", database);
        }
        let child = command.stdin(Stdio::null()).stdout(out.try_clone().unwrap()).stderr(out).spawn().unwrap();
        let mut registry = Registry {
            child,
            base: String::new(),
            state: state.to_owned(),
            log,
            database: database.map(str::to_owned),
        };
        registry.base = registry.wait("it listens", |registry| {
            let log = registry.log();
            let (_, rest) = log.split_once("the registry listens ")?;
            let (_, url) = rest.split_once("address=")?;
            Some(url.split('"').nth(1)?.trim_end_matches('/').to_owned())
        });
        registry
    }

    /// Waits until that gives something.
    pub fn wait<T>(&mut self, what: &str, mut looked: impl FnMut(&Registry) -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            if let Some(found) = looked(self) {
                return found;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "it ended with {ended:?} instead of: {what}\n{}", self.log());
            assert!(began.elapsed() < PATIENCE, "in vain: {what}\n{}", self.log());
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// What it logged, colours removed.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Runs `registry …` on the same database.
    pub fn command(&self, args: &[&str]) -> std::process::Output {
        let mut command = Command::new(PROGRAM);
        command.arg("registry").args(args).arg("--state-dir").arg(&self.state);
        command.env_remove("MICROFLO_BRIDGE_DATABASE");
        if let Some(database) = &self.database {
            command.env("MICROFLO_BRIDGE_DATABASE", database);
        }
        command.output().unwrap()
    }

    /// What such a command prints as JSON; it must succeed.
    pub fn json(&self, args: &[&str]) -> Value {
        let output = self.command(&[args, &["--json"]].concat());
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The local user's id and token.
    pub fn local_user(&self) -> User {
        User::of(&self.json(&["user", "show"]))
    }

    /// Makes a user.
    pub fn add_user(&self, name: &str) -> User {
        User::of(&self.json(&["user", "add", name]))
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as `kill -9` does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks; status, head and body.
    pub fn ask(&self, method: &str, path: &str, token: Option<&str>, body: &str) -> (u16, String, String) {
        ask(&self.base, method, path, token, body)
    }

    /// The same, where the body is JSON.
    pub fn ask_json(&self, method: &str, path: &str, token: Option<&str>, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, _, answer) = self.ask(method, path, token, &body);
        (status, serde_json::from_str(&answer).unwrap_or_default())
    }

    /// Registers a runtime of that user, with its own secret; must succeed.
    pub fn put(&self, id: &str, user: &User, label: &str) {
        let record = record(id, user, label);
        let (status, answer) = self.ask_json("PUT", &format!("/runtimes/{id}"), None, &record);
        assert!((200..300).contains(&status), "{status} {answer}");
    }

    /// The ids in a user's list.
    pub fn ids(&self, user: &User) -> Vec<String> {
        let (status, list) = self.ask_json("GET", "/runtimes/", Some(&user.token), &Value::Null);
        assert_eq!(status, 200, "{list}");
        list.as_array().unwrap().iter().map(|record| record["id"].as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_some()) {
            return;
        }
        // Its own child, by pid.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

/// A user of the registry.
#[derive(Clone, Debug)]
pub struct User {
    /// The id.
    pub id: String,
    /// The token.
    pub token: String,
}

impl User {
    fn of(json: &Value) -> User {
        let text = |key: &str| json[key].as_str().unwrap_or_else(|| panic!("no {key}")).to_owned();
        User { id: text("id"), token: text("token") }
    }
}

/// The `n`th id.
pub fn id(n: u32) -> String {
    format!("{n:08x}-1111-4111-8111-111111111111")
}

/// A runtime as its program registers it.
pub fn record(id: &str, user: &User, label: &str) -> Value {
    json!({"id": id, "user": user.id, "label": label, "secret": format!("secret-of-{id}"), "protocol": "websocket",
        "address": format!("ws://127.0.0.1:3569/{id}"), "type": "microflo"})
}

/// One request on a connection of its own.
pub fn ask(base: &str, method: &str, path: &str, token: Option<&str>, body: &str) -> (u16, String, String) {
    let mut stream = send(base, method, path, token, body);
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{method} {path}: {answer:?}"));
    (head.split(' ').nth(1).unwrap().parse().unwrap(), head.to_ascii_lowercase(), body.to_owned())
}

fn send(base: &str, method: &str, path: &str, token: Option<&str>, body: &str) -> TcpStream {
    let host = base.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let token = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\n{token}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

/// A server-sent event, and when it came.
#[derive(Debug)]
pub struct Event {
    pub kind: String,
    pub data: Value,
    pub at: Instant,
}

/// Follows `/runtimes/events`; when this returns, the server watches.
pub struct Events(Receiver<Event>);

impl Events {
    pub fn follow(registry: &Registry, user: &User) -> Events {
        let stream = send(&registry.base, "GET", "/runtimes/events", Some(&user.token), "");
        let mut lines = BufReader::new(stream).lines();
        let mut next = move || lines.next().and_then(Result::ok);
        loop {
            let line = next().expect("the stream ended before it began");
            assert!(!line.starts_with("HTTP") || line.contains(" 200 "), "{line}");
            if line.contains("watching") {
                break;
            }
        }
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            let mut kind = String::new();
            while let Some(line) = next() {
                if let Some(name) = line.strip_prefix("event: ") {
                    kind = name.to_owned();
                } else if let Some(data) = line.strip_prefix("data: ") {
                    let data = serde_json::from_str(data).unwrap();
                    if sender.send(Event { kind: kind.clone(), data, at: Instant::now() }).is_err() {
                        return;
                    }
                }
            }
        });
        Events(receiver)
    }

    /// The next one; it must come.
    pub fn next(&self) -> Event {
        self.0.recv_timeout(PATIENCE).expect("an event")
    }

    /// Whether one comes within that time.
    pub fn comes_within(&self, time: Duration) -> bool {
        self.0.recv_timeout(time).is_ok()
    }
}
