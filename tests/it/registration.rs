//! Registries: the embedded one after a crash, and another bridge's.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::machine::{id, text};
use crate::support::{Bridge, PROGRAM, secret};
use crate::web::get;

/// The records that a user sees.
fn records(registry: &Bridge) -> Vec<Value> {
    let user = registry.json(&["registry", "user", "show", "--json"]);
    let (status, body) = get(&registry.http(), "/runtimes", Some(text(&user, "token")));
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

fn registered_at(board: &Value, registry: &str) -> bool {
    let registries = board["registries"].as_array().unwrap();
    registries
        .iter()
        .any(|entry| text(entry, "registry").trim_end_matches('/') == registry && entry["registered"] == true)
}

#[test]
fn leftovers_of_a_killed_bridge_are_removed_from_the_registry() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let bridge = Bridge::start(&state, &["--simulate", "2"]);
    bridge.wait("both are registered", |bridge| records(bridge).len() == 2);
    let kept = bridge.boards()[0].clone();
    bridge.kill();
    let bridge = Bridge::start(&state, &["--simulate", "1"]);
    let began = std::time::Instant::now();
    bridge.wait("the one that is not there any more is deleted", |bridge| records(bridge).len() == 1);
    let record = &records(&bridge)[0];
    println!("deleted {:?} after the start; kept {} of {}", began.elapsed(), id(record), kept["id"]);
    let here = bridge.board_in_state("ready");
    assert_eq!((id(record), text(record, "address")), (id(&here), text(&here, "url")));
}

/// A bridge whose boards are registered at another's registry, with what that needs in the environment or in a file.
fn guest(state: &Path, host: &Bridge, token: Option<&str>, config: Option<&Path>) -> Bridge {
    let user = host.json(&["registry", "user", "show", "--json"]);
    let mut command = Command::new(PROGRAM);
    command.args(["--simulate", "1", "--registry", &host.http(), "--user", id(&user)]);
    if let Some(config) = config {
        command.arg("--config").arg(config);
    }
    if let Some(token) = token {
        command.env("MICROFLO_BRIDGE_REGISTRY_TOKEN", token);
    }
    Bridge::start_command(state, command)
}

#[test]
fn boards_are_registered_at_another_bridge_and_deleted_there_with_a_token() {
    let dir = tempfile::tempdir().unwrap();
    let host = Bridge::start(&dir.path().join("host"), &[]);
    let user = host.json(&["registry", "user", "show", "--json"]);
    let token = text(&user, "token");
    let config = dir.path().join("config.toml");
    std::fs::write(&config, format!("registry_token = \"{token}\"\n")).unwrap();
    for (name, token, config) in [("by-env", Some(token), None), ("by-file", None, Some(config.as_path()))] {
        let state = dir.path().join(name);
        let bridge = guest(&state, &host, token, config);
        let url = host.http();
        bridge.wait("it is registered at both", |bridge| {
            let boards = bridge.boards();
            boards.len() == 1 && registered_at(&boards[0], "embedded") && registered_at(&boards[0], &url)
        });
        let board = bridge.board_in_state("ready");
        let found = records(&host);
        assert_eq!(found.len(), 1);
        assert_eq!((id(&found[0]), &found[0]["address"]), (id(&board), &board["url"]));
        assert_eq!(text(&found[0], "secret"), secret(&board));
        let token = text(&user, "token");
        let command_line = std::fs::read(format!("/proc/{}/cmdline", bridge.pid())).unwrap();
        assert!(!String::from_utf8_lossy(&command_line).contains(token));
        // Killed: the next run finds no board, and removes what it left at the other registry.
        bridge.kill();
        let again = Bridge::start_command(&state, {
            let mut command = Command::new(PROGRAM);
            command.args(["--registry", &url]).env("MICROFLO_BRIDGE_REGISTRY_TOKEN", token);
            command
        });
        host.wait("the leftover is deleted", |host| records(host).is_empty());
        println!("{name}: registered at {url} as {}, deleted by the next run", id(&board));
        assert!(!again.log().contains(token) && !host.log().contains(token), "a token in a log");
    }
}

#[test]
fn without_a_token_a_board_is_registered_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let host = Bridge::start(&dir.path().join("host"), &[]);
    let bridge = guest(&dir.path().join("guest"), &host, None, None);
    host.wait("it is there", |host| records(host).len() == 1);
    let url = host.http();
    bridge.wait("it says so", |bridge| registered_at(&bridge.boards()[0], &url));
    println!("{}", bridge.boards()[0]["registries"]);
}

#[test]
fn a_secret_goes_encrypted_or_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new(PROGRAM)
        .args(["run", "--registry", "http://registry.example", "--listen", "127.0.0.1:0", "--state-dir"])
        .arg(dir.path().join("state"))
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    print!("{said}");
    assert!(!output.status.success() && said.contains("http://registry.example"), "{said}");
}
