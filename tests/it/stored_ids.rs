//! Ids that boards store: who has one, who gets it back, and what happens where it cannot be had.

use std::time::Duration;

use firmware_proto::Dialect;
use serde_json::Value;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};

use crate::machine::{Machine, id, text, uno};
use crate::self_describing::{ID, board, boards, eeprom, is_on_board, only};

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
