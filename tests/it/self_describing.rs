//! Boards that say themselves who they are: simulated ones in both dialects, on bridges that know nothing of them.

use std::collections::BTreeMap;
use std::time::Duration;

use firmware_proto::Dialect;
use firmware_proto::descriptor::writer::WriteStep;
use firmware_proto::descriptor::{Firmware, Own, OwnWriter};
use microflo_bridge::pure::descriptor::{Options, compile};
use microflo_bridge::pure::model::build::Build;
use microflo_bridge::sim::{self, Config, Described, Eeprom, Opening, Pty, blink, component_map};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::machine::{Machine, id, text, uno};
use crate::support::Bridge;

pub(crate) const ID: &str = "0f9a3c56-5d1e-4f0a-9b1c-2d3e4f506172";

/// Places for nodes, of which firmware never uses the last.
pub(crate) const NODE_LIMIT: u8 = 12;

/// What the firmware of a blinking board says of itself.
pub(crate) fn content(dialect: Dialect) -> Vec<u8> {
    let graph = json!({
        "properties": { "name": "Porch" },
        "inports": { "pace": { "process": "every", "port": "interval" } },
        "outports": {},
        "processes": {
            "every": { "component": "Timer" }, "flip": { "component": "ToggleBoolean" }, "lamp": { "component": "DigitalWrite" },
        },
        "connections": [
            { "src": { "process": "every", "port": "out" }, "tgt": { "process": "flip", "port": "in" } },
            { "src": { "process": "flip", "port": "out" }, "tgt": { "process": "lamp", "port": "in" } },
            { "data": 500, "tgt": { "process": "every", "port": "interval" } },
            { "data": 13, "tgt": { "process": "lamp", "port": "pin" } },
        ],
    });
    let build = Build::read(&component_map(dialect).to_string(), Some(&graph.to_string()), "").unwrap();
    compile(&build, &Options { dialect, node_limit: NODE_LIMIT, message_limit: 50, label: "Blinker".into() }).unwrap()
}

/// A chip that stores this.
pub(crate) fn eeprom(dialect: Dialect, id: &str, label: &str) -> Eeprom {
    let (content, chip) = (content(dialect), Eeprom::default());
    let own = Own { id: Some(id.parse::<Uuid>().unwrap().into_bytes()), label };
    let mut writer = OwnWriter::new(&own).unwrap();
    while let WriteStep::Ask(query) = writer.step() {
        writer.handle(Firmware::new(&content).answer(query, Some(&mut chip.clone()))).unwrap();
    }
    chip
}

pub(crate) fn board(dialect: Dialect, eeprom: Option<Eeprom>) -> Pty {
    let described = Described { eeprom, ..Described::new(content(dialect)) };
    let embedded = Some(blink(dialect, Duration::from_millis(500)));
    sim::pty(Config { embedded, described: Some(described), ..Config::new(dialect) }, Opening::Resets).unwrap()
}

/// The boards by USB path, once that many are ready and hold that.
pub(crate) fn boards(
    bridge: &Bridge,
    what: &str,
    count: usize,
    holds: impl Fn(&[Value]) -> bool,
) -> BTreeMap<String, Value> {
    bridge.wait(what, |bridge| {
        let boards = bridge.boards();
        boards.len() == count && boards.iter().all(|board| board["state"] == "ready") && holds(&boards)
    });
    bridge.boards().into_iter().map(|board| (text(&board["usb"], "path").to_owned(), board)).collect()
}

pub(crate) fn only(bridge: &Bridge, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    boards(bridge, what, 1, |boards| holds(&boards[0])).into_values().next().unwrap()
}

pub(crate) fn is_on_board(board: &Value) -> bool {
    board["rung"] == "on-board"
}

