//! A PostgreSQL that is not there, that goes away and comes back, and one that refuses.

use std::process::Command;

use serde_json::Value;

use crate::cluster::{Cluster, PASSWORD};
use crate::registry_support::{Events, Registry, id};
use crate::support::PROGRAM;

#[test]
fn a_registry_waits_for_its_database_and_says_so() {
    let mut cluster = Cluster::stopped();
    let dir = tempfile::tempdir().unwrap();
    let mut registry = Registry::start(&dir.path().join("state"), Some(&cluster.url()), &[]);
    let (status, head, body) = registry.ask("POST", &format!("/runtimes/{}", id(1)), None, "{}");
    assert_eq!(status, 503, "{body}");
    assert!(head.contains("retry-after: 5") && body.contains("try again"), "{head} {body}");
    assert_eq!(registry.ask("GET", "/healthz", None, "").0, 200);
    cluster.run();
    let path = format!("/runtimes/{}", id(1));
    registry.wait("it has come", |registry| (registry.ask("POST", &path, None, "{}").0 == 404).then_some(()));
    registry.put(&id(1), &registry.local_user(), "label");
    assert!(!registry.log().contains(PASSWORD), "the password in the log");
    assert!(registry.log().contains("is not reached"), "{}", registry.log());
}

#[test]
fn a_database_that_goes_away_and_comes_back_loses_nothing() {
    let mut cluster = Cluster::start();
    let dir = tempfile::tempdir().unwrap();
    let mut registry = Registry::start(&dir.path().join("state"), Some(&cluster.url()), &[]);
    let user = registry.local_user();
    registry.put(&id(1), &user, "label");
    let events = Events::follow(&registry, &user);
    cluster.stop();
    let (status, body) = registry.ask_json("GET", "/runtimes", Some(&user.token), &Value::Null);
    assert_eq!(status, 503, "{body}");
    println!("away: {status} {}", body["message"]);
    registry.wait("watchers are refused", |registry| {
        (registry.ask("GET", "/user", Some(&user.token), "").0 == 503).then_some(())
    });
    cluster.run();
    registry
        .wait("it is back", |registry| (registry.ask("GET", "/user", Some(&user.token), "").0 == 200).then_some(()));
    assert_eq!(registry.ids(&user), [id(1)]);
    assert!(!events.comes_within(std::time::Duration::from_millis(100)), "the old stream has ended");
    // Listening begins again a little later than answering.
    registry.wait("watchers are let in", |registry| {
        let head = std::panic::catch_unwind(|| Events::follow(registry, &user));
        head.ok()
    });
    assert!(!registry.log().contains(PASSWORD), "the password in the log");
}

#[test]
fn a_database_that_refuses_is_an_error_that_tells_what_to_do() {
    let cluster = Cluster::start();
    let dir = tempfile::tempdir().unwrap();
    let wrong_password = cluster.url().replace(PASSWORD, "another-passw0rd");
    let wrong_database = format!("{}nothing", cluster.url().strip_suffix("postgres").unwrap());
    for (url, word) in [(wrong_password, "password authentication failed"), (wrong_database, "does not exist")] {
        let output = Command::new(PROGRAM)
            .args(["registry", "serve", "--listen", "127.0.0.1:0", "--state-dir"])
            .arg(dir.path().join("state"))
            .env("MICROFLO_BRIDGE_DATABASE", &url)
            .output()
            .unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        print!("{said}");
        assert!(!output.status.success() && said.contains(word) && said.contains("check the database's URL"), "{said}");
        assert!(!said.contains("passw0rd"), "{said}");
    }
}
