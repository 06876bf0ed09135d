//! A place in a text, and what was missing at the furthest place so far.

use super::error::{ParseError, Problem};

/// A place in a text. All that has a meaning in the language is ASCII; other characters occur only in comments and data.
pub(super) struct Scanner<'a> {
    text: &'a str,
    /// The byte offset. Always at a character.
    pos: usize,
    /// The furthest offset at which something was missing.
    furthest: usize,
    /// What.
    expected: Vec<&'static str>,
    /// What no other alternative can mend.
    problem: Option<(usize, Problem)>,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Scanner<'a> {
        Scanner { text, pos: 0, furthest: 0, expected: Vec::new(), problem: None }
    }

    pub(super) fn pos(&self) -> usize {
        self.pos
    }

    /// Back to a place where the scanner has been.
    pub(super) fn back_to(&mut self, pos: usize) {
        self.pos = pos;
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.pos..]
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.pos).copied()
    }

    /// The next character.
    pub(super) fn next(&mut self) -> Option<char> {
        let c = self.rest().chars().next()?;
        self.pos += c.len_utf8();
        Some(c)
    }

    /// Goes past that text, if it is next.
    pub(super) fn eat(&mut self, literal: &str) -> bool {
        let found = self.rest().starts_with(literal);
        if found {
            self.pos += literal.len();
        }
        found
    }

    /// Goes past that text, or remembers under that name that it was missing.
    pub(super) fn need(&mut self, literal: &str, name: &'static str) -> Option<()> {
        if self.eat(literal) { Some(()) } else { self.missing(name) }
    }

    /// Goes past all bytes of a class of ASCII characters.
    pub(super) fn run(&mut self, class: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.rest();
        let len = rest.bytes().position(|byte| !class(byte)).unwrap_or(rest.len());
        self.pos += len;
        &rest[..len]
    }

    /// Goes past spaces; how many. Tabs are none.
    pub(super) fn spaces(&mut self) -> usize {
        self.run(|byte| byte == b' ').len()
    }

    /// Goes past one line break of one character.
    pub(super) fn newline(&mut self) -> bool {
        ["\n", "\r", "\u{2028}", "\u{2029}"].into_iter().any(|newline| self.eat(newline))
    }

    /// Goes past the rest of the line, without its end.
    pub(super) fn skip_line(&mut self) {
        let rest = self.rest();
        self.pos += rest.find(['\n', '\r', '\u{2028}', '\u{2029}']).unwrap_or(rest.len());
    }

    /// Remembers what is missing here.
    pub(super) fn missing<T>(&mut self, name: &'static str) -> Option<T> {
        if self.pos > self.furthest {
            self.furthest = self.pos;
            self.expected.clear();
        }
        if self.pos == self.furthest && !self.expected.contains(&name) {
            self.expected.push(name);
        }
        None
    }

    /// Remembers a problem at `at` that no other alternative can mend.
    pub(super) fn wrong<T>(&mut self, at: usize, problem: Problem) -> Option<T> {
        self.problem.get_or_insert((at, problem));
        None
    }

    /// Why no alternative matched.
    pub(super) fn error(self) -> ParseError {
        let (at, problem) = self.problem.unwrap_or_else(|| {
            let found = self.text[self.furthest..].chars().next();
            (self.furthest, Problem::Syntax { expected: self.expected, found })
        });
        ParseError::new(self.text, at, problem)
    }
}