#[tokio::test(flavor = "multi_thread")]
async fn a_board_brings_its_id_label_and_names_along() {
    for dialect in Dialect::ALL {
        let mut machine = Machine::new();
        let bridge = machine.start(&[]);
        let pty = board(dialect, Some(eeprom(dialect, ID, "Porch light")));
        machine.plug(&uno("1", None, "ttyUSB0", pty.path()));
        let found = only(&bridge, "it is known by the id that it stores", is_on_board);
        assert_eq!((id(&found), text(&found, "label")), (ID, "Porch light"));
        assert_eq!(text(&found, "components"), "the board itself");
        assert_eq!(bridge.json(&["list", "--json", "--all"]).as_array().unwrap().len(), 1, "under one id only");
        bridge.wait("it is registered", |bridge| bridge.boards()[0]["registries"][0]["registered"] == true);
        let records = bridge.json(&["registry", "list", "--json"]);
        assert_eq!(records.as_array().map(Vec::len), Some(1), "and once only: {records}");
        let graph = bridge.json(&["graph", "show", ID, "--json"]);
        let nodes: Vec<&String> = graph["processes"].as_object().unwrap().keys().collect();
        assert_eq!(nodes, ["every", "flip", "lamp"]);
        assert_eq!(graph["inports"]["pace"], json!({ "process": "every", "port": "interval", "metadata": {} }));
        assert_eq!(graph["processes"]["lamp"]["component"], "DigitalWrite");
        let status = bridge.cli(&["status", "Porch light"]);
        assert!(status.contains(&format!("{ID} (from the board itself)")), "{status}");
        println!("{}:\n{status}", dialect.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn id_and_label_move_with_the_board_to_any_port_and_any_bridge() {
    let dialect = Dialect::Flo01;
    let (mut here, mut there) = (Machine::new(), Machine::with_id("5ca1ab1e0ddba11c0ffee00000000002"));
    let (bridge, other) = (here.start(&[]), there.start(&[]));
    let chip = Eeprom::default();
    let pty = board(dialect, Some(chip.clone()));
    let device = uno("1", None, "ttyUSB0", pty.path());
    here.plug(&device);
    let fresh = only(&bridge, "it is ready", |board| board["state"] == "ready");
    assert_eq!((text(&fresh, "rung"), text(&fresh, "label")), ("path", "Blinker"), "it stores nothing yet");
    let said = bridge.cli(&["id", "Blinker", "--on-board", "new"]);
    let stored = only(&bridge, "it has an id of its own", is_on_board);
    assert!(said.contains(id(&stored)), "{said}");
    assert_ne!(id(&stored), id(&fresh));
    bridge.cli(&["label", id(&stored), "Gate", "--on-board"]);
    assert_eq!(text(&only(&bridge, "it is ready", is_on_board), "label"), "Gate");

    let wear = chip.wear();
    let said = bridge.cli(&["label", "Gate", "Gate", "--on-board"]);
    assert!(said.contains("stores the label Gate already"), "{said}");
    let said = bridge.cli(&["id", "Gate", "--on-board", id(&stored)]);
    assert!(said.contains("already"), "{said}");
    assert_eq!(chip.wear(), wear, "what is there is not written again");

    here.unplug(&device);
    bridge.wait("it is gone", |bridge| bridge.boards().is_empty());
    let again = board(dialect, Some(chip.clone()));
    let elsewhere = uno("2", None, "ttyUSB1", again.path());
    here.plug(&elsewhere);
    let moved = only(&bridge, "it is back at another port", is_on_board);
    assert_eq!((id(&moved), text(&moved, "label")), (id(&stored), "Gate"));
    here.unplug(&elsewhere);
    let abroad = board(dialect, Some(chip));
    there.plug(&uno("1", None, "ttyUSB0", abroad.path()));
    let moved = only(&other, "it is at another computer", is_on_board);
    assert_eq!((id(&moved), text(&moved, "label")), (id(&stored), "Gate"));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_clones_the_first_keeps_the_id_and_the_other_is_given_one() {
    let dialect = Dialect::Microflo1;
    let mut machine = Machine::new();
    let bridge = machine.start(&[]);
    let chip = eeprom(dialect, ID, "Gate");
    let (first, second) = (board(dialect, Some(chip.clone())), board(dialect, Some(chip.copied())));
    machine.plug(&uno("1", None, "ttyUSB0", first.path()));
    only(&bridge, "the first is there", is_on_board);
    machine.plug(&uno("2", None, "ttyUSB1", second.path()));
    let warned = |boards: &[Value]| boards.iter().any(|board| !board["warnings"].as_array().unwrap().is_empty());
    let both = boards(&bridge, "both are there, and one is warned of", 2, warned);
    let [first_board, second_board] = both.values().collect::<Vec<_>>()[..] else { panic!("{both:?}") };
    assert_eq!((id(first_board), text(second_board, "rung")), (ID, "path"));
    let warning = second_board["warnings"][0].as_str().unwrap();
    println!("{warning}");
    let command = warning.rsplit_once("microflo-bridge ").unwrap().1;
    bridge.cli(&command.split(' ').collect::<Vec<_>>());
    let both = boards(&bridge, "both have ids of their own", 2, |boards| boards.iter().all(is_on_board));
    let ids: Vec<String> = both.values().map(|board| id(board).to_owned()).collect();
    assert!(ids[0] == ID && ids[1] != ID, "{ids:?}");
    assert!(both.values().all(|board| board["warnings"].as_array().unwrap().is_empty()), "{both:?}");
    drop(bridge);
    let bridge = machine.start(&[]);
    let again = boards(&bridge, "they come back", 2, |boards| boards.iter().all(is_on_board));
    assert_eq!(again.values().map(|board| id(board).to_owned()).collect::<Vec<_>>(), ids);
}

#[tokio::test(flavor = "multi_thread")]
async fn boards_without_serial_numbers_swap_ports_and_keep_their_ids() {
    let dialect = Dialect::Flo01;
    let mut machine = Machine::new();
    let bridge = machine.start(&[]);
    let chips = [eeprom(dialect, ID, "Left"), eeprom(dialect, "7d444840-9dc0-41d1-b245-5ffdce74fad2", "Right")];
    for order in [[0, 1], [1, 0]] {
        let ptys = order.map(|which: usize| board(dialect, Some(chips[which].clone())));
        let devices = [uno("1", None, "ttyUSB0", ptys[0].path()), uno("2", None, "ttyUSB1", ptys[1].path())];
        devices.iter().for_each(|device| machine.plug(device));
        let found = boards(&bridge, "both are known", 2, |boards| boards.iter().all(is_on_board));
        let labels: Vec<&str> = found.values().map(|board| text(board, "label")).collect();
        assert_eq!(labels, order.map(|which| ["Left", "Right"][which]));
        devices.iter().for_each(|device| machine.unplug(device));
        bridge.wait("both are gone", |bridge| bridge.boards().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_graph_is_taken_up_again_under_the_stored_id() {
    let dialect = Dialect::Flo01;
    let mut machine = Machine::new();
    let described = Described { eeprom: Some(eeprom(dialect, ID, "Gate")), ..Described::new(content(dialect)) };
    // Opening does not reset it.
    let pty = sim::pty(Config { described: Some(described), ..Config::new(dialect) }, Opening::Joins).unwrap();
    machine.plug(&uno("1", None, "ttyUSB0", pty.path()));
    let bridge = machine.start(&[]);
    only(&bridge, "it is ready", is_on_board);
    let graph = machine.path("two.fbp");
    std::fs::write(&graph, "'300' -> INTERVAL often(Timer) OUT -> IN there(ToggleBoolean)\n").unwrap();
    bridge.cli(&["graph", "upload", ID, graph.to_str().unwrap()]);
    let before = bridge.json(&["graph", "show", ID, "--json"]);
    drop(bridge);
    let bridge = machine.start(&[]);
    only(&bridge, "it is ready", is_on_board);
    bridge.wait("its graph is shown", |bridge| bridge.json(&["graph", "show", ID, "--json"]) == before);
    assert!(before["processes"]["often"].is_object());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_board_that_cannot_store_anything_says_what_to_do() {
    let dialect = Dialect::Flo01;
    let mut machine = Machine::new();
    let bridge = machine.start(&[]);
    let stock = sim::pty(Config::new(dialect), Opening::Resets).unwrap();
    let device = uno("1", None, "ttyUSB0", stock.path());
    machine.plug(&device);
    let found = only(&bridge, "it is ready", |board| board["state"] == "ready");
    let error = bridge.cli_error(&["id", id(&found), "--on-board", "new"]);
    assert!(error.contains("does not describe itself"), "{error}");
    machine.unplug(&device);
    bridge.wait("it is gone", |bridge| bridge.boards().is_empty());
    let forgetful = board(dialect, None);
    machine.plug(&uno("2", None, "ttyUSB1", forgetful.path()));
    let found = only(&bridge, "it is ready", |board| board["components"] == "the board itself");
    let error = bridge.cli_error(&["label", id(&found), "Door", "--on-board"]);
    assert!(error.contains("no memory"), "{error}");
    let error = bridge.cli_error(&["label", id(&found), &"long ".repeat(12), "--on-board"]);
    assert!(error.contains("no memory") || error.contains("32"), "{error}");
    let error = bridge.cli_error(&["id", id(&found), "--on-board", "nonsense"]);
    assert!(error.contains("no UUID"), "{error}");
}
