//! Recordings: what flowed while one was on, the newest of it, as a Flowtrace.

use firmware_proto::Dialect;
use serde_json::{Value, json};

use super::bench::{Bench, commands, end, error_text};

fn pipe() -> Bench {
    let mut bench = Bench::new(Dialect::Microflo1);
    bench.nodes("Forward", &["a", "b"]);
    bench.graph("addedge", json!({ "src": end("a", "out"), "tgt": end("b", "in") }));
    bench.graph("addinport", json!({ "public": "in", "node": "a", "port": "in" }));
    bench.graph("addinitial", json!({ "src": { "data": 1 }, "tgt": end("a", "in") }));
    bench
}

fn send(bench: &mut Bench, value: i32) {
    bench.ask("runtime", "packet", json!({ "graph": "main", "port": "in", "event": "data", "payload": value }));
}

fn dump(bench: &mut Bench) -> Value {
    let got = bench.ask("trace", "dump", json!({ "graph": "main", "type": "flowtrace.json" }));
    assert_eq!(commands(&got), ["dump"]);
    assert_eq!(got[0]["payload"]["type"], "flowtrace.json");
    serde_json::from_str(got[0]["payload"]["flowtrace"].as_str().unwrap()).unwrap()
}

fn values(trace: &Value) -> Vec<&Value> {
    trace["events"].as_array().unwrap().iter().map(|event| &event["payload"]["data"]).collect()
}

#[test]
fn what_flows_while_it_is_on_is_recorded() {
    let mut bench = pipe();
    let started = bench.ask("trace", "start", json!({ "graph": "main", "other": 1 }));
    assert_eq!(started[0]["payload"], json!({ "graph": "main", "buffersize": 262_144 }));
    bench.ask("network", "start", json!({ "graph": "main" }));
    send(&mut bench, 7);
    bench.ask("trace", "stop", json!({ "graph": "main" }));
    send(&mut bench, 8);
    let trace = dump(&mut bench);
    assert_eq!(values(&trace), [&json!(1), &json!(1), &json!(7)]);
    assert_eq!(trace["events"][0]["payload"]["id"], "DATA -> IN a()");
    assert_eq!(trace["events"][2]["time"], "2026-11-22T07:53:06.632Z");
    assert_eq!(trace["header"]["graphs"]["main"]["processes"]["a"]["component"], "Forward");
    bench.ask("trace", "clear", json!({ "graph": "main" }));
    assert!(values(&dump(&mut bench)).is_empty());
}

#[test]
fn the_newest_is_kept() {
    let mut bench = pipe();
    bench.ask("trace", "start", json!({ "graph": "main", "buffersize": 2000 }));
    bench.ask("network", "start", json!({ "graph": "main" }));
    (0..100).for_each(|value| send(&mut bench, value));
    let trace = dump(&mut bench);
    let kept = values(&trace);
    assert!((5..20).contains(&kept.len()), "{}", kept.len());
    assert_eq!(kept.last(), Some(&&json!(99)));
}

#[test]
fn what_cannot_be_recorded_is_refused() {
    let mut bench = pipe();
    for (command, payload, words) in [
        ("start", json!({ "graph": "main", "buffersize": 5_000_000 }), "up to 4194304"),
        ("start", json!({ "graph": "main", "buffersize": "much" }), "up to 4194304"),
        ("start", json!({ "graph": "other" }), "Requested graph not found"),
        ("dump", json!({ "graph": "main", "type": "svg" }), "must be `flowtrace.json`"),
        ("dump", json!({ "graph": "main" }), "`type` is missing"),
    ] {
        assert!(error_text(&bench.ask("trace", command, payload)).contains(words), "{words}");
    }
}
