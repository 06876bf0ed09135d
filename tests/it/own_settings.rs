//! What `[[board]]` can say of one board that other boards do not have: its secret, the graph of its firmware, what opening does.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use microflo_bridge::sim::{self, Config, Opening};
use serde_json::{Value, json};

use crate::machine::{arduino, text};
use crate::support::{Bridge, PROGRAM, secret};
use crate::web::{Fbp, Raw, curl, get};

const FIRST: &str = "first-secret-of-the-board";
const SECOND: &str = "second_secret-of-the-board";
/// How fast the simulated board blinks, in whole milliseconds.
const BLINK: Duration = Duration::from_millis(200);

fn start(dir: &Path, device: &str, rule: &str) -> Bridge {
    write(dir, device, rule);
    let mut command = Command::new(PROGRAM);
    command.args(["--device", device, "--config"]).arg(dir.join("bridge.toml"));
    Bridge::start_command(&dir.join("state"), command)
}

fn write(dir: &Path, device: &str, rule: &str) {
    let text = format!("[[board]]\nmatch = {{ path = \"{device}\" }}\ndescription = \"By the window\"\n{rule}\n");
    std::fs::write(dir.join("bridge.toml"), text).unwrap();
}

fn hang_up(bridge: &Bridge) {
    assert!(Command::new("kill").args(["-HUP", &bridge.pid().to_string()]).status().unwrap().success());
}

/// The board's record at the embedded registry.
fn record(bridge: &Bridge) -> Option<Value> {
    let user = bridge.json(&["registry", "user", "show", "--json"]);
    let (status, body) = get(&bridge.http(), "/runtimes", Some(text(&user, "token")));
    assert_eq!(status, 200, "{body}");
    serde_json::from_str::<Vec<Value>>(&body).unwrap().pop()
}

