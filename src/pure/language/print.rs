//! A graph as text in the `.fbp` language.

use std::collections::HashSet;
use std::fmt::Write;

use serde_json::Value;

/// The text of a graph in FBP's JSON format; `None` if it has names that the language cannot write. Metadata and groups are left out:
/// the language has no words for most of it.
pub fn print(graph: &Value) -> Option<String> {
    let mut printer = Printer { text: String::new(), declared: HashSet::new(), graph };
    printer.properties();
    for connection in graph["connections"].as_array().into_iter().flatten() {
        printer.connection(connection)?;
    }
    for name in graph["processes"].as_object().into_iter().flatten().map(|(name, _)| name) {
        if !printer.declared.contains(name.as_str()) {
            let node = printer.node(name)?;
            writeln!(printer.text, "{node}").ok()?;
        }
    }
    printer.exports("INPORT", &graph["inports"])?;
    printer.exports("OUTPORT", &graph["outports"])?;
    Some(printer.text)
}

struct Printer<'a> {
    text: String,
    /// Nodes whose component was written.
    declared: HashSet<&'a str>,
    graph: &'a Value,
}

impl<'a> Printer<'a> {
    fn properties(&mut self) {
        let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ' ' | '.');
        let name = self.graph["properties"]["name"].as_str();
        if let Some(name) = name.filter(|name| !name.is_empty() && name.chars().all(word)) {
            self.text += &format!("# @name {name}\n");
        }
    }

    fn connection(&mut self, connection: &'a Value) -> Option<()> {
        let source = match connection.get("src") {
            Some(src) => format!("{} {}", self.node(text(src, "process")?)?, port(src)?),
            None => data(&connection["data"]),
        };
        let tgt = &connection["tgt"];
        let node = self.node(text(tgt, "process")?)?;
        writeln!(self.text, "{source} -> {} {node}", port(tgt)?).ok()
    }

    /// The node, with its component the first time.
    fn node(&mut self, name: &'a str) -> Option<String> {
        if !is_name(name, |c| matches!(c, '_' | '-')) {
            return None;
        }
        if !self.declared.insert(name) {
            return Some(name.to_owned());
        }
        let component = self.graph["processes"][name]["component"].as_str()?;
        let fits = component.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_'));
        (fits && !component.is_empty()).then(|| format!("{name}({component})"))
    }

    fn exports(&mut self, word: &str, exports: &'a Value) -> Option<()> {
        for (public, inner) in exports.as_object().into_iter().flatten() {
            let node = text(inner, "process").filter(|node| is_name(node, |c| matches!(c, '_' | '-')))?;
            let public = Some(public).filter(|public| is_port(public))?;
            writeln!(self.text, "{word}={node}.{}:{public}", port(inner)?).ok()?;
        }
        Some(())
    }
}

fn text<'a>(of: &'a Value, key: &str) -> Option<&'a str> {
    of.get(key)?.as_str()
}

fn port(end: &Value) -> Option<&str> {
    text(end, "port").filter(|port| is_port(port))
}

fn is_port(name: &str) -> bool {
    is_name(name, |c| matches!(c, '_' | '.'))
}

/// A letter or `_`, then letters, digits and `others`.
fn is_name(name: &str, others: impl Fn(char) -> bool) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || others(c))
}

fn data(data: &Value) -> String {
    match data {
        Value::String(text) if !text.contains(['\'', '\\', '\n', '\r']) => format!("'{text}'"),
        data => data.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::pure::language::{PortCase, parse};

    #[test]
    fn what_is_printed_reads_as_the_same_graph() {
        let graph = json!({
            "properties": { "name": "blink" },
            "inports": { "speed": { "process": "timer", "port": "interval" } },
            "outports": { "light": { "process": "led", "port": "out" } },
            "groups": [],
            "processes": { "timer": { "component": "Timer" }, "led": { "component": "core/Output" }, "lone": { "component": "Max" } },
            "connections": [
                { "src": { "process": "timer", "port": "out" }, "tgt": { "process": "led", "port": "in" } },
                { "data": 300, "tgt": { "process": "timer", "port": "interval" } },
                { "data": "it's \\ \"x\"", "tgt": { "process": "led", "port": "in" } },
                { "data": "13", "tgt": { "process": "led", "port": "in" } },
                { "data": [1, null, { "error": "x" }], "tgt": { "process": "led", "port": "in" } },
            ],
            "caseSensitive": true,
        });
        let text = print(&graph).unwrap();
        assert!(
            text.starts_with("# @name blink\ntimer(Timer) out -> in led(core/Output)\n300 -> interval timer\n"),
            "{text}"
        );
        assert_eq!(parse(&text, PortCase::Kept).unwrap(), graph);
    }

    #[test]
    fn names_that_the_language_cannot_write_are_not_written() {
        let graph = |name: &str| json!({ "processes": { name: { "component": "Max" } }, "connections": [] });
        assert!(print(&graph("a node")).is_none());
        assert!(print(&graph("1")).is_none());
        assert!(print(&graph("ok-2")).is_some());
    }
}
