//! What is saved of a board, and what another run of the bridge makes of it.

use firmware_proto::{Command, Dialect};
use serde_json::{Value, json};

use super::bench::{A, Bench, NOW, commands, end, library};
use crate::pure::request::Failure;
use crate::pure::view::Firmware;

fn firmware(dialect: Dialect) -> Firmware {
    Firmware { dialect, baud: 9600 }
}

/// a → b → c, with everything that can be saved.
fn built(dialect: Dialect) -> Bench {
    let mut bench = Bench::new(dialect);
    bench.nodes("Forward", &["gone", "a", "b", "c"]);
    bench.graph("removenode", json!({ "id": "gone" }));
    for (from, to) in [("a", "b"), ("b", "c")] {
        bench.graph("addedge", json!({ "src": end(from, "out"), "tgt": end(to, "in"), "metadata": { "route": 2 } }));
    }
    bench.graph("addinitial", json!({ "src": { "data": "text" }, "tgt": end("a", "in") }));
    bench.graph("addoutport", json!({ "public": "out", "node": "c", "port": "out" }));
    bench.graph("addgroup", json!({ "name": "g", "nodes": ["a", "b"] }));
    bench.graph("changenode", json!({ "id": "b", "metadata": { "x": 5 } }));
    bench
}

/// The next run of the bridge, with the same board.
fn again(mut before: Bench) -> Bench {
    let saved = before.runtime.take_saved(Some(firmware(before.board.dialect))).unwrap();
    let mut bench = Bench::unplugged(Some(library()));
    bench.board = std::mem::take(&mut before.board);
    bench.runtime.load(&saved);
    bench.runtime.connect(A);
    bench
}

fn resume(bench: &mut Bench) {
    let dialect = bench.board.dialect;
    assert_eq!(bench.runtime.left(), Some(firmware(dialect)));
    bench.runtime.resume(dialect, NOW);
    bench.runtime.board_up(dialect, NOW);
    bench.collect();
    bench.settle();
}

#[test]
fn a_board_that_went_on_is_taken_up_where_it_was() {
    for dialect in Dialect::ALL {
        for running in [false, true] {
            let mut bench = built(dialect);
            if running {
                bench.ask("network", "start", json!({ "graph": "main" }));
            }
            let shown = bench.runtime.graph_json();
            let mut bench = again(bench);
            assert_eq!(bench.runtime.graph_json(), shown, "it is shown before the board answers");
            resume(&mut bench);
            assert_eq!(bench.runtime.graph_json(), shown);
            bench.assert_in_step();
            assert!(!bench.sent.iter().any(|it| matches!(it, Command::ClearNodes | Command::CreateComponent { .. })));
            assert_eq!(bench.ask("network", "getstatus", json!({ "graph": "main" }))[0]["payload"]["running"], running);
            bench.graph("addedge", json!({ "src": end("c", "out"), "tgt": end("a", "in") }));
            assert_eq!(commands(&bench.graph("removenode", json!({ "id": "a" }))).last().unwrap(), &"output");
            bench.assert_in_step();
        }
    }
}

#[test]
fn a_board_with_another_graph_is_not_believed_in() {
    for dialect in Dialect::ALL {
        let other: [fn(&mut Bench); 4] = [
            |bench| _ = bench.board.nodes.remove(&3),
            |bench| _ = bench.board.nodes.insert(5, 11),
            // A Split has nine out ports, a DigitalWrite or Drop other numbers than a Forward.
            |bench| _ = bench.board.nodes.insert(2, split()),
            |bench| _ = bench.board.execute(&Command::ClearNodes),
        ];
        for change in other {
            let mut bench = again(built(dialect));
            change(&mut bench);
            resume(&mut bench);
            assert!(!bench.runtime.device().is_known());
            assert_eq!(bench.runtime.graph_json()["processes"], json!({}));
            let refused = bench.refused("addnode", json!({ "id": "x", "component": "Forward" }));
            assert!(refused.contains("is not known"), "{refused}");
            assert_eq!(commands(&bench.graph("clear", json!({ "id": "main" }))), ["clear"]);
        }
    }
}

fn split() -> u8 {
    library().by_name("Split").unwrap().id
}

#[test]
fn with_restore_a_board_with_another_graph_gets_the_saved_one() {
    let bench = built(Dialect::Flo01);
    let shown = bench.runtime.graph_json();
    let mut bench = again(bench);
    bench.runtime.set_restore(true);
    bench.board.execute(&Command::ClearNodes).unwrap();
    resume(&mut bench);
    bench.assert_in_step();
    assert_eq!(bench.runtime.graph_json(), shown);
}

