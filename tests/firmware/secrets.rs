//! Three clients with three secrets: the owner's, the one for looking only, and a wrong one.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, HandshakeError, client};

use crate::board::Board;
use crate::client::Fbp;
use crate::graph::{edge, initial};
use crate::support::{Bridge, read_secret};

/// How long nothing must come.
const QUIET: Duration = Duration::from_millis(300);

const READ: [&str; 5] =
    ["graph:readonly", "protocol:component", "component:getsource", "network:status", "network:data"];

const FULL: [&str; 10] = [
    "protocol:runtime",
    "protocol:graph",
    "protocol:component",
    "component:getsource",
    "protocol:network",
    "network:status",
    "network:control",
    "network:data",
    "network:persist",
    "protocol:trace",
];

struct Three {
    _board: Board,
    _bridge: Bridge,
    shown: Value,
    owner: Fbp,
    reader: Fbp,
    stranger: Fbp,
}

impl Three {
    fn new(dir: &std::path::Path) -> Three {
        let board = Board::linux("empty", dir);
        let bridge = board.bridge(dir);
        let shown = bridge.board_in_state("ready");
        let owner = Fbp::connect(&shown);
        let reader = Fbp::with_secret(&shown, &read_secret(&shown));
        let stranger = Fbp::with_secret(&shown, "not the secret");
        Three { _board: board, _bridge: bridge, shown, owner, reader, stranger }
    }

    /// Who has asked for the runtime is known to the bridge.
    fn introduce(&mut self) -> [Value; 3] {
        let ask = |client: &mut Fbp| client.order("runtime:getruntime", json!({}));
        [&mut self.owner, &mut self.reader, &mut self.stranger].map(ask)
    }
}

fn error_of(client: &mut Fbp, what: &str, payload: &Value) -> Option<String> {
    let answer = client.ask(what, payload.clone());
    assert_eq!(answer["protocol"], what.split(':').next().unwrap(), "{what}");
    (answer["command"] == "error").then(|| answer["payload"]["message"].as_str().unwrap().to_owned())
}

#[test]
fn capabilities_are_what_the_secret_opens() {
    let dir = tempfile::tempdir().unwrap();
    let mut three = Three::new(dir.path());
    let [owner, reader, stranger] = three.introduce();
    let sorted = |payload: &Value, key: &str| {
        let mut names: Vec<_> =
            payload[key].as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect();
        names.sort_unstable();
        names
    };
    let expected = |names: &[&str]| {
        let mut names: Vec<_> = names.iter().map(|it| (*it).to_owned()).collect();
        names.sort_unstable();
        names.dedup();
        names
    };
    assert_eq!(sorted(&owner, "capabilities"), expected(&FULL));
    assert_eq!(sorted(&reader, "capabilities"), expected(&READ));
    assert_eq!(stranger["capabilities"], json!([]));
    for payload in [&owner, &reader, &stranger] {
        assert_eq!(sorted(payload, "allCapabilities"), expected(&[&FULL[..], &READ[..]].concat()));
        assert_eq!((&payload["id"], &payload["type"]), (&three.shown["id"], &json!("microflo")));
    }
    println!(
        "owner {}\nreader {}\nstranger {}",
        owner["capabilities"], reader["capabilities"], stranger["capabilities"]
    );
    let mut nobody = Fbp::with_secret(&three.shown, "");
    assert_eq!(nobody.order("runtime:getruntime", json!({}))["capabilities"], json!([]));
}

