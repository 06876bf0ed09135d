//! What a bridge makes of the descriptors of its boards: of lies, of limits, and where something else is known of the firmware.

use std::process::Command;
use std::time::Duration;

use firmware_proto::Dialect;
use firmware_proto::descriptor::Identity;
use microflo_bridge::sim::{self, Config, Described, Opening, Pty, blink, component_map};
use serde_json::Value;

use crate::machine::{Machine, id, text, uno};
use crate::self_describing::{ID, NODE_LIMIT, board, boards, content, eeprom, is_on_board, only};
use crate::support::{Bridge, PROGRAM};

fn lying(dialect: Dialect, number: usize, lie: Lie) -> Pty {
    let chip = eeprom(dialect, &liars_id(number), "Gate");
    let mut described = Described { eeprom: Some(chip), ..Described::new(content(dialect)) };
    lie(&mut described);
    let embedded = Some(blink(dialect, Duration::from_millis(500)));
    sim::pty(Config { embedded, described: Some(described), ..Config::new(dialect) }, Opening::Resets).unwrap()
}

fn liars_id(number: usize) -> String {
    format!("0f9a3c56-5d1e-4f0a-9b1c-2d3e4f50617{number}")
}

fn wrong_hash(described: &mut Described) {
    let mut content = described.content.to_vec();
    content[1] ^= 1;
    (described.identity, described.content) = (Identity::of(&content), content.into());
}

type Lie = fn(&mut Described);

/// What is wrong, and words that say so.
const LIES: [(&str, Lie); 5] = [
    ("of version 9, this program knows 1; update this program", |described| described.identity.version = 9),
    ("of 65535 bytes and version 1, which cannot be", |described| described.identity.length = u16::MAX),
    ("checksum does not match", |described| described.content = described.content[..60].into()),
    ("checksum does not match", |described| described.identity.crc ^= 1),
    ("hash is not that of its content", wrong_hash),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_liar_is_used_without_names_and_the_reason_is_shown() {
    for dialect in Dialect::ALL {
        let mut machine = Machine::new();
        let bridge = machine.start(&[]);
        let places = ["1", "2", "3", "4", "5"].into_iter().zip(["ttyUSB0", "ttyUSB1", "ttyUSB2", "ttyUSB3", "ttyUSB4"]);
        let lies = LIES.iter().enumerate();
        let ptys: Vec<Pty> = lies.map(|(number, (_, lie))| lying(dialect, number, *lie)).collect();
        places.zip(&ptys).for_each(|((place, tty), pty)| machine.plug(&uno(place, None, tty, pty.path())));
        boards(&bridge, "all are ready", LIES.len(), |boards| boards.iter().all(is_on_board));
        for (number, (words, _)) in LIES.iter().enumerate() {
            let liar = liars_id(number);
            let status = bridge.cli(&["status", &liar]);
            assert!(status.contains("it has a descriptor that cannot be used: "), "{words}: {status}");
            assert!(status.contains(words), "{words}: {status}");
            let shown = bridge.json(&["list", "--json"]);
            let shown = shown.as_array().unwrap().iter().find(|board| id(board) == liar).unwrap().clone();
            assert_eq!((text(&shown, "state"), &shown["components"]), ("ready", &Value::Null));
            assert_eq!(text(&shown, "label"), "Gate", "that is stored elsewhere");
            let graph = bridge.json(&["graph", "show", &liar, "--json"]);
            let nodes: Vec<&String> = graph["processes"].as_object().unwrap().keys().collect();
            assert_eq!(nodes, ["node1", "node2", "node3"], "{words}");
            assert_eq!(graph["inports"], serde_json::json!({}), "{words}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_graph_of_more_nodes_than_the_boards_firmware_takes_is_refused_with_the_number() {
    let mut machine = Machine::new();
    let bridge = machine.start(&[]);
    let pty = board(Dialect::Flo01, Some(eeprom(Dialect::Flo01, ID, "Gate")));
    machine.plug(&uno("1", None, "ttyUSB0", pty.path()));
    only(&bridge, "it is ready", is_on_board);
    let most = usize::from(NODE_LIMIT) - 1;
    let path = machine.path("many.fbp");
    let upload = |nodes: usize| {
        let chain: Vec<String> = (0..nodes).map(|node| format!("n{node}(Forward)")).collect();
        std::fs::write(&path, chain.join(" OUT -> IN ") + "\n").unwrap();
        ["graph", "upload", ID, path.to_str().unwrap()]
    };
    let before = bridge.json(&["graph", "show", ID, "--json"]);
    let said = bridge.cli_error(&upload(most + 1));
    assert!(said.contains(&format!("at most {most} nodes")), "{said}");
    assert_eq!(bridge.json(&["graph", "show", ID, "--json"]), before, "nothing of it was done");
    bridge.cli(&upload(most));
    let graph = bridge.json(&["graph", "show", ID, "--json"]);
    assert_eq!(graph["processes"].as_object().unwrap().len(), most);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_for_this_board_wins_over_its_descriptor_and_what_is_for_all_does_not() {
    let dialect = Dialect::Flo01;
    let dir = tempfile::tempdir().unwrap();
    for name in ["for-all", "for-one", "configured"] {
        std::fs::create_dir(dir.path().join(name)).unwrap();
        std::fs::write(dir.path().join(name).join("componentlib-map.json"), component_map(dialect).to_string())
            .unwrap();
    }
    let pty = board(dialect, Some(eeprom(dialect, ID, "Gate")));
    let device = pty.path().display().to_string();
    let config = dir.path().join("bridge.toml");
    let start = |rule: &str| {
        std::fs::write(&config, rule).unwrap();
        let mut command = Command::new(PROGRAM);
        command.args(["--device", &device, "--config"]).arg(&config);
        Bridge::start_command(&dir.path().join("state"), command)
    };
    let shows = |bridge: &Bridge, source: &str| {
        bridge.wait(source, |bridge| {
            let boards = bridge.boards();
            boards.len() == 1 && is_on_board(&boards[0]) && boards[0]["components"].as_str().unwrap().contains(source)
        });
        let status = bridge.cli(&["status", ID]);
        println!("{status}");
        assert!(status.contains(source), "{source}: {status}");
    };
    let path = |name: &str| dir.path().join(name).display().to_string();
    let bridge = start("");
    shows(&bridge, "the board itself");
    bridge.cli(&["firmware", "add", &path("for-all")]);
    shows(&bridge, "the board itself");
    bridge.cli(&["firmware", "add", &path("for-one"), "--for", ID]);
    shows(&bridge, "for-one");
    drop(bridge);
    let bridge = start(&format!("[[board]]\nmatch = {{ path = \"{device}\" }}\ncomponents = \"configured\"\n"));
    shows(&bridge, "configured");
    drop(bridge);
    let bridge = start("");
    shows(&bridge, "for-one");
    bridge.cli(&["firmware", "remove", "for-one"]);
    shows(&bridge, "the board itself");
}
