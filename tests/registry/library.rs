//! npm's `flowhub-registry` 0.2.0, unmodified.

use std::path::Path;
use std::process::Command;

use crate::cluster::Cluster;
use crate::registry_support::Registry;

/// What `library.js` goes through.
const STEPS: [&str; 9] =
    ["register", "get", "ping", "list", "update", "wrong secret", "wrong token", "delete", "delete again"];

#[test]
fn the_library_passes_on_sqlite() {
    let dir = tempfile::tempdir().unwrap();
    passes(&Registry::start(&dir.path().join("state"), None, &[]));
}

#[test]
fn the_library_passes_on_postgres_by_tcp_and_by_socket() {
    let cluster = Cluster::start();
    for url in [cluster.url(), cluster.socket_url()] {
        let dir = tempfile::tempdir().unwrap();
        let registry = Registry::start(&dir.path().join("state"), Some(&url), &[]);
        // The local user's token lies where the first process was started.
        let user = registry.add_user(&format!("user of {}", registry.pid()));
        passes_for(&registry, &user.token, &user.id);
    }
}

fn passes(registry: &Registry) {
    let user = registry.local_user();
    passes_for(registry, &user.token, &user.id);
}

fn passes_for(registry: &Registry, token: &str, user: &str) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/registry");
    let setup = Command::new(here.join("setup.sh")).output().unwrap();
    let said = String::from_utf8(setup.stdout).unwrap();
    assert!(setup.status.success(), "{said}");
    let output = Command::new("node")
        .arg(here.join("library.js"))
        .args([&registry.base, token, user])
        .env("NODE_PATH", said.lines().last().unwrap())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    print!("{said}");
    assert!(output.status.success(), "{}\n{}", String::from_utf8_lossy(&output.stderr), registry.log());
    let steps: Vec<_> = said.lines().filter_map(|line| line.strip_prefix("ok ")).collect();
    assert_eq!(steps, STEPS);
    let log = registry.log();
    assert!(!log.contains(token) && !log.contains("hello world"), "a secret in the log");
}
