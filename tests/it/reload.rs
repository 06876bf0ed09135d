//! SIGHUP: what changes while boards run, and what does not.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::elsewhere::{Records, Server};
use crate::machine::{arduino, id, text};
use crate::support::{Bridge, PROGRAM, secret};
use crate::web::Fbp;

fn registry() -> (Server, Records, String) {
    let records = Records::default();
    let keeps = records.clone();
    let server = Server::start(TcpListener::bind("127.0.0.1:0").unwrap(), None, move |request| keeps.answer(request));
    let url = format!("http://{}", server.address);
    (server, records, url)
}

fn start(dir: &Path, args: &[&str]) -> Bridge {
    let mut command = Command::new(PROGRAM);
    command.args(args).arg("--config").arg(dir.join("bridge.toml"));
    Bridge::start_command(&dir.join("state"), command)
}

fn reload(bridge: &Bridge, dir: &Path, content: &str, log: &str) {
    let before = bridge.log().matches(log).count();
    std::fs::write(dir.join("bridge.toml"), content).unwrap();
    assert!(Command::new("kill").args(["-HUP", &bridge.pid().to_string()]).status().unwrap().success());
    bridge.wait(log, |bridge| bridge.log().matches(log).count() > before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_and_a_registry_change_while_a_client_keeps_its_socket() {
    let dir = tempfile::tempdir().unwrap();
    let (_first, first, first_url) = registry();
    let (_second, second, second_url) = registry();
    let line = arduino();
    let path = line.path().display().to_string();
    let config = |label: &str, registry: &str| {
        let known = |url: &str| format!("[[registry]]\nurl = \"{url}\"\ntoken = \"token\"\ndefault = false\n");
        let rule = format!("match = {{ path = \"{path}\" }}\nlabel = \"{label}\"\nregistry = \"{registry}\"\n");
        format!("{}{}[[board]]\n{rule}", known(&first_url), known(&second_url))
    };
    std::fs::write(dir.path().join("bridge.toml"), config("Before", &first_url)).unwrap();
    let bridge = start(dir.path(), &["--device", &path]);
    let board = bridge.board_in_state("ready");
    assert_eq!(text(&board, "label"), "Before");
    bridge.wait("it is at the first", |_| first.len() == 1);
    let mut client = Fbp::connect(text(&board, "url"), &secret(&board)).await.unwrap();
    assert_eq!(client.ask("runtime", "getruntime", json!({})).await["payload"]["label"], "Before");

    reload(&bridge, dir.path(), &config("After", &second_url), "was read again");
    bridge.wait("it is at the second", |_| second.len() == 1 && first.len() == 0);
    assert_eq!(second.all()[0]["label"], "After");
    assert_eq!(text(&bridge.boards()[0], "label"), "After");
    assert_eq!(bridge.boards()[0]["clients"], 1);
    let runtime = client.ask("runtime", "getruntime", json!({})).await;
    assert_eq!(runtime["payload"]["label"], "After");
    println!("the same socket says {}; at {second_url}: {}", runtime["payload"]["label"], second.all()[0]["label"]);

    // A mistake changes nothing, and is shown in the usual words.
    reload(&bridge, dir.path(), "[[board]]\nmatch = { path = \"x\" }\nlabl = \"Never\"\n", "stays as it was");
    assert!(bridge.log().contains("bridge.toml:3:1: unknown key `labl`; the nearest is `label`"), "{}", bridge.log());
    assert_eq!(text(&bridge.boards()[0], "label"), "After");
    // What needs a restart is named.
    let more = format!("public_url = \"https://boards.example\"\n{}", config("After", &second_url));
    reload(&bridge, dir.path(), &more, "`public_url` has changed");
    assert_eq!(client.ask("runtime", "getruntime", json!({})).await["payload"]["label"], "After");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_baud_rate_starts_only_that_board_anew_and_ignore_lets_it_go() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (arduino(), arduino());
    let paths = [&one, &other].map(|line| line.path().display().to_string());
    std::fs::write(dir.path().join("bridge.toml"), "").unwrap();
    let bridge = start(dir.path(), &["--device", &paths[0], "--device", &paths[1]]);
    let ready = |bridge: &Bridge| bridge.boards().iter().filter(|board| board["state"] == "ready").count();
    bridge.wait("both are ready", |bridge| ready(bridge) == 2);
    let of = |path: &str| bridge.boards().into_iter().find(|board| board["device"] == path).unwrap();
    let boards = [of(&paths[0]), of(&paths[1])];
    let mut clients = Vec::new();
    for board in &boards {
        clients.push(Fbp::connect(text(board, "url"), &secret(board)).await.unwrap());
    }
    let rule = |setting: &str| format!("[[board]]\nmatch = {{ path = \"{}\" }}\n{setting}\n", paths[0]);
    reload(&bridge, dir.path(), &rule("baud = 115200"), "was read again");
    let dropped = clients.remove(0).closed().await;
    println!("the client of the board with another baud rate: {dropped:?}");
    bridge.wait("it is ready again", |bridge| ready(bridge) == 2);
    assert_eq!(of(&paths[0])["firmware"]["baud"], 115_200);
    assert_eq!(clients[0].ask("runtime", "getruntime", json!({})).await["command"], "runtime");

    reload(&bridge, dir.path(), &rule("ignore = true"), "was read again");
    bridge.wait("it is ignored", |_| of(&paths[0])["state"] == "ignored");
    reload(&bridge, dir.path(), "", "was read again");
    bridge.wait("it is back", |bridge| ready(bridge) == 2);
    assert_eq!(id(&of(&paths[0])), id(&boards[0]));
    assert_eq!(clients[0].ask("runtime", "getruntime", json!({})).await["command"], "runtime");
}