/// What a client with that secret may do, over both protocols.
async fn may(board: &Value, secret: &str) -> (usize, bool) {
    let mut client = Fbp::connect(text(board, "url"), secret).await.unwrap();
    let runtime = client.ask("runtime", "getruntime", json!({})).await;
    let raw = Raw::connect(text(board, "rawUrl"), secret, firmware_proto::Dialect::Flo01).await;
    (runtime["payload"]["capabilities"].as_array().unwrap().len(), raw.is_ok())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_of_the_configuration_opens_the_board_and_is_changed_by_sighup_everywhere() {
    let dir = tempfile::tempdir().unwrap();
    let line = arduino();
    let device = line.path().display().to_string();
    let bridge = start(dir.path(), &device, &format!("secret = \"{FIRST}\""));
    let board = bridge.board_in_state("ready");
    assert_eq!(secret(&board), FIRST, "the live URL has it");
    let (capabilities, raw) = may(&board, FIRST).await;
    assert!(capabilities > 0, "the secret gives no capabilities");
    assert!(raw, "the secret does not open the raw socket");
    assert_eq!(may(&board, "another-secret-of-nobody").await, (0, false));
    let at_registry = |secret: &str| record(&bridge).is_some_and(|record| record["secret"] == secret);
    bridge.wait("the registry has it", |_| at_registry(FIRST));
    assert_eq!(record(&bridge).unwrap()["description"], "By the window");

    let old = Fbp::connect(text(&board, "url"), FIRST).await.unwrap();
    write(dir.path(), &device, &format!("secret = \"{SECOND}\""));
    hang_up(&bridge);
    println!("the client with the old secret: {:?}", old.closed().await);
    let board = bridge.board_in_state("ready");
    bridge.wait("the live URL has the new one", |bridge| secret(&bridge.boards()[0]) == SECOND);
    bridge.wait("it is ready", |bridge| bridge.boards()[0]["state"] == "ready");
    assert_eq!(may(&board, SECOND).await, (capabilities, true));
    assert_eq!(may(&board, FIRST).await, (0, false));
    bridge.wait("the registry has the new one", |_| at_registry(SECOND));

    // Without the key, the one that was made holds again.
    write(dir.path(), &device, "");
    hang_up(&bridge);
    bridge.wait("one that was made", |bridge| ![FIRST, SECOND].contains(&&*secret(&bridge.boards()[0])));
    bridge.wait("it is ready again", |bridge| bridge.boards()[0]["state"] == "ready");
    let made = secret(&bridge.boards()[0]);
    assert!(made.len() > 30);
    assert_eq!(may(&board, &made).await, (capabilities, true));
    bridge.wait("the registry has that one", |_| at_registry(&made));
    let log = bridge.log();
    assert!(![FIRST, SECOND, &made].iter().any(|secret| log.contains(secret)), "a secret in the log");
    assert_eq!(curl(&["-X", "DELETE", &format!("{}/runtimes/{}", bridge.http(), text(&board, "id"))]).0, 401);
}

/// What the simulated board blinks with, as its firmware's graph, with names that begin with that.
fn graph(name: &str) -> String {
    let node = |role: &str| format!("{name}{role}");
    let end = |role: &str, port: &str| json!({ "process": node(role), "port": port });
    let nodes = [("Timer", "Timer"), ("Toggle", "ToggleBoolean"), ("Led", "DigitalWrite")];
    let processes: serde_json::Map<_, _> =
        nodes.into_iter().map(|(role, component)| (node(role), json!({ "component": component }))).collect();
    json!({
        "caseSensitive": false,
        "properties": { "name": name },
        "processes": processes,
        "connections": [
            { "src": end("Timer", "out"), "tgt": end("Toggle", "in") },
            { "src": end("Toggle", "out"), "tgt": end("Led", "in") },
            { "data": BLINK.as_millis(), "tgt": end("Timer", "interval") },
            { "data": 13, "tgt": end("Led", "pin") },
        ],
    })
    .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_graph_of_a_board_names_its_nodes_in_place_of_the_one_beside_its_components() {
    let dir = tempfile::tempdir().unwrap();
    let dialect = firmware_proto::Dialect::Flo01;
    let build = dir.path().join("build");
    std::fs::create_dir(&build).unwrap();
    std::fs::write(build.join("componentlib-map.json"), sim::component_map(dialect).to_string()).unwrap();
    std::fs::write(build.join("main.json"), graph("beside")).unwrap();
    std::fs::write(dir.path().join("own.json"), graph("own")).unwrap();
    let embedded = Some(sim::blink(dialect, BLINK));
    for (rule, name) in [
        ("components = \"build\"", Some("beside")),
        ("components = \"build\"\ngraph = \"own.json\"", Some("own")),
        // Each key is decided by itself.
        ("graph = \"own.json\"\n[[board]]\nmatch = { path = \"DEVICE\" }\ncomponents = \"build\"", Some("own")),
        ("graph = \"own.json\"", None),
    ] {
        let line = sim::pty(Config { embedded: embedded.clone(), ..Config::new(dialect) }, Opening::Resets).unwrap();
        let device = line.path().display().to_string();
        let state = tempfile::tempdir_in(dir.path()).unwrap();
        write(dir.path(), &device, &rule.replace("DEVICE", &device));
        let mut command = Command::new(PROGRAM);
        command.args(["--device", &device, "--config"]).arg(dir.path().join("bridge.toml"));
        let bridge = Bridge::start_command(&state.path().join("state"), command);
        let board = bridge.board_in_state("ready");
        let shows = |bridge: &Bridge| bridge.cli(&["graph", "show", text(&board, "id")]);
        match name {
            Some(name) => bridge.wait(name, |bridge| shows(bridge).contains(&format!("{name}Toggle(ToggleBoolean)"))),
            None => {
                assert!(!bridge.cli(&["list", "--json"]).contains("build\""), "without components there is no build")
            }
        }
    }
    let device = "/dev/nothing-here";
    write(dir.path(), device, "graph = \"missing.json\"");
    let config = dir.path().join("bridge.toml");
    let refused = Command::new(PROGRAM)
        .args(["run", "--listen", "127.0.0.1:0", "--state-dir"])
        .arg(dir.path().join("refused"))
        .arg("--config")
        .arg(&config)
        .output()
        .unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && said.contains("missing.json cannot be read"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_board_that_opening_resets_is_not_spoken_to_before_it_has_started_if_its_policy_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let dialect = firmware_proto::Dialect::Flo01;
    // A bootloader that takes what comes for a program, and then a graph that tells of itself.
    let bootloader = sim::Bootloader { deaf: Duration::from_millis(600), rearmed: false };
    let config = Config { embedded: Some(sim::blink(dialect, BLINK)), bootloader, ..Config::new(dialect) };
    for (reset, who) in [("none", "to the board"), ("auto", "to the board"), ("on-open", "from the board")] {
        let line = sim::pty(config.clone(), Opening::Resets).unwrap();
        let device = line.path().display().to_string();
        let state = tempfile::tempdir_in(dir.path()).unwrap();
        write(state.path(), &device, &format!("reset = \"{reset}\""));
        let mut command = Command::new(PROGRAM);
        command.args(["-vv", "--device", &device, "--config"]).arg(state.path().join("bridge.toml"));
        let bridge = Bridge::start_command(&state.path().join("state"), command);
        bridge.board_in_state("ready");
        let log = bridge.log();
        let spoke = |who: &str| log.find(who).unwrap_or_else(|| panic!("nothing is heard {who}: {log}"));
        let first = if spoke("to the board") < spoke("from the board") { "to the board" } else { "from the board" };
        println!("reset = \"{reset}\": the first byte goes {first}");
        // A terminal has no lines to reset a board with, so that the usual is not to wait.
        assert_eq!(first, who, "reset = {reset}");
    }
}
