//! Two graphs, side by side.

use microflo_bridge::pure::language::{ParseError, PortCase, Problem};
use serde_json::Value;

use crate::exceptions;

/// How far two readings of one decimal number may be apart: the test reads JSON with a last bit that is not exact.
const ROUNDING: f64 = 1e-15;

/// What a comparison found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The same graph.
    SameGraph,
    /// Both refuse.
    BothRefuse,
    /// They differ, as they should.
    Excepted,
}

/// Compares what this parser and the original make of a text; the difference, if it is none that should be.
pub(crate) fn compare(
    text: &str,
    ours: &Result<Value, ParseError>,
    original: Option<&Value>,
) -> Result<Verdict, String> {
    match (ours, original) {
        (Ok(ours), Some(original)) if same(ours, original) => Ok(Verdict::SameGraph),
        (Err(_), None) => Ok(Verdict::BothRefuse),
        _ if exceptions::named(text) => Ok(Verdict::Excepted),
        (Err(ParseError { problem: Problem::TooDeep | Problem::TooLarge | Problem::HalfCharacter { .. }, .. }), _) => {
            Ok(Verdict::Excepted)
        }
        (Ok(ours), original) => Err(format!("{text:?}\nhere:     {ours}\noriginal: {}", shown(original))),
        (Err(error), original) => Err(format!("{text:?}\nhere:     {error}\noriginal: {}", shown(original))),
    }
}

fn shown(original: Option<&Value>) -> String {
    original.map_or_else(|| "refused".to_owned(), Value::to_string)
}

/// The same JSON, whatever the order of keys, and 1.0 being 1.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => a == b || (a - b).abs() <= ROUNDING * a.abs(),
            _ => false,
        },
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

/// Both readings of the names of ports.
pub(crate) const CASES: [PortCase; 2] = [PortCase::Kept, PortCase::Lower];
