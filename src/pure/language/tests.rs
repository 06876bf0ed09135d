//! Texts and their graphs, and what the errors say.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn graph(text: &str) -> Value {
    parse(text, PortCase::Kept).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// `src OUT -> IN tgt` for each connection.
fn arrows(text: &str) -> Vec<String> {
    let graph = graph(text);
    let end = |end: &Value, first: &str, second: &str| {
        format!("{} {}", end[first].as_str().unwrap(), end[second].as_str().unwrap())
    };
    let arrow = |connection: &Value| match connection.get("data") {
        Some(data) => format!("{data} -> {}", end(&connection["tgt"], "port", "process")),
        None => {
            format!("{} -> {}", end(&connection["src"], "process", "port"), end(&connection["tgt"], "port", "process"))
        }
    };
    graph["connections"].as_array().unwrap().iter().map(arrow).collect()
}

fn error(text: &str) -> String {
    parse(text, PortCase::Kept).expect_err(text).to_string()
}

#[test]
fn blink_is_a_graph() {
    let text = "# Blink\n'500' -> INTERVAL timer(Timer) OUT -> IN led(DigitalWrite)\n'13' -> PIN led";
    let expected = json!({
        "inports": {}, "outports": {}, "groups": [],
        "processes": { "timer": { "component": "Timer" }, "led": { "component": "DigitalWrite" } },
        "connections": [
            { "data": "500", "tgt": { "process": "timer", "port": "INTERVAL" } },
            { "src": { "process": "timer", "port": "OUT" }, "tgt": { "process": "led", "port": "IN" } },
            { "data": "13", "tgt": { "process": "led", "port": "PIN" } },
        ],
        "caseSensitive": true,
    });
    assert_eq!(graph(text), expected);
}

#[test]
fn lower_case_is_for_ports_alone() {
    let text = "DEFAULT_INPORT=Ab\nINPORT=A.In:Pub\nA(Cd) Out[2] -> B(Ef) -> C(Gh)";
    let graph = parse(text, PortCase::Lower).unwrap();
    assert_eq!(graph["inports"], json!({ "pub": { "process": "A", "port": "in" } }));
    assert_eq!(graph["connections"][0]["src"], json!({ "process": "A", "port": "out", "index": 2 }));
    assert_eq!(graph["connections"][0]["tgt"], json!({ "process": "B", "port": "ab" }));
    assert_eq!(graph["connections"][1]["src"], json!({ "process": "B", "port": "out" }));
    assert_eq!(graph["processes"]["A"], json!({ "component": "Cd" }));
    assert_eq!(graph["caseSensitive"], false);
}

#[test]
fn a_bare_name_in_the_middle_of_a_chain_ends_no_edge() {
    let declared = "a(A), b(B), c(C)\n";
    assert_eq!(arrows(&format!("{declared}a -> b -> c")), ["b OUT -> IN c"]);
    assert_eq!(arrows(&format!("{declared}a -> IN b OUT -> c")), ["a OUT -> IN b", "b OUT -> IN c"]);
    assert_eq!(arrows("a(A) -> b(B) -> c(C)"), ["a OUT -> IN b", "b OUT -> IN c"]);
}

#[test]
fn anonymous_nodes_are_numbered_for_each_component() {
    let text = "'x' -> (A) -> (B) -> (A) -> (x/y-z)";
    assert_eq!(
        arrows(text),
        ["\"x\" -> IN _A_1", "_A_1 OUT -> IN _B_1", "_B_1 OUT -> IN _A_2", "_A_2 OUT -> IN _x_y-z_1"]
    );
}

