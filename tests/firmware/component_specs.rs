//! Components of real firmware, tested through the bridge by npm's `fbp-spec` 0.8.0: the suites in `specs`. The simulated board of
//! the same dialect must do the same.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::board::{Board, rig};
use crate::mocha;
use crate::support::secret;

/// So many there are at least, that no file is overlooked.
const CASES: usize = 90;
const COMPONENTS: usize = 20;

#[test]
fn components_of_real_firmware_do_what_their_specs_say() {
    let dir = tempfile::tempdir().unwrap();
    specs_hold(&mut Board::linux("empty", dir.path()), dir.path());
}

#[test]
fn components_of_the_simulated_board_do_what_their_specs_say() {
    let dir = tempfile::tempdir().unwrap();
    specs_hold(&mut Board::simulated(&["--dialect", "uC/Flo01"], dir.path()), dir.path());
}

fn specs_hold(board: &mut Board, dir: &Path) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/firmware");
    let specs = here.join("specs");
    let files = std::fs::read_dir(&specs).unwrap().map(|file| file.unwrap().path());
    let text: String = files.map(|file| std::fs::read_to_string(file).unwrap()).collect();
    // Each case has one assertion, each suite one topic.
    let cases = text.lines().filter(|line| line.starts_with("  assertion: ")).count();
    let components: BTreeSet<_> = text.lines().filter_map(|line| line.strip_prefix("topic: ")).collect();
    assert!(cases >= CASES && components.len() >= COMPONENTS, "{cases} cases, components {components:?}");

    let bridge = board.bridge(dir);
    let shown = bridge.board_in_state("ready");
    println!("{cases} cases of {} components", components.len());
    let modules = rig("npm/node_modules");
    let report = mocha::run(
        Command::new("node")
            .arg(modules.join("fbp-spec/node_modules/mocha/bin/_mocha"))
            .arg(here.join("clients/fbp-spec.js"))
            .env("NODE_PATH", modules)
            .env("ADDRESS", shown["url"].as_str().unwrap())
            .env("SECRET", secret(&shown))
            .env("SPECS", specs),
    );
    assert_eq!(report.failures, [""; 0]);
    assert_eq!(report.pending, [""; 0]);
    assert_eq!((report.tests.len(), report.passes.len()), (cases, cases));
    assert!(board.lives());
}
