//! Messages that must be refused, whatever is on the board.

use serde_json::{Value, json};

use super::link::Ask;
use super::random::Random;
use super::valid::Draft;
use super::world::World;

/// The longest message that the bridge reads is a little longer.
const HUGE_BYTES: usize = 1_000_000;

/// What is no JSON, or no object.
const NOT_MESSAGES: [&str; 20] = [
    "",
    " ",
    "{",
    "}",
    "null",
    "true",
    "[]",
    "[{\"protocol\":\"graph\",\"command\":\"clear\"}]",
    "42",
    "-0",
    "1e400",
    "\"text\"",
    "'single'",
    "{protocol:\"graph\"}",
    "{\"protocol\":\"graph\",\"command\":\"clear\",}",
    "{\"protocol\":\"graph\",\"command\":\"clear\",\"payload\":{\"id\":\"main\"}",
    "{\"protocol\":\"graph\",\"command\":\"addnode\",\"payload\":{\"x\":1e999}}",
    "{\"protocol\":\"graph\",\"command\":\"\\ud800\"}",
    "\u{0}",
    "\u{feff}{}",
];

const UNKNOWN: [(&str, &str); 13] = [
    ("graph", "explode"),
    ("graph", "CLEAR"),
    ("network", "restart"),
    ("network", "debug"),
    ("component", "source"),
    ("component", "setsource"),
    ("runtime", "ports"),
    ("runtime", "packetsent"),
    ("trace", "error"),
    ("trace", "begin"),
    ("__proto__", "toString"),
    ("日本", "語"),
    ("graph", "add\u{0}node"),
];

/// Makes something that must be refused of a message that may be fine.
pub(super) fn spoil(draft: Draft, world: &World, secrets: &[String; 2], random: &mut Random) -> Ask {
    let (protocol, command) = draft.what.split_once(':').unwrap();
    let mut message =
        json!({ "protocol": protocol, "command": command, "payload": draft.payload, "secret": secrets[0] });
    match random.below(12) {
        0 => return Ask::junk(random.of(&NOT_MESSAGES)),
        1 => return Ask::junk(&deep(random)),
        2 => {
            let (protocol, command) = UNKNOWN[random.below(UNKNOWN.len())];
            (message["protocol"], message["command"]) = (json!(protocol), json!(command));
        }
        3 => {
            let secret = random.of(&["", "wrong", "null", "\u{0}"]);
            message["secret"] = if random.once_in(4) { json!([secrets[0]]) } else { json!(secret) };
            if command == "getruntime" {
                message["command"] = json!("packet");
            }
        }
        4 => {
            message["secret"] = json!(secrets[1]);
            if !["graph", "runtime"].contains(&protocol) || command == "getruntime" {
                (message["protocol"], message["command"]) = (json!("network"), json!("stop"));
            }
        }
        5 if draft.needs.contains(&"graph") => {
            let name = random.of(&["another", "MAIN", " main", "main\u{0}"]);
            message["payload"]["graph"] = json!(name);
        }
        6 | 7 if !draft.needs.is_empty() => {
            let field = random.of(draft.needs);
            message["payload"].as_object_mut().unwrap().remove(field);
        }
        8 | 9 if !draft.needs.is_empty() => {
            message["payload"][random.of(draft.needs)] = of_no_use(random);
        }
        10 => {
            let junk = [json!([]), json!("text"), json!(7), json!(true)];
            message["payload"] = junk[random.below(junk.len())].clone();
        }
        _ => message = too_much(world, random, &secrets[0]),
    }
    let id = if random.once_in(5) { None } else { Some(()) };
    if id.is_none() && random.once_in(2) {
        let ids = [json!(7), json!(null), json!(""), json!({ "a": 1 }), json!("x".repeat(129))];
        message["requestId"] = ids[random.below(ids.len())].clone();
    }
    Ask::refused(message, id.is_some())
}

/// Neither a name nor a port nor a list.
fn of_no_use(random: &mut Random) -> Value {
    match random.below(9) {
        0 => Value::Null,
        1 => json!(7),
        2 => json!(1e300),
        3 => json!(true),
        4 => json!([[]]),
        5 => json!({ "node": 1, "port": {} }),
        6 => json!(""),
        7 => json!({ "node": "a", "port": "out", "index": -1, "data": [0.5] }),
        _ => json!("x".repeat(129)),
    }
}

/// More than anybody needs, or than a board can carry.
fn too_much(world: &World, random: &mut Random, secret: &str) -> Value {
    let node = world.node(random).map_or_else(|| "n1".to_owned(), |(name, _)| name);
    let tgt = json!({ "node": node, "port": "in" });
    let initial = |data: Value| ("addinitial", json!({ "src": { "data": data }, "tgt": tgt }));
    let (command, mut payload) = match random.below(60) {
        0 => initial(json!("x".repeat(HUGE_BYTES))),
        1 => initial(json!(vec![0; HUGE_BYTES / 2])),
        2 => ("addgroup", json!({ "name": "many", "nodes": vec!["n"; HUGE_BYTES / 4] })),
        3..=10 => initial(json!(2_147_483_648_u64)),
        11..=17 => initial(json!(0.5)),
        18..=24 => initial(json!({ "no": "error" })),
        25..=28 => initial(json!(u64::MAX)),
        29..=32 => initial(json!(vec![1; 300])),
        33..=40 => ("addgroup", json!({ "name": "many", "nodes": vec!["n"; 257] })),
        41..=45 => ("addnode", json!({ "id": "x".repeat(100_000), "component": "Forward" })),
        _ => ("changenode", json!({ "id": node, "metadata": { "long": "x".repeat(20_000) } })),
    };
    payload["graph"] = json!(world.graph);
    json!({ "protocol": "graph", "command": command, "payload": payload, "secret": secret })
}

/// Deeper than a parser should follow.
fn deep(random: &mut Random) -> String {
    let depth = 200 + random.below(20_000);
    match random.below(3) {
        0 => "[".repeat(depth),
        1 => format!("{}{}", "[".repeat(depth), "]".repeat(depth)),
        _ => format!("{{\"protocol\":\"graph\",\"payload\":{}1{}}}", "{\"a\":".repeat(depth), "}".repeat(depth)),
    }
}
