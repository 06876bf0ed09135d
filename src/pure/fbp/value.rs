//! Values: JSON ↔ packets.
//!
//! | JSON | packets |
//! |---|---|
//! | integer, also written 5.0 | `Integer`, 32 bits |
//! | `true`, `false` | `Boolean` |
//! | `null` | `Void` |
//! | `"13"`, `"true"`: an editor's text field | `Integer`, `Boolean` |
//! | other strings | `BracketStart`, a `Byte` for each byte of UTF-8, `BracketEnd` |
//! | arrays of these | `BracketStart`, the elements, `BracketEnd` |
//! | `{"error": NAME}` with one of the firmware's error kinds | `Error` |
//!
//! Floats and other objects are refused: firmware would deliver them as empty packets.

use firmware_proto::Packet;
use firmware_proto::packet::ERROR_KINDS;
use serde_json::{Value, json};

/// The most packets that one value may take.
pub(super) const PACKETS_PER_VALUE: usize = 256;

/// How deep arrays may nest.
const DEPTH: usize = 8;

/// The most elements that a reported group may collect before it is passed on unfinished.
const COLLECTED_ELEMENTS: usize = 1024;

/// Why a value cannot go to a board.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ValueError {
    /// A number with a fraction.
    #[error("{0} is not an integer, and MicroFlo firmware has no floats; scale it, for example to thousandths")]
    Float(String),
    /// Beyond 32 bits.
    #[error("{0} does not fit MicroFlo's integers, which go from -2147483648 to 2147483647")]
    TooLarge(String),
    /// An object that is no error.
    #[error("MicroFlo packets carry integers, booleans, null, strings, arrays of these and errors, but no objects")]
    Object,
    /// A string for a port of another type.
    #[error("`{text}` is not of the port's type, {kind}")]
    WrongType {
        /// The string, cut.
        text: String,
        /// The port's type.
        kind: String,
    },
    /// Too long or too deep.
    #[error(
        "the value takes more than {PACKETS_PER_VALUE} packets or nests deeper than {DEPTH} arrays; send it in parts"
    )]
    TooLong,
}

/// The packets for a value; `kind` is the port's type in the component map.
pub(super) fn to_packets(value: &Value, kind: &str) -> Result<Vec<Packet>, ValueError> {
    let mut packets = Vec::new();
    push(&mut packets, value, kind, 0)?;
    Ok(packets)
}

fn push(packets: &mut Vec<Packet>, value: &Value, kind: &str, depth: usize) -> Result<(), ValueError> {
    if depth > DEPTH {
        return Err(ValueError::TooLong);
    }
    match value {
        Value::Null => packets.push(Packet::Void),
        Value::Bool(value) => packets.push(Packet::Boolean(*value)),
        Value::Number(number) => packets.push(Packet::Integer(integer(number)?)),
        Value::String(text) => push_text(packets, text, kind)?,
        Value::Array(elements) => {
            packets.push(Packet::BracketStart);
            for element in elements {
                push(packets, element, kind, depth + 1)?;
            }
            packets.push(Packet::BracketEnd);
        }
        Value::Object(fields) => {
            let name = fields.get("error").and_then(Value::as_str).ok_or(ValueError::Object)?;
            let kind = ERROR_KINDS.iter().position(|kind| *kind == name).ok_or(ValueError::Object)?;
            packets.push(Packet::Error(kind as u8));
        }
    }
    if packets.len() > PACKETS_PER_VALUE { Err(ValueError::TooLong) } else { Ok(()) }
}

fn integer(number: &serde_json::Number) -> Result<i32, ValueError> {
    if let Some(integer) = number.as_i64() {
        return i32::try_from(integer).map_err(|_| ValueError::TooLarge(number.to_string()));
    }
    let value = number.as_f64().unwrap_or(f64::NAN);
    if value.fract() != 0.0 {
        return Err(ValueError::Float(number.to_string()));
    }
    if value >= f64::from(i32::MIN) && value <= f64::from(i32::MAX) {
        Ok(value as i32) // exact: it is whole and in range
    } else {
        Err(ValueError::TooLarge(number.to_string()))
    }
}