#[test]
fn a_board_whose_past_is_unknown_shows_nothing_or_gets_its_graph_back() {
    for restore in [false, true] {
        let mut bench = built(Dialect::Microflo1);
        bench.ask("network", "start", json!({ "graph": "main" }));
        let shown = bench.runtime.graph_json();
        let mut bench = again(bench);
        bench.runtime.set_restore(restore);
        bench.runtime.unknown(NOW);
        bench.runtime.board_up(Dialect::Microflo1, NOW);
        bench.collect();
        bench.settle();
        assert_eq!(bench.runtime.device().is_known(), restore);
        if restore {
            bench.assert_in_step();
            assert!(bench.board.running);
            assert_eq!(bench.runtime.graph_json(), shown);
        } else {
            assert_eq!(bench.runtime.graph_json()["processes"], json!({}));
        }
    }
}

#[test]
fn it_is_saved_when_it_has_changed_and_only_then() {
    let mut bench = Bench::new(Dialect::Flo01);
    let saved = |bench: &mut Bench| bench.runtime.take_saved(Some(firmware(Dialect::Flo01)));
    assert!(saved(&mut bench).is_some());
    assert!(saved(&mut bench).is_none());
    bench.ask("network", "getstatus", json!({ "graph": "main" }));
    assert!(saved(&mut bench).is_none());
    bench.nodes("Forward", &["a"]);
    assert!(saved(&mut bench).is_some());
    bench.graph("changenode", json!({ "id": "a", "metadata": { "x": 1 } }));
    assert!(saved(&mut bench).is_some());
    bench.runtime.board_down("it is unplugged", NOW);
    assert!(saved(&mut bench).is_none(), "nothing that is known of a board that is away is new");
}

#[test]
fn a_graph_in_the_middle_of_a_change_is_not_taken_up_as_it_is() {
    let mut bench = built(Dialect::Flo01);
    bench.say(A, "graph", "addnode", json!({ "id": "late", "component": "Forward", "graph": "main" }));
    let saved = bench.runtime.take_saved(Some(firmware(Dialect::Flo01))).unwrap();
    let saved: Value = serde_json::from_str(&saved).unwrap();
    assert_eq!(saved["devices"], Value::Null);
    let mut next = Bench::unplugged(Some(library()));
    next.runtime.load(&saved.to_string());
    assert_eq!(next.runtime.left(), None);
}

#[test]
fn what_cannot_be_read_any_more_is_ignored() {
    let mut bench = built(Dialect::Flo01);
    let saved = bench.runtime.take_saved(Some(firmware(Dialect::Flo01))).unwrap();
    for wrong in [
        "",
        "{}",
        &saved[..saved.len() / 2],
        &saved.replace("\"version\":1", "\"version\":2"),
        &saved.replace("uC/Flo01", "x"),
    ] {
        let mut next = Bench::unplugged(Some(library()));
        assert!(!next.runtime.load(wrong));
        assert_eq!(next.runtime.graph_json()["processes"], json!({}), "{wrong}");
        assert_eq!(next.runtime.left(), None);
    }
    let mut bare = Bench::unplugged(None);
    assert!(!bare.runtime.load(&saved));
    assert_eq!(bare.runtime.left(), None, "without the component map its names mean nothing");
}

#[test]
fn a_client_that_saw_the_saved_graph_hears_that_it_is_not_known_to_run() {
    let mut bench = again(built(Dialect::Flo01));
    bench.ask("runtime", "getruntime", json!({}));
    bench.runtime.unknown(NOW);
    bench.runtime.board_up(Dialect::Flo01, NOW);
    bench.collect();
    assert_eq!(commands(&bench.got(A)), ["clear", "ports"]);
}

#[test]
fn what_was_saved_is_void_as_soon_as_a_change_is_under_way() {
    let mut bench = built(Dialect::Flo01);
    let saved = |bench: &mut Bench| bench.runtime.take_saved(Some(firmware(Dialect::Flo01))).unwrap();
    saved(&mut bench);
    assert!(!bench.runtime.is_exposed());
    bench.say(A, "graph", "removeedge", json!({ "src": end("a", "out"), "tgt": end("b", "in"), "graph": "main" }));
    assert!(
        bench.runtime.is_touched() && bench.runtime.is_exposed(),
        "killed now, the bridge would believe in the edge"
    );
    assert!(saved(&mut bench).contains("\"devices\":null"));
    assert!(!bench.runtime.is_exposed());
    bench.settle();
    assert!(!saved(&mut bench).contains("\"devices\":null"));
    bench.runtime.check_raw(&Command::StartNetwork).unwrap();
    assert!(bench.runtime.is_touched() && bench.runtime.is_exposed());
}

