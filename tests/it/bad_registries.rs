//! Registries that fail in every way: boards never wait for them, and are all registered once they recover.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::elsewhere::{Answer, Authority, Records, Request, Server, answer};
use crate::support::{Bridge, PROGRAM};

/// Simulated boards.
const BOARDS: usize = 6;
/// How much longer they may take until ready beside a bad registry, on a busy machine: less than any call waits for an answer.
const MARGIN: Duration = Duration::from_secs(4);

type Bad = fn(&Request) -> Answer;

/// A registry that is bad until it is told to be good.
struct Patient {
    records: Records,
    bad: Arc<Mutex<Option<Bad>>>,
    server: Server,
}

impl Patient {
    fn start(bad: Bad) -> Patient {
        let (records, bad) = (Records::default(), Arc::new(Mutex::new(Some(bad))));
        let (keeps, is_bad) = (records.clone(), bad.clone());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Server::start(listener, None, move |request| {
            let bad = *is_bad.lock().unwrap();
            bad.map_or_else(|| keeps.answer(request), |bad| bad(request))
        });
        Patient { records, bad, server }
    }

    fn url(&self) -> String {
        format!("http://{}", self.server.address)
    }

    fn recover(&self) {
        *self.bad.lock().unwrap() = None;
    }
}

fn bridge(state: &Path, registry: &str, trusts: Option<&Path>) -> (Bridge, Duration) {
    let mut command = Command::new(PROGRAM);
    command.args(["--simulate", &BOARDS.to_string()]).env("MICROFLO_BRIDGE_REGISTRY_TOKEN", "user-token");
    if !registry.is_empty() {
        command.args(["--registry", registry]);
    }
    if let Some(trusts) = trusts {
        command.env("SSL_CERT_FILE", trusts).env_remove("SSL_CERT_DIR");
    }
    let began = Instant::now();
    let bridge = Bridge::start_command(state, command);
    bridge.wait("all are ready", |bridge| {
        let boards = bridge.boards();
        boards.len() == BOARDS && boards.iter().all(|board| board["state"] == "ready")
    });
    (bridge, began.elapsed())
}

/// A bridge beside a bad registry, whose boards are ready as fast as those of one that is started at the same moment without it.
fn as_fast_as_without(dir: &Path, registry: &str, trusts: Option<&Path>) -> (Bridge, Duration, Duration) {
    let (usual, (bridge, took)) = thread::scope(|scope| {
        let without = scope.spawn(|| bridge(&dir.join("without"), "", None).1);
        let with = bridge(&dir.join("with"), registry, trusts);
        (without.join().unwrap(), with)
    });
    assert!(took < usual + MARGIN, "{took:?} instead of {usual:?}");
    (bridge, took, usual)
}

/// What `status` says of that registry, of the first board.
fn said(bridge: &Bridge, registry: &str) -> String {
    let boards = bridge.boards();
    let entries = boards[0]["registries"].as_array().unwrap();
    let entry = entries.iter().find(|entry| entry["registry"] == registry);
    entry.map(|entry| entry["detail"].as_str().unwrap().to_owned()).unwrap_or_default()
}

fn hang_up(bridge: &Bridge) {
    assert!(Command::new("kill").args(["-HUP", &bridge.pid().to_string()]).status().unwrap().success());
}

/// Boards are ready as fast as without it; `status` says `words`; after the recovery, all are registered.
/// `asks_again`: the answer was so definite that the bridge waits for minutes, unless it is told that something changed.
fn endure(name: &str, bad: Bad, words: &str, asks_again: bool) {
    let dir = tempfile::tempdir().unwrap();
    let registry = Patient::start(bad);
    let (bridge, took, usual) = as_fast_as_without(dir.path(), &registry.url(), None);
    if !words.is_empty() {
        bridge.wait(words, |bridge| said(bridge, &registry.url()).contains(words));
    }
    let told = said(&bridge, &registry.url());
    assert_eq!(registry.records.len(), 0);
    registry.recover();
    if !asks_again {
        hang_up(&bridge);
    }
    let recovered = Instant::now();
    bridge.wait("all are registered", |_| registry.records.len() == BOARDS);
    println!(
        "{name}: ready after {took:?} ({usual:?} without); registered {:?} after the recovery; status said: {told}",
        recovered.elapsed()
    );
}

#[test]
fn one_that_answers_500() {
    endure("500", |_| answer(500, "", ""), "in trouble: 500", true);
}

