//! Recorded sessions, replayed word for word. Each line is `{"->": a client's message}` or `{"<-": what it must get}`.

use firmware_proto::Dialect;
use serde_json::Value;

use super::bench::{A, Bench};

fn replay(transcript: &str, dialect: Dialect) {
    let mut bench = Bench::new(dialect);
    let mut expected: Vec<Value> = Vec::new();
    let mut last = String::new();
    for line in transcript.lines().chain([r#"{"->":null}"#]) {
        let line: Value = serde_json::from_str(line).unwrap();
        if let Some(message) = line.get("<-") {
            expected.push(message.clone());
            continue;
        }
        bench.settle();
        let got = bench.got(A);
        if got != expected {
            let show = |messages: &[Value]| messages.iter().map(|it| format!("{{\"<-\":{it}}}\n")).collect::<String>();
            panic!("after {last}\nexpected\n{}got\n{}", show(&expected), show(&got));
        }
        expected.clear();
        last = line["->"].to_string();
        if !line["->"].is_null() {
            bench.text(A, &last);
        }
    }
    bench.assert_in_step();
}

#[test]
fn noflo_ui_edits_a_live_graph() {
    let transcript = include_str!("../../../../tests/fbp/noflo-ui-live-edit.jsonl");
    replay(transcript, Dialect::Microflo1);
}

#[test]
fn noflo_ui_asks_for_every_source() {
    let transcript = include_str!("../../../../tests/fbp/noflo-ui-sources.jsonl");
    for dialect in Dialect::ALL {
        replay(transcript, dialect);
    }
}

#[test]
fn fbp_client_uploads_and_runs_a_graph() {
    let transcript = include_str!("../../../../tests/fbp/fbp-client-upload.jsonl");
    for dialect in Dialect::ALL {
        replay(transcript, dialect);
    }
}

#[test]
fn the_conformance_suite_gets_what_it_expects() {
    let transcript = include_str!("../../../../tests/fbp/conformance.jsonl");
    for dialect in Dialect::ALL {
        replay(transcript, dialect);
    }
}
