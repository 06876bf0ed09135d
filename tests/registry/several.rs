//! Several processes on one database.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::cluster::{Cluster, PASSWORD};
use crate::registry_support::{Events, Registry, User, id};

/// How soon the other one tells, usually; the worst of all rounds has room for a busy machine.
const WANTED: Duration = Duration::from_millis(200);
const BUSY_FACTOR: u32 = 10;
const ROUNDS: u32 = 20;
/// How long one is used before it is killed in the middle of it.
const IN_USE: Duration = Duration::from_millis(500);

struct Two {
    cluster: Cluster,
    one: Registry,
    other: Registry,
    user: User,
    _dir: tempfile::TempDir,
}

fn two() -> Two {
    let (cluster, dir) = (Cluster::start(), tempfile::tempdir().unwrap());
    let start = |name: &str| Registry::start(&dir.path().join(name), Some(&cluster.url()), &[]);
    let (one, other) = (start("one"), start("other"));
    let user = one.add_user("ann");
    Two { cluster, one, other, user, _dir: dir }
}

#[test]
fn what_is_put_at_one_is_told_at_the_other_at_once() {
    let two = two();
    let events = Events::follow(&two.other, &two.user);
    let mut times = Vec::new();
    for n in 0..ROUNDS {
        let began = Instant::now();
        two.one.put(&id(n), &two.user, "label");
        let put = events.next();
        times.push(put.at - began);
        assert_eq!((put.kind.as_str(), put.data["id"].as_str()), ("put", Some(&*id(n))));
        let (status, _, _) = two.one.ask("DELETE", &format!("/runtimes/{}", id(n)), Some(&two.user.token), "");
        let gone = events.next();
        assert_eq!((status, gone.kind.as_str(), gone.data["id"].as_str()), (204, "delete", Some(&*id(n))));
    }
    times.sort();
    let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
    println!("PUT at one to event at the other: median {median:?}, worst of {ROUNDS} {worst:?}");
    assert!(median < WANTED && worst < WANTED * BUSY_FACTOR, "{times:?}");
}

#[test]
fn one_is_killed_and_nothing_is_lost() {
    let two = two();
    let events = Events::follow(&two.other, &two.user);
    let ids: Vec<String> = (0..50).map(id).collect();
    for id in &ids {
        two.one.put(id, &two.user, "label");
    }
    let Two { cluster, one, other, user, _dir } = two;
    one.kill();
    assert_eq!(other.ids(&user), ids);
    let told: Vec<String> = ids.iter().map(|_| events.next().data["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(told, ids);
    other.put(&id(99), &user, "after");
    assert_eq!(events.next().data["id"].as_str(), Some(&*id(99)));
    drop(other);
    let again = Registry::start(&_dir.path().join("again"), Some(&cluster.url()), &[]);
    assert_eq!(again.ids(&user).len(), ids.len() + 1);
    println!("{} records after kill -9 of one and a restart of the other", again.ids(&user).len());
}

#[test]
fn one_is_killed_while_runtimes_are_put_and_none_that_it_has_answered_for_is_lost() {
    let two = two();
    let events = Events::follow(&two.other, &two.user);
    let answered: Vec<String> = std::thread::scope(|scope| {
        let putting = scope.spawn(|| {
            let put = |n: &u32| std::panic::catch_unwind(|| two.one.put(&id(*n), &two.user, "label")).is_ok();
            (0..).take_while(put).map(id).collect()
        });
        std::thread::park_timeout(IN_USE);
        // Its own child, by pid.
        let killed = std::process::Command::new("kill").args(["-9", &two.one.pid().to_string()]).status();
        assert!(killed.unwrap().success());
        putting.join().unwrap()
    });
    let listed = two.other.ids(&two.user);
    assert!(!answered.is_empty() && answered.iter().all(|id| listed.contains(id)), "{answered:?} of {listed:?}");
    for id in &answered {
        assert_eq!(events.next().data["id"].as_str(), Some(&**id), "told at the other one too, in order");
    }
    println!("killed -9 after {} runtimes that were answered for; {} are listed", answered.len(), listed.len());
}

#[test]
fn a_new_token_counts_everywhere_at_once_and_a_removed_user_is_gone() {
    let two = two();
    let watched = Events::follow(&two.other, &two.user);
    let again = two.one.json(&["user", "rotate", "ann"]);
    assert_eq!(two.other.ask("GET", "/user", Some(&two.user.token), "").0, 401);
    assert_eq!(two.other.ask("GET", "/user", again["token"].as_str(), "").0, 200);
    two.one.put(&id(1), &two.user, "label");
    assert!(!watched.comes_within(Duration::from_millis(500)), "the old token's stream has ended");
    two.one.json(&["user", "remove", "ann"]);
    assert_eq!(two.other.ask("GET", "/user", again["token"].as_str(), "").0, 401);
    assert_eq!(two.other.json(&["list"]).as_array().map(Vec::len), Some(0));
}

#[test]
fn the_local_user_is_made_once_and_its_token_stays_where_it_was_made() {
    let two = two();
    let local = two.one.local_user();
    assert_eq!(two.other.ask("GET", "/user", Some(&local.token), "").0, 200);
    let said = two.other.command(&["user", "show"]);
    let said = String::from_utf8(said.stderr).unwrap();
    assert!(said.contains("user rotate local"), "{said}");
    let moved = two.other.json(&["user", "rotate", "local"]);
    assert_eq!(two.other.local_user().token, moved["token"].as_str().unwrap());
    assert_eq!(two.one.ask("GET", "/user", Some(&local.token), "").0, 401);
}

#[test]
fn two_that_create_the_same_runtime_at_once_do_not_take_it_from_each_other() {
    let two = two();
    for n in 0..ROUNDS {
        let path = format!("/runtimes/{}", id(n));
        let put = |registry: &Registry, secret: &str| -> u16 {
            let mut record = crate::registry_support::record(&id(n), &two.user, secret);
            record["secret"] = Value::from(secret);
            registry.ask("PUT", &path, None, &record.to_string()).0
        };
        let (a, b) = std::thread::scope(|scope| {
            let a = scope.spawn(|| put(&two.one, "mine"));
            let b = scope.spawn(|| put(&two.other, "theirs"));
            (a.join().unwrap(), b.join().unwrap())
        });
        let mut both = [a, b];
        both.sort_unstable();
        assert_eq!(both, [201, 403], "one creates it, the other does not know its secret");
    }
}

#[test]
fn no_secret_shows_anywhere() {
    let two = two();
    two.one.put(&id(1), &two.user, "label");
    let list = two.one.command(&["list"]);
    let users = two.one.command(&["user", "list"]);
    let wrong = two.one.ask("PUT", &format!("/runtimes/{}", id(1)), None, r#"{"secret": "guessed"}"#).2;
    let pages = ["/", "/registry/settings.json", "/healthz"].map(|path| two.one.ask("GET", path, None, "").2).concat();
    let shown =
        [list, users].map(|output| String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned());
    let command_line = std::fs::read(format!("/proc/{}/cmdline", two.one.pid())).unwrap();
    let all = [two.one.log(), two.other.log(), two.cluster.log(), shown.concat(), wrong, pages];
    let all = all.concat() + &String::from_utf8_lossy(&command_line);
    for secret in [PASSWORD, &two.user.token, &two.one.local_user().token, &format!("secret-of-{}", id(1))] {
        assert!(!all.contains(secret), "a secret is shown");
    }
    println!("looked through {} bytes of logs, pages and errors", all.len());
}
