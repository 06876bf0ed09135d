//! Whole graphs: checked before the board is touched, told to everybody, and failing in words.

use firmware_proto::{Command, Dialect};
use serde_json::{Value, json};

use super::bench::{A, B, Bench, commands};
use crate::pure::fbp::{UploadId, UploadStep};
use crate::pure::request::Failure;

const ID: UploadId = UploadId(7);

/// a → b, both Forward, and an initial packet for a.
fn pair() -> Value {
    json!({
        "properties": { "name": "pair" },
        "processes": { "a": { "component": "Forward", "metadata": { "x": 3 } }, "b": { "component": "Forward" } },
        "connections": [
            { "src": { "process": "a", "port": "OUT" }, "tgt": { "process": "b", "port": "In" }, "metadata": { "route": 2 } },
            { "data": 5, "tgt": { "process": "a", "port": "in" } },
        ],
        "inports": { "way": { "process": "a", "port": "in" } },
        "outports": { "out": { "process": "b", "port": "out" } },
        "groups": [{ "name": "g", "nodes": ["a"], "metadata": {} }],
    })
}

fn upload(bench: &mut Bench, graph: &Value, start: bool) -> Vec<UploadStep> {
    bench.steps.clear();
    bench.runtime.upload(ID, graph, start, bench.now);
    bench.collect();
    bench.settle();
    std::mem::take(&mut bench.steps)
}

