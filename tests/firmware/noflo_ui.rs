//! What an IDE really sent, sent again: two sessions of NoFlo UI 0.29.1, word for word. It sends no request ids and its secret in the
//! payload only, and takes what comes next on the same sub-protocol for the answer.

use std::time::Instant;

use serde_json::{Value, json};

use crate::board::Board;
use crate::client::Fbp;
use crate::graph::{edge, initial};
use crate::support::{Bridge, PATIENCE, secret};

/// Opens a graph, stops and starts it, selects an edge, adds a node with an edge and an initial packet, changes and removes all that.
const LIVE_EDIT: &str = include_str!("sessions/noflo-ui-live-edit.jsonl");

/// Opens a graph of a runtime with a namespace: the UI asks for every source.
const WITH_NAMESPACE: &str = include_str!("sessions/noflo-ui-with-namespace.jsonl");

/// The secret of the recording.
const RECORDED_SECRET: &str = "s3cret";

/// The recorded runtime let an out port have several targets. Here a Split stands behind the timer, with a port for each.
const RECORDED_SRC: &str = r#""src":{"node":"timer","port":"out"}"#;

/// The UI.
struct Ide {
    client: Fbp,
    secret: String,
}

impl Ide {
    fn open(board: &Value) -> Ide {
        Ide { client: Fbp::connect(board), secret: secret(board) }
    }

