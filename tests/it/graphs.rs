//! `graph show`, `graph upload` and `firmware` as users type them, on simulated boards.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::Bridge;

const BLINK: &str = "\
# @name Blink fast
'50' -> INTERVAL timer(Timer) OUT -> IN toggle(ToggleBoolean)
toggle OUT -> IN led(DigitalWrite)
INPORT=timer.INTERVAL:SPEED
";

fn file(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    fs::write(&path, text).unwrap();
    path
}

fn shown(bridge: &Bridge, board: &str) -> Value {
    bridge.json(&["graph", "show", board, "--json"])
}

#[test]
fn a_graph_is_uploaded_shown_and_survives_the_bridge() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let bridge = Bridge::start(&state, &["--simulate", "2"]);
    bridge.wait("both are ready", |bridge| bridge.boards().iter().all(|board| board["state"] == "ready"));
    let blink = file(dir.path(), "blink.fbp", BLINK);
    for board in bridge.boards() {
        let board = board["label"].as_str().unwrap();
        let said = bridge.cli(&["graph", "upload", board, blink.to_str().unwrap()]);
        assert_eq!(said, format!("{} runs on {board}\n", blink.display()));
        let text = bridge.cli(&["graph", "show", board]);
        assert!(text.starts_with("# @name Blink fast\ntimer(Timer) out -> in toggle(ToggleBoolean)\n"), "{text}");
        assert!(text.contains("INPORT=timer.interval:speed\n"), "{text}");
        // What is shown can be uploaded again, in both formats.
        let before = shown(&bridge, board);
        let again = file(dir.path(), "again.fbp", &text);
        bridge.cli(&["graph", "upload", board, again.to_str().unwrap()]);
        assert_eq!(shown(&bridge, board), before);
        let again = file(dir.path(), "again.json", &before.to_string());
        let said = bridge.cli(&["graph", "upload", board, again.to_str().unwrap(), "--stopped"]);
        assert!(said.contains("is on"), "{said}");
        assert_eq!(shown(&bridge, board), before);
    }
}

#[test]
fn a_wrong_graph_leaves_the_board_alone_and_says_where() {
    let dir = tempfile::tempdir().unwrap();
    let bridge = Bridge::start(&dir.path().join("state"), &["--simulate", "1"]);
    let board = bridge.board_in_state("ready")["label"].as_str().unwrap().to_owned();
    let before = shown(&bridge, &board);
    for (name, text, words) in [
        ("a.fbp", "a(Forward) OUT -> \n", "a.fbp is not a graph: line 1, column 19"),
        ("b.fbp", "a(Forwards) OUT -> IN b(Forward)\n", "no component Forwards"),
        ("c.fbp", "a(Forward) SIDE -> IN b(Forward)\n", "node a is a Forward, which has no out port side; it has out"),
        ("d.fbp", "1.5 -> IN b(Forward)\n", "1.5 is not an integer"),
        ("e.json", "{\"processes\":", "e.json is not JSON"),
        ("f.json", "[]", "must be a JSON object"),
    ] {
        let path = file(dir.path(), name, text);
        let said = bridge.cli_error(&["graph", "upload", &board, path.to_str().unwrap()]);
        assert!(said.contains(words), "{words}: {said}");
    }
    let said = bridge.cli_error(&["graph", "upload", &board, "/nowhere/x.fbp"]);
    assert!(said.contains("/nowhere/x.fbp cannot be read"), "{said}");
    assert_eq!(shown(&bridge, &board), before);
}

#[test]
fn firmware_is_added_listed_and_removed() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let bridge = Bridge::start(&state, &["--simulate", "1"]);
    let board = bridge.board_in_state("ready");
    assert!(bridge.cli(&["firmware", "list"]).contains("firmware add DIRECTORY"));
    let build = dir.path().join("door lock");
    fs::create_dir(&build).unwrap();
    let path = build.to_str().unwrap();
    assert!(bridge.cli_error(&["firmware", "add", path]).contains("no component map"));
    let components = json!({ "components": { "Forward": { "id": 11, "inPorts": { "in": { "id": 0 } } } } });
    fs::write(build.join("componentlib-map.json"), components.to_string()).unwrap();
    let id = board["id"].as_str().unwrap();
    let said = bridge.cli(&["firmware", "add", path, "--for", id, "--for", "2341:0043", "--for", "default"]);
    assert_eq!(said, format!("door lock: 1 components, for board:{id}, chip:2341:0043, default\n"));
    fs::write(build.join("main.json"), "{}").unwrap();
    assert!(bridge.cli_error(&["firmware", "add", path]).contains("it has no `processes`"));
    assert!(
        bridge.cli_error(&["firmware", "add", path, "--for", "no such board"]).contains("no board `no such board`")
    );
    bridge.kill();
    let bridge = Bridge::start(&state, &["--simulate", "1"]);
    let listed = bridge.json(&["firmware", "list", "--json"]);
    assert_eq!(listed[0]["name"], "door lock");
    assert_eq!(listed[0]["boards"].as_array().unwrap().len(), 3);
    assert_eq!(bridge.cli(&["firmware", "remove", "door lock"]), "door lock is forgotten\n");
    assert!(bridge.cli_error(&["firmware", "remove", "door lock"]).contains("no firmware is called door lock"));
    assert_eq!(bridge.json(&["firmware", "list", "--json"]), json!([]));
}
