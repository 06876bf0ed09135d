//! `run --simulate`.

use crate::support::Bridge;

#[test]
fn two_simulated_boards_become_ready_and_are_registered() {
    let dir = tempfile::tempdir().unwrap();
    let bridge = Bridge::start(&dir.path().join("state"), &["--simulate", "2"]);
    bridge.wait("both are registered", |bridge| {
        let boards = bridge.boards();
        boards.len() == 2
            && boards.iter().all(|board| board["state"] == "ready" && board["registries"][0]["registered"] == true)
    });
    let boards = bridge.boards();
    for board in &boards {
        for key in ["id", "label", "device", "usb", "firmware", "state", "reason", "url", "rawUrl", "liveUrl"] {
            assert!(board.get(key).is_some(), "{key} is missing in {board}");
        }
        let live = board["liveUrl"].as_str().unwrap();
        assert!(live.contains("#runtime/endpoint?protocol%3Dwebsocket%26address%3Dws%3A%2F%2F127.0.0.1"), "{live}");
    }
    let dialects: Vec<_> = boards.iter().map(|board| board["firmware"]["dialect"].as_str().unwrap()).collect();
    assert_eq!(dialects, ["uC/Flo01", "microflo1"]);
}

#[test]
fn ids_labels_and_secrets_survive_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let bridge = Bridge::start(&state, &["--simulate", "1"]);
    let before = bridge.board_in_state("ready");
    bridge.cli(&["label", before["id"].as_str().unwrap(), "Greenhouse"]);
    let secret = crate::support::secret(&before);
    bridge.kill();
    let bridge = Bridge::start(&state, &["--simulate", "1"]);
    let after = bridge.board_in_state("ready");
    assert_eq!(after["id"], before["id"]);
    assert_eq!(after["label"], "Greenhouse");
    assert_eq!(crate::support::secret(&after), secret);
}