    /// Sends a recorded message: the message and its answer's payload.
    fn say(&mut self, recorded: &str) -> (Value, Value) {
        let port = if recorded.contains("led2") { "out2" } else { "out1" };
        let text = recorded.replace(RECORDED_SRC, &format!(r#""src":{{"node":"split","port":"{port}"}}"#));
        let text = text.replace(RECORDED_SECRET, &self.secret);
        self.client.send_text(&text);
        let mut message: Value = serde_json::from_str(&text).unwrap();
        message["payload"].as_object_mut().unwrap().remove("secret");
        let answer = self.answer(&message);
        (message, answer)
    }

    /// As the UI finds it: by sub-protocol and command. Anything else may come before, but no error.
    fn answer(&mut self, message: &Value) -> Value {
        let command = match message["command"].as_str().unwrap() {
            "getruntime" => "runtime",
            "getsource" => "source",
            "getstatus" => "status",
            "list" => "componentsready",
            "start" => "started",
            "stop" => "stopped",
            command => command,
        };
        let until = Instant::now() + PATIENCE;
        loop {
            let told = self.client.next(until).unwrap_or_else(|| panic!("no answer to {message}"));
            assert_ne!(told["command"], "error", "{message} was answered with {told}");
            assert!(told.get("responseTo").is_none(), "{told}");
            if told["protocol"] == message["protocol"] && told["command"] == command {
                return told["payload"].clone();
            }
            self.client.told.push(told);
        }
    }

    /// The source of a component, or of the main graph.
    fn source(&mut self, name: &str) -> Value {
        let message = json!({ "protocol": "component", "command": "getsource", "payload": { "name": name, "secret": RECORDED_SECRET } });
        let (_, source) = self.say(&message.to_string());
        assert_eq!(source["name"], name);
        assert_eq!(source["language"], "json");
        serde_json::from_str(source["code"].as_str().unwrap()).unwrap()
    }
}

/// A board with the graph that the UI opened, and whoever built it.
fn opened(graph: &str, dir: &std::path::Path) -> (Board, Bridge, Value, Fbp) {
    let board = Board::linux("empty", dir);
    let bridge = board.bridge(dir);
    let shown = bridge.board_in_state("ready");
    let mut builder = Fbp::connect(&shown);
    builder.order("graph:clear", json!({ "id": graph, "name": "main", "main": true }));
    for (id, component) in [("timer", "Timer"), ("split", "Split"), ("led", "DigitalWrite")] {
        builder.order("graph:addnode", json!({ "graph": graph, "id": id, "component": component, "metadata": {} }));
    }
    builder.order("graph:addedge", edge(graph, "timer", "out", "split", "in"));
    builder.order("graph:addedge", edge(graph, "split", "out1", "led", "in"));
    builder.order("graph:addinitial", initial(graph, &json!("300"), "timer", "interval"));
    builder.order("graph:addinitial", initial(graph, &json!("13"), "led", "pin"));
    builder.order("network:start", json!({ "graph": graph }));
    (board, bridge, shown, builder)
}

/// What the UI looks at before it goes live.
fn assert_goes_live(runtime: &Value, board: &Value, graph: &str) {
    let version: f64 = runtime["version"].as_str().unwrap().parse().unwrap();
    assert!((0.4..=0.9).contains(&version), "{version}");
    let capabilities = runtime["capabilities"].as_array().unwrap();
    for needed in ["component:getsource", "protocol:component", "protocol:graph", "network:status", "network:control"] {
        assert!(capabilities.contains(&json!(needed)), "{needed}");
    }
    assert_eq!(runtime["graph"], graph);
    assert_eq!(runtime["type"], "microflo");
    assert_eq!((&runtime["id"], &runtime["label"]), (&board["id"], &board["label"]));
}

/// Components that were listed since the client was looked at last.
fn listed(ide: &mut Ide, count: &Value) -> Vec<String> {
    let told = std::mem::take(&mut ide.client.told);
    let names = told.iter().filter(|it| it["command"] == "component").map(|it| it["payload"]["name"].as_str().unwrap());
    let names: Vec<String> = names.map(str::to_owned).collect();
    assert_eq!(json!(names.len()), *count);
    names
}

#[test]
fn a_live_session_of_noflo_ui_goes_through_and_others_see_it() {
    let dir = tempfile::tempdir().unwrap();
    let (mut board, _bridge, shown, mut observer) = opened("main", dir.path());
    let before = observer.graph("main");
    let mut ide = Ide::open(&shown);
    observer.told.clear();
    let mut edits = 0;
    for recorded in LIVE_EDIT.lines() {
        let (message, answer) = ide.say(recorded);
        let what = format!("{}:{}", message["protocol"].as_str().unwrap(), message["command"].as_str().unwrap());
        match what.as_str() {
            "runtime:getruntime" => assert_goes_live(&answer, &shown, "main"),
            "component:getsource" => {
                let source: Value = serde_json::from_str(answer["code"].as_str().unwrap()).unwrap();
                assert_eq!(source, before);
            }
            "component:list" => assert!(listed(&mut ide, &answer).contains(&"DigitalWrite".to_owned())),
            "network:getstatus" => assert_eq!((&answer["running"], &answer["started"]), (&json!(true), &json!(true))),
            "network:stop" => assert_eq!(observer.wait_for("network:stopped")["payload"]["running"], false),
            "network:start" => assert_eq!(observer.wait_for("network:started")["payload"]["running"], true),
            "network:edges" => {
                assert_eq!(answer, message["payload"]);
                ide.client.told.clear();
                let data = ide.client.wait_for("network:data");
                assert_eq!(data["payload"]["tgt"], json!({ "node": "led", "port": "in" }), "what was selected");
            }
            _ => {
                assert_eq!(answer, message["payload"]);
                assert_eq!(observer.wait_for(&what)["payload"], answer, "the other client is told");
                edits += 1;
            }
        }
        if what == "graph:changeedge" {
            let edited = observer.graph("main");
            println!("with the new node, at the other client: {}", edited["connections"]);
            assert_eq!(edited["processes"]["led2"]["component"], "DigitalWrite");
            let connections = edited["connections"].as_array().unwrap().iter();
            let new: Vec<_> = connections.filter(|it| it["tgt"]["process"] == "led2").collect();
            assert_eq!(new.len(), 2, "an edge and an initial packet: {new:?}");
        }
    }
    println!("{} messages, {edits} edits; in the end: {}", LIVE_EDIT.lines().count(), ide.source("main"));
    assert_eq!(edits, 8);
    assert_eq!(observer.graph("main"), before, "the UI has removed what it had added");
    assert!(board.lives());
}

#[test]
fn noflo_ui_gets_every_source_of_a_runtime_with_a_namespace() {
    let dir = tempfile::tempdir().unwrap();
    let (mut board, _bridge, shown, mut observer) = opened("default/main", dir.path());
    let mut ide = Ide::open(&shown);
    let mut components = Vec::new();
    for recorded in WITH_NAMESPACE.lines() {
        let (message, answer) = ide.say(recorded);
        match message["command"].as_str().unwrap() {
            "getruntime" => assert_goes_live(&answer, &shown, "default/main"),
            "list" => components = listed(&mut ide, &answer),
            "getsource" => assert_eq!(answer["name"], message["payload"]["name"]),
            _ => assert_eq!(answer["running"], true),
        }
    }
    for name in &components {
        assert_eq!(ide.source(name)["name"], name.as_str());
    }
    println!("{} messages, then the sources of {} components", WITH_NAMESPACE.lines().count(), components.len());
    assert_eq!(ide.source("default/main"), observer.graph("default/main"));
    assert!(board.lives());
}