#[test]
fn commands_are_allowed_or_refused_on_their_own_sub_protocol() {
    let dir = tempfile::tempdir().unwrap();
    let mut three = Three::new(dir.path());
    let port = |node: &str, port: &str| json!({ "node": node, "port": port });
    let looks = [
        ("component:getsource", json!({ "name": "main" })),
        ("component:getsource", json!({ "name": "Timer" })),
        ("network:getstatus", json!({ "graph": "main" })),
        ("network:edges", json!({ "graph": "main", "edges": [] })),
    ];
    let edge = json!({ "graph": "main", "src": port("a", "out"), "tgt": port("b", "in"), "metadata": {} });
    let ports = |public: &str, port: &str| json!({ "graph": "main", "public": public, "node": "a", "port": port });
    let public = |name: &str| json!({ "graph": "main", "public": name });
    let rename = |from: &str, to: &str| json!({ "graph": "main", "from": from, "to": to });
    // In an order in which the owner may do all of it.
    let changes = [
        ("graph:clear", json!({ "id": "main", "name": "main", "main": true })),
        ("graph:addnode", json!({ "graph": "main", "id": "a", "component": "Forward" })),
        ("graph:addnode", json!({ "graph": "main", "id": "b", "component": "Forward" })),
        ("graph:changenode", json!({ "graph": "main", "id": "a", "metadata": { "x": 1 } })),
        ("graph:addedge", edge.clone()),
        ("graph:changeedge", edge.clone()),
        ("graph:addinitial", json!({ "graph": "main", "src": { "data": 1 }, "tgt": port("a", "in") })),
        ("graph:addinport", ports("in", "in")),
        ("graph:addoutport", ports("out", "out")),
        ("network:start", json!({ "graph": "main" })),
        ("runtime:packet", json!({ "graph": "main", "port": "in", "event": "data", "payload": 1 })),
        ("network:persist", json!({ "graph": "main" })),
        ("graph:renameinport", rename("in", "into")),
        ("graph:renameoutport", rename("out", "outof")),
        ("graph:removeinport", public("into")),
        ("graph:removeoutport", public("outof")),
        ("graph:addgroup", json!({ "graph": "main", "name": "g", "nodes": ["a"] })),
        ("graph:changegroup", json!({ "graph": "main", "name": "g", "metadata": {} })),
        ("graph:renamegroup", rename("g", "h")),
        ("graph:removegroup", json!({ "graph": "main", "name": "h" })),
        ("graph:removeinitial", json!({ "graph": "main", "tgt": port("a", "in") })),
        ("graph:removeedge", edge),
        ("graph:renamenode", rename("b", "c")),
        ("graph:removenode", json!({ "graph": "main", "id": "c" })),
        ("trace:start", json!({ "graph": "main" })),
        ("trace:dump", json!({ "graph": "main", "type": "flowtrace.json" })),
        ("trace:stop", json!({ "graph": "main" })),
        ("network:stop", json!({ "graph": "main" })),
    ];
    for (what, payload) in &looks {
        assert_eq!(error_of(&mut three.owner, what, payload), None);
        assert_eq!(error_of(&mut three.reader, what, payload), None, "{what}");
        assert!(error_of(&mut three.stranger, what, payload).unwrap().contains("needs the board's secret"), "{what}");
    }
    for (what, payload) in &changes {
        assert!(error_of(&mut three.reader, what, payload).unwrap().contains("only allows to look"), "{what}");
        assert!(error_of(&mut three.stranger, what, payload).unwrap().contains("needs the board's secret"), "{what}");
        assert_eq!(error_of(&mut three.owner, what, payload), None, "{what}");
    }
    assert!(error_of(&mut three.owner, "network:debug", &json!({})).unwrap().contains("not supported"));
    assert!(error_of(&mut three.stranger, "component:list", &json!({})).unwrap().contains("secret"));
    three.reader.send("component:list", json!({}));
    assert!(three.reader.wait_for("component:componentsready")["payload"].as_u64().unwrap() > 0);
    println!("{} kinds of looking, {} kinds of changing", looks.len(), changes.len());
}

#[test]
fn changes_and_data_reach_who_may_see_them() {
    let dir = tempfile::tempdir().unwrap();
    let mut three = Three::new(dir.path());
    three.introduce();
    let Three { owner, reader, stranger, .. } = &mut three;
    owner.order("graph:clear", json!({ "id": "g", "name": "g", "main": true }));
    for (id, component) in [("timer", "Timer"), ("toggle", "ToggleBoolean"), ("sink", "Forward")] {
        owner.order("graph:addnode", json!({ "graph": "g", "id": id, "component": component, "metadata": {} }));
    }
    owner.order("graph:addedge", edge("g", "timer", "out", "toggle", "in"));
    owner.order("graph:addedge", edge("g", "toggle", "out", "sink", "in"));
    owner.order("graph:addinitial", initial("g", &json!(20), "timer", "interval"));
    owner.order("graph:addoutport", json!({ "graph": "g", "public": "seen", "node": "sink", "port": "out" }));
    owner.wait_for("runtime:ports");
    owner.order("network:start", json!({ "graph": "g" }));
    let exported = owner.wait_for("runtime:packet");
    assert_eq!(exported["payload"]["port"], "seen");
    owner.wait_for("network:data");

    let told = ["clear", "addnode", "addnode", "addnode", "addedge", "addedge", "addinitial", "addoutport"];
    for command in told {
        assert_eq!(reader.wait_for(&format!("graph:{command}"))["payload"].get("secret"), None);
    }
    reader.wait_for("network:started");
    let data = reader.wait_for("network:data");
    println!("the reader sees {data}");
    owner.order("network:stop", json!({ "graph": "g" }));
    reader.wait_for("network:stopped");
    assert!(
        reader.told.iter().all(|it| it["protocol"] != "runtime"),
        "exported ports are the owner's: {:?}",
        reader.told
    );
    assert_eq!(stranger.next(Instant::now() + QUIET), None, "a stranger hears nothing");
    assert!(stranger.told.is_empty());
}

#[test]
fn the_raw_socket_is_the_owners_only() {
    let dir = tempfile::tempdir().unwrap();
    let three = Three::new(dir.path());
    let url = three.shown["rawUrl"].as_str().unwrap();
    let status = |secret: &str| {
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().insert("Authorization", format!("Bearer {secret}").parse().unwrap());
        let stream = TcpStream::connect(request.uri().authority().unwrap().as_str()).unwrap();
        match client(request, stream) {
            Ok(_) => 101,
            Err(HandshakeError::Failure(Error::Http(response))) => response.status().as_u16(),
            Err(error) => panic!("{error}"),
        }
    };
    let owners = crate::support::secret(&three.shown);
    assert_eq!((status(&read_secret(&three.shown)), status("not the secret"), status(&owners)), (401, 401, 101));
    assert_ne!(owners, read_secret(&three.shown));
}
