//! The FBP protocol's own conformance suite, npm's `fbp-protocol` 0.9.8: the simulated board in both dialects, real firmware.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::board::{Board, rig};
use crate::mocha;
use crate::support::{Bridge, secret};

/// Its tests.
const TESTS: usize = 22;

/// The first words of each test's title.
const TITLE: &str = "microflo webSocket network runtime version 0.7 ";

/// Wants `running: false` of a network that was started: that it completes. A MicroFlo network never does.
const COMPLETES: &str = "Network Protocol on starting the network should provide a 'started' status";

/// Reads a string back from an edge, whose bytes real firmware does not report.
const STRING: &str = "Network Protocol on starting the network should process the nodes and stop when it completes";

/// Stock boards in both dialects: no firmware of theirs reports the bytes of a string.
const STOCK: [&[&str]; 2] = [&["--dialect", "uC/Flo01"], &["--dialect", "microflo1"]];

#[test]
fn simulated_boards_pass_all_but_that_a_network_completes() {
    for dialect in STOCK {
        let args = [dialect, &["--reports-bytes"]].concat();
        assert_eq!(simulated(&unmodified(), &args), [COMPLETES], "{args:?}");
    }
}

#[test]
fn the_boards_of_run_simulate_do_so_too() {
    let dir = tempfile::tempdir().unwrap();
    let bridge = Bridge::start(&dir.path().join("state"), &["--simulate", "1"]);
    assert_eq!(failures(&bridge, &unmodified(), dir.path()), [COMPLETES]);
}

#[test]
fn real_firmware_passes_all_but_these_two() {
    assert_eq!(real(&unmodified()), [STRING, COMPLETES]);
}

#[test]
fn simulated_stock_boards_fail_what_real_firmware_does() {
    for args in STOCK {
        assert_eq!(simulated(&unmodified(), args), [STRING, COMPLETES], "{args:?}");
    }
}

#[test]
fn with_a_number_for_its_string_all_boards_pass_all_but_that_a_network_completes() {
    let suite = with_a_number();
    assert_eq!(real(suite.path()), [COMPLETES]);
    for args in STOCK {
        assert_eq!(simulated(suite.path(), args), [COMPLETES], "{args:?}");
    }
}

/// What a simulated board fails.
fn simulated(suite: &Path, args: &[&str]) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    failures_of(&mut Board::simulated(args, dir.path()), suite, dir.path())
}

/// What real firmware fails.
fn real(suite: &Path) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    failures_of(&mut Board::linux("core", dir.path()), suite, dir.path())
}

fn failures_of(board: &mut Board, suite: &Path, dir: &Path) -> Vec<String> {
    let failures = failures(&board.bridge(dir), suite, dir);
    assert!(board.lives());
    failures
}

/// The suite as npm has it.
fn unmodified() -> PathBuf {
    rig("npm/node_modules/fbp-protocol")
}

/// A copy of the suite with 42 for its one string.
fn with_a_number() -> tempfile::TempDir {
    // Inside the rig, where the copy finds the modules that it needs.
    let copy = tempfile::Builder::new().prefix("fbp-protocol-").tempdir_in(rig("npm")).unwrap();
    let parts = ["bin", "schema", "src", "test"].map(|part| unmodified().join(part));
    assert!(Command::new("cp").arg("-r").args(parts).arg(copy.path()).status().unwrap().success());
    let file = copy.path().join("src/WebSocket.js");
    let original = std::fs::read_to_string(&file).unwrap();
    assert_eq!(original.matches("data: 'Hello, world!'").count(), 5);
    assert_eq!(original.matches("Hello, world!").count(), 5);
    std::fs::write(&file, original.replace("'Hello, world!'", "42")).unwrap();
    copy
}

/// Runs the suite's own runner against the only board of a bridge. The titles of the tests that fail, in the suite's order.
fn failures(bridge: &Bridge, suite: &Path, dir: &Path) -> Vec<String> {
    let shown = bridge.board_in_state("ready");
    let url = bridge.http();
    let (host, port) = url.trim_start_matches("http://").rsplit_once(':').unwrap();
    let port: u16 = port.parse().unwrap();
    let config = json!({ "name": "microflo", "host": host, "port": port, "collection": "core", "version": "0.7" });
    std::fs::write(dir.join("fbp-config.json"), config.to_string()).unwrap();
    println!("{}:", shown["firmware"]["dialect"]);
    let report = mocha::run(
        Command::new("node")
            .arg(suite.join("bin/fbp-test"))
            .current_dir(rig("npm")) // it starts `./node_modules/.bin/_mocha`
            .env("PROJECT_HOME", dir)
            .env("FBP_PROTOCOL_SECRET", secret(&shown)),
    );
    let titles = |titles: &[String]| -> Vec<String> {
        titles.iter().map(|title| title.strip_prefix(TITLE).unwrap().to_owned()).collect()
    };
    let (all, failures) = (titles(&report.tests), titles(&report.failures));
    assert_eq!(all.len(), TESTS);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), TESTS, "each has a title of its own");
    assert_eq!(report.passes.len() + failures.len(), TESTS, "none is left out");
    failures
}
