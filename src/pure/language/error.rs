//! Why a text is no graph.

use super::data::DEPTH;

/// Why a text is no graph, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct ParseError {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Something else must stand there.
    #[error("{} expected, not {}", alternatives(expected), shown(*found))]
    Syntax {
        /// What may stand there.
        expected: Vec<&'static str>,
        /// What does; nothing at the end of the text.
        found: Option<char>,
    },
    /// A quoted text without an end.
    #[error("the text that begins here has no closing `'`")]
    Unclosed,
    /// A node without a component.
    #[error("node {node} has no component; write it once as {node}(Component)")]
    NoComponent {
        /// The node.
        node: String,
    },
    /// A name that is used as a node and is none.
    #[error("there is no node {node}; write it once as {node}(Component)")]
    NoNode {
        /// The name.
        node: String,
    },
    /// Arrays and objects in each other. The original goes on until its stack is full.
    #[error("data may be nested {DEPTH} deep at most")]
    TooDeep,
    /// A number beyond 1.8e308. The original makes it infinite, which JSON writes as `null`.
    #[error("this number is too large")]
    TooLarge,
    /// One half of a character above U+FFFF, which is no text. The original keeps it.
    #[error("`\\u{half:04x}` is half a character; the other half must be next to it")]
    HalfCharacter {
        /// The UTF-16 code unit.
        half: u16,
    },
}

impl ParseError {
    /// The problem at the byte offset `at`.
    pub(super) fn new(text: &str, at: usize, problem: Problem) -> ParseError {
        let (mut line, mut column, mut after_cr) = (1, 1, false);
        for (_, c) in text.char_indices().take_while(|(offset, _)| *offset < at) {
            match c {
                '\n' if after_cr => {}
                '\n' | '\r' | '\u{2028}' | '\u{2029}' => (line, column) = (line + 1, 1),
                _ => column += 1,
            }
            after_cr = c == '\r';
        }
        ParseError { line, column, problem }
    }
}

fn alternatives(expected: &[&'static str]) -> String {
    match expected {
        [] => "something else".to_owned(),
        [one] => (*one).to_owned(),
        [init @ .., last] => format!("{} or {last}", init.join(", ")),
    }
}

fn shown(found: Option<char>) -> String {
    match found {
        None => "the end of the text".to_owned(),
        Some('\n' | '\r' | '\u{2028}' | '\u{2029}') => "the end of the line".to_owned(),
        Some('\t') => "a tab".to_owned(),
        Some(' ') => "a space".to_owned(),
        Some('\u{feff}') => "a byte order mark".to_owned(),
        Some(c) if c.is_control() || c.is_whitespace() => format!("U+{:04X}", u32::from(c)),
        Some(c) => format!("`{c}`"),
    }
}