fn push_text(packets: &mut Vec<Packet>, text: &str, kind: &str) -> Result<(), ValueError> {
    let trimmed = text.trim();
    let digits = trimmed.strip_prefix(['-', '+']).unwrap_or(trimmed);
    let short = || text.chars().take(40).collect::<String>();
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        packets.push(Packet::Integer(trimmed.parse().map_err(|_| ValueError::TooLarge(short()))?));
    } else if let Ok(value) = trimmed.parse::<bool>() {
        packets.push(Packet::Boolean(value));
    } else if matches!(kind, "integer" | "int" | "boolean" | "bool" | "number") {
        return Err(ValueError::WrongType { text: short(), kind: kind.to_owned() });
    } else {
        if text.len() > PACKETS_PER_VALUE {
            return Err(ValueError::TooLong);
        }
        packets.push(Packet::BracketStart);
        packets.extend(text.bytes().map(Packet::Byte));
        packets.push(Packet::BracketEnd);
    }
    Ok(())
}

/// Turns the packets of one edge back into values, groups collapsed into one.
#[derive(Clone, Debug, Default)]
pub(super) struct Collector {
    /// Integers may have been cut to 16 bits on their way here.
    cut: bool,
    open: Vec<Vec<Item>>,
    elements: usize,
}

#[derive(Clone, Debug)]
enum Item {
    Byte(u8),
    Value(Value),
}

impl Collector {
    /// With `cut`, integers are marked: only their lower 16 bits are known.
    pub(super) fn new(cut: bool) -> Collector {
        Collector { cut, ..Collector::default() }
    }

    /// Takes a reported packet; returns a value when one is complete.
    pub(super) fn take(&mut self, packet: Packet) -> Option<Value> {
        let item = match packet {
            Packet::BracketStart => {
                if self.open.len() > DEPTH {
                    self.open.clear();
                }
                self.open.push(Vec::new());
                return None;
            }
            // An end without a start: the port was watched from the middle of a group on.
            Packet::BracketEnd => Item::Value(group_of(self.open.pop()?)),
            Packet::Byte(byte) => Item::Byte(byte),
            Packet::Boolean(value) => Item::Value(json!(value)),
            Packet::Integer(value) if self.cut => {
                Item::Value(json!({ "type": "integer", "low16": value as u16, "reported": false }))
            }
            Packet::Integer(value) => Item::Value(json!(value)),
            Packet::Float(value) => Item::Value(json!(value)),
            Packet::Error(kind) => {
                Item::Value(json!({ "error": ERROR_KINDS.get(usize::from(kind)).unwrap_or(&"Unknown") }))
            }
            Packet::Void | Packet::Invalid | Packet::Setup | Packet::Tick => Item::Value(Value::Null),
            Packet::Other { kind, .. } => Item::Value(json!({ "type": kind, "reported": false })),
        };
        let Some(group) = self.open.last_mut() else {
            self.elements = 0;
            return Some(alone(item));
        };
        group.push(item);
        self.elements += 1;
        if self.elements <= COLLECTED_ELEMENTS {
            return None;
        }
        let outermost = std::mem::take(&mut self.open).into_iter().next()?;
        self.elements = 0;
        Some(group_of(outermost))
    }
}

/// A group of bytes is a string. Firmware reports every byte as 0: then only the length is known.
fn group_of(items: Vec<Item>) -> Value {
    let bytes: Option<Vec<u8>> =
        items.iter().map(|item| if let Item::Byte(byte) = item { Some(*byte) } else { None }).collect();
    match bytes {
        Some(bytes) if bytes.is_empty() => json!([]),
        Some(bytes) if bytes.iter().all(|byte| *byte == 0) => {
            json!({ "type": "string", "length": bytes.len(), "reported": false })
        }
        Some(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Value::String(text),
            Err(error) => json!(error.into_bytes()),
        },
        None => Value::Array(items.into_iter().map(alone).collect()),
    }
}

