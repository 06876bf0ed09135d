//! Where this parser differs from the original, and why.

use microflo_bridge::pure::language::{DEPTH, PortCase, Problem, parse};
use serde_json::json;

/// Every object of JavaScript has these from birth. As the name of a node or an anonymous component, the original takes what it
/// finds for a node: the node is missing in the graph, and `__proto__` even changes all objects of the program that parses.
/// As the name of anything else, `__proto__` is lost. Here they are names like any other.
const BORN_WITH: [&str; 12] = [
    "__defineGetter__",
    "__defineSetter__",
    "__lookupGetter__",
    "__lookupSetter__",
    "__proto__",
    "constructor",
    "hasOwnProperty",
    "isPrototypeOf",
    "propertyIsEnumerable",
    "toLocaleString",
    "toString",
    "valueOf",
];

/// Whether a text has such a name somewhere.
pub(crate) fn named(text: &str) -> bool {
    BORN_WITH.iter().any(|name| text.contains(name))
}

/// The texts of all exceptions.
#[cfg(feature = "real-firmware")]
pub(crate) fn texts() -> Vec<String> {
    let born_with = BORN_WITH.iter().map(|name| format!("{name}(A) -> b(B)"));
    let nested = format!("{}{} -> a(A)", "[".repeat(DEPTH + 1), "]".repeat(DEPTH + 1));
    let others =
        ["{\"__proto__\":{}} -> a(A)", "a(A:__proto__=x)", "1e999 -> a(A)", "[-1e999] -> a(A)", "\"\\ud83d\" -> a(A)"];
    born_with.chain(others.map(str::to_owned)).chain([nested]).collect()
}

#[test]
fn language_names_of_javascript_are_names() {
    for name in BORN_WITH {
        let graph = parse(&format!("{name}(A) -> b(B:{name}=x)\n# @{name} y\n"), PortCase::Kept).unwrap();
        assert_eq!(graph["processes"][name], json!({ "component": "A" }));
        assert_eq!(graph["processes"]["b"]["metadata"][name], "x");
        assert_eq!(graph["properties"][name], "y");
        assert!(parse(&format!("{name} -> b(B)"), PortCase::Kept).is_err());
    }
}

/// The original makes `null` of it, which a board would get instead of a number.
#[test]
fn language_refuses_numbers_without_end() {
    let long = format!("a(A) OUT[{}] -> b(B)", "9".repeat(400));
    for text in ["1e999 -> a(A)", "[-1e999] -> a(A)", &long] {
        assert_eq!(parse(text, PortCase::Kept).unwrap_err().problem, Problem::TooLarge);
    }
}

/// The original keeps them, in a text that is no Unicode and that most JSON readers refuse.
#[test]
fn language_refuses_halves_of_characters() {
    for text in [r#""\ud83d" -> a(A)"#, r#"{"\ude00\ud83d":1} -> a(A)"#, r#""\uD83D\u0041" -> a(A)"#] {
        let problem = parse(text, PortCase::Kept).unwrap_err().problem;
        assert!(matches!(problem, Problem::HalfCharacter { .. }), "{text}: {problem}");
    }
}

/// The original reads on until its stack is full.
#[test]
fn language_bounds_the_depth_of_data() {
    let nested = |depth: usize| format!("{}{} -> a(A)", "[".repeat(depth), "]".repeat(depth));
    assert!(parse(&nested(DEPTH), PortCase::Kept).is_ok());
    assert_eq!(parse(&nested(DEPTH + 1), PortCase::Kept).unwrap_err().problem, Problem::TooDeep);
}
