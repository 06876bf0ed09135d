//! A certificate that another takes the place of while the program runs.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::elsewhere::Authority;
use crate::registry_support::Registry;
use crate::support::{Bridge, PATIENCE};
use crate::web::curl;

/// Certificate and key as a program reads them, and the authorities that they may come from.
struct Pair {
    dir: tempfile::TempDir,
    authorities: [Authority; 2],
}

impl Pair {
    /// With the first authority's certificate.
    fn new() -> Pair {
        let pair = Pair { dir: tempfile::tempdir().unwrap(), authorities: [Authority::new(), Authority::new()] };
        for (number, authority) in pair.authorities.iter().enumerate() {
            std::fs::write(pair.trusted(number), &authority.pem).unwrap();
        }
        pair.issue(0);
        pair
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The file with that authority's own certificate.
    fn trusted(&self, number: usize) -> PathBuf {
        self.file(&format!("authority-{number}.pem"))
    }

    /// Another certificate, of that authority.
    fn issue(&self, number: usize) {
        let (certificate, key) = self.authorities[number].issue(&["127.0.0.1"]);
        std::fs::write(self.file("cert.pem"), certificate.pem()).unwrap();
        std::fs::write(self.file("key.pem"), key.serialize_pem()).unwrap();
    }

    /// A key that belongs to another certificate.
    fn spoil(&self) {
        let (_, key) = self.authorities[0].issue(&["127.0.0.1"]);
        std::fs::write(self.file("key.pem"), key.serialize_pem()).unwrap();
    }

    fn options(&self) -> [String; 4] {
        let file = |name| self.file(name).to_str().unwrap().to_owned();
        ["--tls-cert".to_owned(), file("cert.pem"), "--tls-key".to_owned(), file("key.pem")]
    }

    /// Which authority's certificate the server at `base` shows.
    fn shown_by(&self, base: &str) -> usize {
        let is_trusted = |number: &usize| {
            let trusted = self.trusted(*number);
            let url = format!("{base}/healthz");
            let asked = ["--silent", "--max-time", "5", "--cacert", trusted.to_str().unwrap(), &url];
            Command::new("curl").args(asked).output().unwrap().status.success()
        };
        (0..self.authorities.len()).find(is_trusted).expect("one of the authorities is believed")
    }
}

/// A connection that stays open.
struct Kept(StreamOwned<ClientConnection, TcpStream>);

impl Kept {
    fn open(base: &str, trusted: &Path) -> Kept {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(trusted).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let connection = ClientConnection::new(Arc::new(config), name).unwrap();
        let stream = TcpStream::connect(base.strip_prefix("https://").unwrap()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Kept(StreamOwned::new(connection, stream))
    }

    /// Whether it is still answered.
    fn is_answered(&mut self, base: &str) -> bool {
        let host = base.strip_prefix("https://").unwrap();
        write!(self.0, "GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
        let mut answer = [0; 4096];
        let count = self.0.read(&mut answer).unwrap();
        answer[..count].starts_with(b"HTTP/1.1 200 ")
    }
}

fn hang_up(pid: u32) {
    assert!(Command::new("kill").args(["-HUP", &pid.to_string()]).status().unwrap().success());
}

/// The same for both programs: `log` is what the program has logged, `wait` waits until the log holds that.
fn renews(pair: &Pair, base: &str, pid: u32, mut wait: impl FnMut(&str)) {
    assert_eq!(pair.shown_by(base), 0);
    let mut kept = Kept::open(base, &pair.trusted(0));
    assert!(kept.is_answered(base));

    // A broken pair, as between the two writes of a renewal, changes nothing and is explained.
    pair.spoil();
    hang_up(pid);
    wait("the certificate stays as it was");
    assert_eq!(pair.shown_by(base), 0);

    pair.issue(1);
    hang_up(pid);
    wait("new connections are served with another certificate");
    assert_eq!(pair.shown_by(base), 1);
    assert!(kept.is_answered(base), "connections that are open stay open");
}

#[test]
fn a_bridge_takes_up_a_renewed_certificate_and_keeps_the_old_one_for_a_broken_one() {
    let pair = Pair::new();
    let mut args = vec!["--simulate", "1"];
    let options = pair.options();
    args.extend(options.iter().map(String::as_str));
    let bridge = Bridge::start(&pair.file("state"), &args);
    let base = bridge.http();
    renews(&pair, &base, bridge.pid(), |words| bridge.wait(words, |bridge| bridge.log().contains(words)));
    let log = bridge.log();
    let told = log.lines().find(|line| line.contains("stays as it was")).unwrap();
    println!("{told}");
    assert!(told.contains("cert.pem cannot be used with the key in") && told.contains("key.pem"), "{told}");
    assert!(!log.contains("PRIVATE KEY"), "{log}");
    assert!(!log.contains("takes effect when the bridge is started again"), "{log}");
    // Boards' registrations and sockets are of the same run: nothing was started anew.
    assert_eq!(bridge.board_in_state("ready")["registries"][0]["registered"], true);
}

#[test]
fn a_mistake_in_the_configuration_does_not_keep_a_certificate_from_being_renewed() {
    let pair = Pair::new();
    let (config, [_, cert, _, key]) = (pair.file("bridge.toml"), pair.options());
    std::fs::write(&config, format!("tls_cert = \"{cert}\"\ntls_key = \"{key}\"\n")).unwrap();
    let bridge = Bridge::start(&pair.file("state"), &["--config", config.to_str().unwrap()]);
    let base = bridge.http();
    assert_eq!(pair.shown_by(&base), 0);
    std::fs::write(&config, "listn = 1\n").unwrap();
    pair.issue(1);
    hang_up(bridge.pid());
    bridge.wait("both are told", |bridge| bridge.log().contains("the configuration stays as it was"));
    assert_eq!(pair.shown_by(&base), 1);

    // Other files of the configuration are other certificates.
    let (certificate, secret_key) = pair.authorities[0].issue(&["127.0.0.1"]);
    std::fs::write(pair.file("new.pem"), certificate.pem()).unwrap();
    std::fs::write(pair.file("new-key.pem"), secret_key.serialize_pem()).unwrap();
    std::fs::write(&config, "tls_cert = \"new.pem\"\ntls_key = \"new-key.pem\"\n").unwrap();
    hang_up(bridge.pid());
    bridge.wait("it was read", |bridge| bridge.log().contains("the configuration was read again"));
    assert_eq!(pair.shown_by(&base), 0);
    std::fs::write(&config, "").unwrap();
    hang_up(bridge.pid());
    bridge.wait("that needs a restart", |bridge| bridge.log().contains("`tls_cert` has changed"));
}

#[test]
fn a_registry_takes_up_a_renewed_certificate_and_keeps_the_old_one_for_a_broken_one() {
    let pair = Pair::new();
    let options = pair.options();
    let args: Vec<&str> = options.iter().map(String::as_str).collect();
    let mut registry = Registry::start(&pair.file("state"), None, &args);
    let (base, pid) = (registry.base.clone(), registry.pid());
    renews(&pair, &base, pid, |words| registry.wait(words, |registry| registry.log().contains(words).then_some(())));
    let trusted = pair.trusted(1);
    assert_eq!(curl(&["--cacert", trusted.to_str().unwrap(), &format!("{base}/")]).0, 200);
}

#[test]
fn a_registry_without_a_certificate_lives_on_after_sighup() {
    let dir = tempfile::tempdir().unwrap();
    let registry = Registry::start(&dir.path().join("state"), None, &[]);
    hang_up(registry.pid());
    std::thread::park_timeout(std::time::Duration::from_millis(200));
    assert_eq!(registry.ask("GET", "/healthz", None, "").0, 200);
}