#[test]
fn one_that_hangs() {
    endure("hangs", |_| Answer::Nothing, "being registered", true);
}

#[test]
fn one_that_redirects() {
    endure(
        "redirects",
        |_| answer(307, "Location: http://registry.example/\r\n", ""),
        "http://registry.example",
        false,
    );
}

#[test]
fn one_that_forbids() {
    endure("403", |_| answer(403, "", ""), "another host holds this board's record", false);
}

#[test]
fn one_that_talks_nonsense() {
    endure(
        "garbage",
        |_| Answer::Bytes(b"\x1b[2J\0 not http at all\r\n\r\n".to_vec()),
        "the bridge keeps trying",
        true,
    );
}

/// A registry over TLS at `localhost`, with the certificate that it shows.
struct Encrypted {
    authority: Authority,
    certificate: Arc<Mutex<Arc<rustls::ServerConfig>>>,
    records: Records,
    url: String,
    _server: Server,
}

impl Encrypted {
    fn start(name: &str) -> Encrypted {
        let authority = Authority::new();
        let certificate = Arc::new(Mutex::new(authority.server(name)));
        let records = Records::default();
        let keeps = records.clone();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Server::start(listener, Some(certificate.clone()), move |request| keeps.answer(request));
        let url = format!("https://localhost:{}", server.address.port());
        Encrypted { authority, certificate, records, url, _server: server }
    }
}

#[test]
fn one_with_another_servers_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let Encrypted { authority, certificate, records, url, _server } = Encrypted::start("registry.example");
    let trusted = dir.path().join("authority.pem");
    std::fs::write(&trusted, &authority.pem).unwrap();
    let (bridge, took, usual) = as_fast_as_without(dir.path(), &url, Some(&trusted));
    bridge.wait("the certificate is refused", |bridge| said(bridge, &url).contains("certificate"));
    let told = said(&bridge, &url);
    println!("TLS with a wrong name: ready after {took:?} ({usual:?} without); status said: {told}");
    assert_eq!(records.len(), 0);
    *certificate.lock().unwrap() = authority.server("localhost");
    bridge.wait("all are registered", |_| records.len() == BOARDS);
    assert!(records.all().iter().all(|record| record["secret"].as_str().is_some_and(|secret| secret.len() > 30)));
}

#[test]
fn one_over_tls_on_a_system_without_certificates() {
    let dir = tempfile::tempdir().unwrap();
    let registry = Encrypted::start("localhost");
    let other = Authority::new();
    let trusted = dir.path().join("authority.pem");
    std::fs::write(&trusted, "").unwrap();
    let (bridge, took, usual) = as_fast_as_without(dir.path(), &registry.url, Some(&trusted));
    bridge.wait("what is missing", |bridge| said(bridge, &registry.url).contains("apt install ca-certificates"));
    let told = said(&bridge, &registry.url);
    std::fs::write(&trusted, &other.pem).unwrap();
    bridge.wait("that authority is another one", |bridge| said(bridge, &registry.url).contains("does not believe"));
    std::fs::write(&trusted, &registry.authority.pem).unwrap();
    bridge.wait("all are registered", |_| registry.records.len() == BOARDS);
    println!("no CA certificates: ready after {took:?} ({usual:?} without); status said: {told}");
}

#[test]
fn one_that_is_down_for_a_while_and_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{address}");
    let (bridge, took, usual) = as_fast_as_without(dir.path(), &url, None);
    bridge.wait("nobody answers", |bridge| said(bridge, &url).contains("refused"));
    println!("down: ready after {took:?} ({usual:?} without); status said: {}", said(&bridge, &url));
    let records = Records::default();
    let keeps = records.clone();
    let server = Server::start(TcpListener::bind(address).unwrap(), None, move |request| keeps.answer(request));
    bridge.wait("all are registered", |_| records.len() == BOARDS);
    // Down again, with boards going meanwhile; the next run finishes what this one could not.
    drop(server);
    bridge.kill();
    let server = Server::start(TcpListener::bind(address).unwrap(), None, {
        let keeps = records.clone();
        move |request| keeps.answer(request)
    });
    let mut command = Command::new(PROGRAM);
    command.args(["--registry", &url]).env("MICROFLO_BRIDGE_REGISTRY_TOKEN", "user-token");
    let again = Bridge::start_command(&dir.path().join("with"), command);
    again.wait("the leftovers of the killed bridge are gone", |_| records.len() == 0);
    drop(server);
}
