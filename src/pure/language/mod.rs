//! The `.fbp` language: a graph as text, `'500' -> INTERVAL timer(Timer) OUT -> IN led(DigitalWrite)`.
//!
//! What is accepted and what it means is as in npm's `fbp` 1.8.0, with which MicroFlo and NoFlo read such files; the tests compare
//! both. Its grammar takes the first alternative that matches and never returns to another, which explains its odd corners:
//!
//! | text | means |
//! |---|---|
//! | `a OUT -> IN b` | node `a`, out port `OUT`, in port `IN`, node `b` |
//! | `-> b ` | nothing: a name with a space behind is a port, and its node is missing |
//! | `a -> b -> c` with bare names | only `b -> c`: a bare name in the middle of a chain begins an edge and ends none |
//! | `IN b -> c` | node `IN`, out port `b` |
//! | `# @name x` in the last line, without a line break | a comment |
//! | a tab, or spaces after the last line break | an error |
//!
//! It differs where the original crashes or loses something without a word: see [`Problem`], and names such as `constructor` and
//! `__proto__`, which mean something else inside JavaScript's objects and are ordinary names here.
//!
//! `grammar` reads one statement after the other with a `scanner` that remembers the furthest place at which something was
//! missing; `data` reads JSON and quoted text; `graph` puts the statements together.

mod data;
mod error;
mod grammar;
mod graph;
mod scanner;
mod statement;
#[cfg(test)]
mod tests;

use serde_json::Value;

pub use data::DEPTH;
pub use error::{ParseError, Problem};

/// What becomes of the names of ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortCase {
    /// They become lower case (`OUT` is `out`), as in `microflo generate`: the ports of MicroFlo's components are lower case, and
    /// its graphs are written with upper case ports.
    Lower,
    /// They stay as written: npm's `caseSensitive: true`.
    Kept,
}

/// The graph in FBP's JSON format: `{inports, outports, groups, processes, connections, properties?, caseSensitive}`.
pub fn parse(text: &str, ports: PortCase) -> Result<Value, ParseError> {
    let mut grammar = grammar::Grammar::new(text);
    let mut graph = graph::Builder::new(ports);
    while !grammar.at_end() {
        match grammar.statement() {
            Some(statement) => graph.add(statement),
            None => return Err(grammar.error()),
        }
    }
    graph.finish().map_err(|(at, problem)| ParseError::new(text, at, problem))
}