#[test]
fn data_is_text_or_json() {
    let data = |text: &str| graph(&format!("{text} -> IN a(A)"))["connections"][0]["data"].clone();
    assert_eq!(data(r"'it\'s \n'"), json!("it's \\n"));
    assert_eq!(data("'a\nb'"), json!("a\nb"));
    assert_eq!(
        data(r#"[1, -0, 2.50, 1e3, "\u00e9\ud83d\ude00\n", {"a": null}, true, []]"#).to_string(),
        r#"[1,0,2.5,1000,"é😀\n",{"a":null},true,[]]"#
    );
}

#[test]
fn metadata_has_keys_and_routes() {
    let text = "a(A:x=12px,y=,main,k=v=w,x2=3)";
    let expected = json!({ "x": 12, "y": null, "routes": "main", "k": "v", "x2": "3" });
    assert_eq!(graph(text)["processes"]["a"]["metadata"], expected);
}

#[test]
fn annotations_need_a_line_of_their_own() {
    let text = "# @name Blink 2.0\r\n# @runtime microflo\n # @x y\na(A) # @b c\n# @last one";
    assert_eq!(graph(text)["properties"], json!({ "name": "Blink 2.0", "environment": { "type": "microflo" } }));
}

#[test]
fn errors_name_the_place_and_what_is_missing() {
    for (text, expected) in [
        ("a(A) OUT ->", "line 1, column 12: a port, a node or data expected, not the end of the text"),
        ("a(A) -> b(B)\n\tc(C) -> b", "line 2, column 1: a port, a node or data expected, not a tab"),
        ("a(A) OUT -> IN b(Ü)", "line 1, column 18: `:` or `)` expected, not `Ü`"),
        ("'ü' -> a(A)\r\n'x -> a", "line 2, column 1: the text that begins here has no closing `'`"),
        ("a(A)\t-> b(B)", "line 1, column 5: `->`, a port, a node or data expected, not a tab"),
        ("a(A) -> -> b(B)", "line 1, column 9: a port, a node or data expected, not `-`"),
        ("INPORT=a", "line 1, column 9: `.` expected, not the end of the text"),
        ("[1, 2 -> a(A)", "line 1, column 7: `,` or `]` expected, not `-`"),
        (r#""\ud83dx" -> a(A)"#, "line 1, column 2: `\\ud83d` is half a character; the other half must be next to it"),
        ("1e999 -> a(A)", "line 1, column 1: this number is too large"),
        ("a(A) -> b", "line 1, column 9: there is no node b; write it once as b(Component)"),
        ("\n a() -> b(B)", "line 2, column 2: node a has no component; write it once as a(Component)"),
        (
            "a(A) -> b \n",
            "line 1, column 11: a node (the name before is a port's, as a space follows it), a port or `->` expected, not the \
             end of the line",
        ),
    ] {
        assert_eq!(error(text), expected, "{text}");
    }
}

#[test]
fn depth_is_bounded_and_length_is_not() {
    let nested = |depth: usize| format!("{}{} -> a(A)", "[".repeat(depth), "]".repeat(depth));
    assert!(parse(&nested(DEPTH), PortCase::Kept).is_ok());
    assert!(error(&nested(DEPTH + 1)).ends_with("data may be nested 100 deep at most"));
    assert!(error(&"[".repeat(1_000_000)).ends_with("data may be nested 100 deep at most"));
    assert!(error(&"{\"a\":".repeat(1_000_000)).ends_with("data may be nested 100 deep at most"));
    let chain = format!("a(A){}", " -> b(B)".repeat(20_000));
    assert_eq!(graph(&chain)["connections"].as_array().unwrap().len(), 20_000);
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text: String) {
        let _ = parse(&text, PortCase::Lower);
    }

    #[test]
    fn any_words_are_read_or_refused(words in proptest::collection::vec(prop_oneof![
        Just("a"), Just("b(B)"), Just("(C:x=1)"), Just(" "), Just("  "), Just("OUT"), Just("[1]"), Just("->"), Just("'"), Just("\\"),
        Just("\""), Just("{"), Just("}"), Just("["), Just("]"), Just(":"), Just(","), Just("#"), Just("@name x"), Just("\r\n"), Just("\n"),
        Just("\u{2028}"), Just("é"), Just("1"), Just("-1.5e3"), Just("true"), Just("INPORT="), Just("DEFAULT_OUTPORT="), Just("\t"),
    ], 0..40)) {
        let text = words.concat();
        if let Err(error) = parse(&text, PortCase::Kept) {
            let lines = text.matches(['\n', '\r', '\u{2028}', '\u{2029}']).count() + 1;
            prop_assert!((1..=lines).contains(&error.line), "{error}");
            prop_assert!((1..=text.chars().count() + 1).contains(&error.column), "{error}");
        }
    }
}