fn why(steps: &[UploadStep]) -> String {
    match steps {
        [UploadStep::Ended(Err(why))] => why.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_graph_takes_the_place_of_what_was_there_and_runs() {
    for dialect in Dialect::ALL {
        let mut bench = Bench::new(dialect);
        bench.runtime.connect(B);
        bench.say(B, "runtime", "getruntime", json!({}));
        bench.nodes("Forward", &["old"]);
        bench.ask("network", "start", json!({ "graph": "main" }));
        bench.got(A);
        bench.got(B);
        let steps = upload(&mut bench, &pair(), true);
        let done = |done| UploadStep::Progress { done, total: 4 };
        assert_eq!(steps, [done(1), done(2), done(3), done(4), UploadStep::Ended(Ok(()))]);
        for client in [A, B] {
            let got = bench.got(client);
            let told = commands(&got);
            let graph = [
                "clear",
                "addnode",
                "addnode",
                "addedge",
                "addinitial",
                "addinport",
                "addoutport",
                "addgroup",
                "started",
            ];
            assert_eq!(told[..graph.len()], graph);
            assert!(told.contains(&"ports"), "{told:?}");
            assert_eq!(got[3]["payload"]["metadata"], json!({ "route": 2 }));
            assert!(got.iter().any(|it| it["payload"]["id"] == "DATA -> IN a()"));
        }
        bench.assert_in_step();
        assert!(bench.board.running);
        let shown = bench.runtime.graph_json();
        assert_eq!(
            (&shown["properties"]["name"], &shown["processes"]["a"]["metadata"]),
            (&json!("pair"), &json!({ "x": 3 }))
        );
        assert_eq!(shown["inports"]["way"]["process"], "a");
    }
}

#[test]
fn without_a_start_the_packets_wait() {
    let mut bench = Bench::new(Dialect::Flo01);
    assert_eq!(upload(&mut bench, &pair(), false).last(), Some(&UploadStep::Ended(Ok(()))));
    assert!(!bench.board.running);
    let got = bench.ask("network", "start", json!({ "graph": "pair" }));
    assert!(got.iter().any(|it| it["payload"]["id"] == "a() OUT -> IN b()" && it["payload"]["data"] == 5), "{got:?}");
}

#[test]
fn what_is_wrong_is_said_before_the_board_is_touched() {
    let mut bench = Bench::new(Dialect::Flo01);
    bench.nodes("Forward", &["old"]);
    let sent = bench.sent.len();
    let with = |key: &str, value: Value| {
        let mut graph = pair();
        graph[key] = value;
        graph
    };
    let edge = |src: &str, port: &str| json!({ "src": { "process": src, "port": port }, "tgt": { "process": "b", "port": "in" } });
    let forwards = |count| {
        (0..count).map(|n| (format!("n{n}"), json!({ "component": "Forward" }))).collect::<serde_json::Map<_, _>>()
    };
    let bare = json!({ "processes": forwards(50) });
    let packets: Vec<Value> = (0..49).map(|n| json!({ "data": n, "tgt": { "process": "a", "port": "in" } })).collect();
    for (graph, words) in [
        (json!([]), "must be a JSON object"),
        (with("processes", json!({ "a": { "component": "Nope" } })), "no component Nope"),
        (with("processes", json!({ "a": {} })), "node a has no `component`"),
        (with("connections", json!([edge("z", "out")])), "no node z"),
        (with("connections", json!([edge("a", "sideways")])), "no out port sideways; it has out"),
        (with("connections", json!([edge("a", "out"), edge("a", "out")])), "already goes to port in of node b"),
        (
            with("connections", json!([{ "data": 1.5, "tgt": { "process": "a", "port": "in" } }])),
            "1.5 is not an integer",
        ),
        (with("connections", json!([{ "tgt": { "process": "a", "port": "in" } }])), "needs `src` or `data`"),
        (
            with("connections", json!([{ "data": 1, "tgt": { "process": "a", "port": "in", "index": 1 } }])),
            "has an index",
        ),
        (with("inports", json!({ "x": { "process": "q", "port": "in" } })), "no node q"),
        (bare, "at most 49 nodes"),
        (with("connections", json!(packets)), "49 initial packets without a start"),
    ] {
        let said = why(&upload(&mut bench, &graph, false));
        assert!(said.contains(words) && said.contains("(board Uno)"), "{words}: {said}");
    }
    assert_eq!(bench.sent.len(), sent);
    bench.assert_in_step();
}

#[test]
fn a_board_that_is_away_or_fails_ends_it() {
    let mut bench = Bench::new(Dialect::Microflo1);
    bench.runtime.upload(ID, &pair(), true, bench.now);
    bench.collect();
    assert_eq!(bench.line.len(), 4, "stop, clear and two nodes");
    bench.answer();
    bench.answer();
    bench.fail(Failure::Gone);
    bench.settle();
    assert!(
        matches!(bench.steps.last(), Some(UploadStep::Ended(Err(why))) if why.contains("went away")),
        "{:?}",
        bench.steps
    );
    assert!(!bench.runtime.device().is_known(), "half a graph is on the board");
    bench.runtime.board_down("it is unplugged", bench.now);
    assert!(why(&upload(&mut bench, &pair(), true)).contains("it is unplugged"));
}

#[test]
fn what_clients_send_meanwhile_comes_after_it() {
    let mut bench = Bench::new(Dialect::Flo01);
    bench.nodes("Forward", &["old"]);
    bench.sent.clear();
    bench.say(A, "graph", "addnode", json!({ "id": "before", "component": "Forward", "graph": "main" }));
    bench.runtime.upload(ID, &pair(), true, bench.now);
    bench.say(A, "graph", "addnode", json!({ "id": "late", "component": "Forward", "graph": "main" }));
    bench.settle();
    assert_eq!(bench.steps.last(), Some(&UploadStep::Ended(Ok(()))));
    let got = bench.got(A);
    let last = got.iter().rfind(|it| it["command"] == "error").expect("the graph has another name now");
    assert_eq!(last["payload"]["message"], "Requested graph not found");
    assert!(matches!(bench.sent[1], Command::ClearNodes));
    bench.assert_in_step();
}

#[test]
fn graphs_that_wait_for_an_upload_do_not_pile_up() {
    let mut bench = Bench::new(Dialect::Flo01);
    for _ in 0..3 {
        bench.runtime.upload(ID, &pair(), true, bench.now);
    }
    bench.collect();
    assert!(matches!(&bench.steps[..], [UploadStep::Ended(Err(why))] if why.contains("waits")), "{:?}", bench.steps);
    bench.settle();
    bench.assert_in_step();
}
