//! Ids that boards store: who has one, who gets it back, and what happens where it cannot be had.

use std::time::Duration;

use firmware_proto::Dialect;
use microflo_bridge::sim::{self, Bootloader, Config, Described, Opening};
use serde_json::Value;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};

use crate::machine::{Machine, id, text, uno};
use crate::self_describing::{ID, board, boards, content, eeprom, is_on_board, only};
use crate::tty::has_open;

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_id_goes_to_the_board_that_is_left_when_somebody_says_so() {
    let dialect = Dialect::Flo01;
    let mut machine = Machine::new();
    let bridge = machine.start(&[]);
    let chip = eeprom(dialect, ID, "Gate");
    let copy = chip.copied();
    let (first, second) = (board(dialect, Some(chip)), board(dialect, Some(copy.clone())));
    let original = uno("1", None, "ttyUSB0", first.path());
    machine.plug(&original);
    only(&bridge, "the first is there", is_on_board);
    machine.plug(&uno("2", None, "ttyUSB1", second.path()));
    let both = boards(&bridge, "both are there", 2, |_| true);
    let other = id(&both.values().find(|board| board["rung"] == "path").unwrap().clone()).to_owned();
    let said = bridge.cli_error(&["id", &other, "--on-board", ID]);
    assert!(said.contains("is what a board or a port here is known by"), "{said}");

    machine.unplug(&original);
    let left = only(&bridge, "the first is gone", |_| true);
    assert_eq!(id(&left), other, "nobody has said anything yet");
    let wear = copy.wear();
    let said = bridge.cli(&["id", &other, "--on-board", ID]);
    assert!(said.contains(&format!("has the id {ID} now")), "{said}");
    let now = only(&bridge, "it is ready", is_on_board);
    assert_eq!((id(&now), &now["warnings"], copy.wear()), (ID, &Value::Array(Vec::new()), wear));
    let said = bridge.cli(&["id", ID, "--on-board", ID]);
    assert!(said.contains("already"), "{said}");
    drop(bridge);
    let bridge = machine.start(&[]);
    assert_eq!(id(&only(&bridge, "it comes back", is_on_board)), ID);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_secret_of_a_stored_id_cannot_be_kept_the_board_stays_ready_as_it_is_known() {
    let dialect = Dialect::Flo01;
    let mut machine = Machine::new();
    drop(machine.start(&[]));
    let options = SqliteConnectOptions::new().filename(machine.path("state").join("state.db"));
    let database = SqlitePool::connect_with(options).await.unwrap();
    let trigger = format!(
        "CREATE TRIGGER full BEFORE INSERT ON boards WHEN NEW.id = '{ID}' BEGIN SELECT RAISE(ABORT, 'disk full'); END"
    );
    sqlx::query(sqlx::AssertSqlSafe(trigger)).execute(&database).await.unwrap();
    database.close().await;
    let bridge = machine.start(&[]);
    let pty = board(dialect, Some(eeprom(dialect, ID, "Gate")));
    machine.plug(&uno("1", None, "ttyUSB0", pty.path()));
    let warned = |board: &Value| board["warnings"].to_string().contains("its secret cannot be stored");
    let found = only(&bridge, "it is ready, with a warning", warned);
    assert_eq!(text(&found, "rung"), "path");
    // Longer than any look at the ports takes to come.
    std::thread::park_timeout(Duration::from_secs(7));
    assert_eq!(id(&only(&bridge, "it still is", warned)), id(&found));
    let log = bridge.log();
    assert_eq!(log.matches(" found ").count(), 1, "its port is opened once: {log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_start_the_id_is_that_of_the_board_that_had_it_though_another_answers_first() {
    let dialect = Dialect::Flo01;
    let mut machine = Machine::new();
    let chip = eeprom(dialect, ID, "Gate");
    let slow = Bootloader { deaf: Duration::from_secs(2), rearmed: false };
    let described = Described { eeprom: Some(chip.clone()), ..Described::new(content(dialect)) };
    let config = Config { bootloader: slow, described: Some(described), ..Config::new(dialect) };
    let original = sim::pty(config, Opening::Resets).unwrap();
    machine.plug(&uno("2", None, "ttyUSB1", original.path()));
    let bridge = machine.start(&[]);
    only(&bridge, "the first is there", is_on_board);
    drop(bridge);
    let copy = board(dialect, Some(chip.copied()));
    machine.plug(&uno("1", None, "ttyUSB0", copy.path()));
    let bridge = machine.start(&[]);
    let waits = |board: &Value| board["warnings"].to_string().contains("has not answered yet");
    bridge.wait("the copy waits", |bridge| bridge.boards().iter().any(waits));
    let is_keeper = |board: &Value| is_on_board(board) && id(board) == ID;
    let both = boards(&bridge, "both are ready", 2, |boards| boards.iter().any(is_keeper));
    let rungs: Vec<&str> = both.values().map(|board| text(board, "rung")).collect();
    assert_eq!(rungs, ["path", "on-board"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_board_that_is_to_be_ignored_by_the_id_that_it_stores_is_never_ready() {
    let mut machine = Machine::new();
    let config = machine.path("bridge.toml");
    std::fs::write(&config, format!("[[board]]\nmatch = {{ id = \"{ID}\" }}\nignore = true\n")).unwrap();
    let bridge = machine.start(&["--config", config.to_str().unwrap()]);
    let pty = board(Dialect::Flo01, Some(eeprom(Dialect::Flo01, ID, "Gate")));
    machine.plug(&uno("1", None, "ttyUSB0", pty.path()));
    bridge.wait("it is ignored", |bridge| {
        let boards = bridge.boards();
        assert!(boards.iter().all(|board| board["state"] != "ready"), "{boards:?}");
        boards.iter().any(|board| board["state"] == "ignored")
    });
    // Longer than any look at the ports takes to come.
    std::thread::park_timeout(Duration::from_secs(6));
    let ignored = bridge.board_in_state("ignored");
    assert_eq!((id(&ignored), bridge.boards().len()), (ID, 1));
    assert_eq!(text(&ignored, "reason"), "the configuration says to ignore it");
    assert!(!has_open(bridge.pid(), pty.path()));
}