#[test]
fn what_was_saved_stays_while_the_board_is_asked_whether_it_is_as_it_was() {
    let mut bench = again(built(Dialect::Flo01));
    bench.runtime.resume(Dialect::Flo01, NOW);
    bench.runtime.board_up(Dialect::Flo01, NOW);
    bench.collect();
    bench.answer();
    assert_eq!(bench.runtime.take_saved(Some(firmware(Dialect::Flo01))), None);
    bench.settle();
    assert!(bench.runtime.take_saved(Some(firmware(Dialect::Flo01))).is_some());
}

#[test]
fn an_empty_graph_of_which_the_board_is_not_known_is_not_taken_up() {
    let mut bench = Bench::new(Dialect::Flo01);
    bench.runtime.graph_lost();
    let saved = bench.runtime.take_saved(Some(firmware(Dialect::Flo01))).unwrap();
    let mut next = Bench::unplugged(Some(library()));
    next.runtime.load(&saved);
    assert_eq!(next.runtime.left(), None);
}

#[test]
fn a_raw_command_under_way_makes_what_is_saved_uncertain() {
    let mut bench = built(Dialect::Flo01);
    bench.runtime.take_saved(Some(firmware(Dialect::Flo01))).unwrap();
    bench.runtime.check_raw(&Command::ClearNodes).unwrap();
    let saved = bench.runtime.take_saved(Some(firmware(Dialect::Flo01))).unwrap();
    let mut next = Bench::unplugged(Some(library()));
    next.runtime.load(&saved);
    assert_eq!(next.runtime.left(), None);
}

#[test]
fn children_of_subgraphs_are_not_taken_up_as_if_they_had_no_parent() {
    let mut bench = built(Dialect::Flo01);
    let child = Command::CreateComponent { component: 11, parent: 2 };
    let outcome = Ok(firmware_proto::Response::NodeAdded { component: 11, node: 5, parent: 2 });
    bench.runtime.device.sent(&child);
    bench.runtime.raw_outcome(&child, &outcome, NOW);
    let saved = bench.runtime.take_saved(Some(firmware(Dialect::Flo01))).unwrap();
    let mut next = Bench::unplugged(Some(library()));
    next.runtime.load(&saved);
    assert_eq!(next.runtime.left(), None);
}

#[test]
fn packets_that_wait_in_a_stopped_board_are_counted_by_the_next_run() {
    let mut bench = built(Dialect::Flo01);
    bench.graph("addinport", json!({ "public": "in", "node": "a", "port": "in" }));
    for _ in 0..40 {
        let packet = json!({ "port": "in", "event": "data", "payload": 1, "graph": "main" });
        assert_eq!(commands(&bench.ask("runtime", "packet", packet)), ["packetsent"]);
    }
    let room = bench.runtime.device().queue_room();
    let mut bench = again(bench);
    resume(&mut bench);
    assert!(bench.runtime.device().queue_room() <= room);
}

#[test]
fn a_board_that_goes_while_it_is_asked_has_not_said_that_it_is_another() {
    for failure in [Failure::Gone, Failure::Lost] {
        let bench = built(Dialect::Flo01);
        let shown = bench.runtime.graph_json();
        let mut bench = again(bench);
        bench.runtime.set_restore(true);
        bench.ask("runtime", "getruntime", json!({}));
        bench.runtime.resume(Dialect::Flo01, NOW);
        bench.runtime.board_up(Dialect::Flo01, NOW);
        bench.collect();
        let asked = bench.line.len();
        for _ in 0..asked {
            bench.fail(failure);
        }
        assert!(bench.line.is_empty(), "nothing goes to a board that is gone");
        assert_eq!(bench.runtime.graph_json(), shown);
        bench.runtime.board_down("it is gone", NOW);
        bench.board = Default::default();
        bench.runtime.handle_boot(&[], NOW);
        bench.runtime.board_up(Dialect::Flo01, NOW);
        bench.collect();
        bench.settle();
        assert_eq!(bench.runtime.graph_json(), shown);
        bench.assert_in_step();
        let failed = |it: &Value| it["payload"]["message"].as_str().is_some_and(|text| text.contains("could not"));
        assert!(!bench.got(A).iter().any(failed));
    }
}

#[test]
fn what_cannot_be_read_without_its_component_map_stays_saved_until_somebody_edits() {
    let mut bench = built(Dialect::Flo01);
    let saved = bench.runtime.take_saved(Some(firmware(Dialect::Flo01))).unwrap();
    let mut next = Bench::unplugged(None);
    assert!(!next.runtime.load(&saved));
    next.runtime.unknown(NOW);
    next.runtime.board_up(Dialect::Flo01, NOW);
    assert_eq!(next.runtime.take_saved(Some(firmware(Dialect::Flo01))), None);
    next.raw(Command::ClearNodes).unwrap().unwrap();
    assert!(next.runtime.take_saved(Some(firmware(Dialect::Flo01))).is_some());
}