/// A byte reported as 0 may have been any: firmware does not report the value.
fn alone(item: Item) -> Value {
    match item {
        Item::Byte(0) => json!({ "type": "byte", "reported": false }),
        Item::Byte(byte) => json!(byte),
        Item::Value(value) => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Packet::{Boolean, BracketEnd, BracketStart, Byte, Integer, Void};

    fn packets(value: Value) -> Vec<Packet> {
        to_packets(&value, "all").unwrap()
    }

    fn refusal(value: Value, kind: &str) -> String {
        to_packets(&value, kind).unwrap_err().to_string()
    }

    fn back(packets: &[Packet]) -> Vec<Value> {
        let mut collector = Collector::default();
        packets.iter().filter_map(|packet| collector.take(*packet)).collect()
    }

    #[test]
    fn what_fits_goes() {
        assert_eq!(packets(json!(300)), [Integer(300)]);
        assert_eq!(packets(json!(5.0)), [Integer(5)]);
        assert_eq!(packets(json!(i32::MIN)), [Integer(i32::MIN)]);
        assert_eq!(packets(json!("13")), [Integer(13)]);
        assert_eq!(packets(json!(" -7 ")), [Integer(-7)]);
        assert_eq!(packets(json!("true")), [Boolean(true)]);
        assert_eq!(packets(json!(null)), [Void]);
        assert_eq!(packets(json!("a1")), [BracketStart, Byte(b'a'), Byte(b'1'), BracketEnd]);
        assert_eq!(
            packets(json!([1, [true]])),
            [BracketStart, Integer(1), BracketStart, Boolean(true), BracketEnd, BracketEnd]
        );
        assert_eq!(packets(json!({"error": "InvalidInput"})), [Packet::Error(4)]);
    }

    #[test]
    fn what_does_not_fit_is_refused_in_words() {
        assert!(refusal(json!(1.5), "all").contains("1.5 is not an integer"));
        assert!(refusal(json!(2_147_483_648_u32), "all").contains("does not fit"));
        assert!(refusal(json!(1e300), "all").contains("does not fit"));
        assert!(refusal(json!(u64::MAX), "all").contains("does not fit"));
        assert!(refusal(json!("99999999999"), "all").contains("does not fit"));
        assert!(refusal(json!({"a": 1}), "all").contains("no objects"));
        assert!(refusal(json!("on"), "boolean").contains("`on` is not of the port's type, boolean"));
        assert!(refusal(json!("x".repeat(300)), "all").contains("more than 256 packets"));
        assert!(refusal(json!([[[[[[[[[[1]]]]]]]]]]), "all").contains("deeper"));
        assert!(refusal(json!(vec![1; 300]), "all").contains("more than 256 packets"));
    }

    #[test]
    fn groups_collapse_into_one_value() {
        for value in [
            json!(1),
            json!(null),
            json!(false),
            json!("Hello, wörld!"),
            json!([1, 2, [3]]),
            json!(["ab", 1]),
            json!([]),
        ] {
            assert_eq!(back(&packets(value.clone())), [value]);
        }
    }

    #[test]
    fn bytes_that_firmware_did_not_report_are_marked() {
        let text = [BracketStart, Byte(0), Byte(0), BracketEnd];
        assert_eq!(back(&text), [json!({"type": "string", "length": 2, "reported": false})]);
        assert_eq!(back(&[Byte(0)]), [json!({"type": "byte", "reported": false})]);
        assert_eq!(back(&[Byte(7)]), [json!(7)]);
    }

    #[test]
    fn integers_that_may_have_been_cut_are_marked() {
        let mut collector = Collector::new(true);
        let marked = json!({"type": "integer", "low16": 65534, "reported": false});
        assert_eq!(collector.take(Integer(-2)), Some(marked));
        assert_eq!(collector.take(Boolean(true)), Some(json!(true)));
    }

    #[test]
    fn a_group_that_is_watched_from_its_middle_or_never_ends_does_no_harm() {
        assert_eq!(back(&[BracketEnd, Integer(1)]), [json!(1)]);
        let endless = vec![Integer(1); COLLECTED_ELEMENTS + 1];
        assert_eq!(back(&[&[BracketStart][..], &endless].concat()).len(), 1);
        assert!(back(&[BracketStart; 100]).is_empty());
    }
}
