//! The data of an initial packet: quoted text, or JSON.

use serde_json::{Map, Number, Value};

use super::error::Problem;
use super::scanner::Scanner;

/// How deep arrays and objects may be in each other.
pub const DEPTH: usize = 100;

/// Integers up to here are exact in a JavaScript number.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// What is missing where a JSON value should be.
const VALUE: &str = "a JSON value";

impl Scanner<'_> {
    /// `'text'`, or JSON with white space (line breaks too) on both sides.
    pub(super) fn data(&mut self) -> Option<Value> {
        if self.peek() == Some(b'\'') {
            return self.quoted().map(Value::String);
        }
        let begin = self.pos();
        self.white_space();
        let arrow = self.rest().starts_with("->");
        if arrow || !matches!(self.peek(), Some(b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n')) {
            self.back_to(begin);
            return self.missing("data");
        }
        let value = self.value(0)?;
        self.white_space();
        Some(value)
    }

    /// Everything up to the closing quote; `\'` is a quote, any other backslash itself.
    fn quoted(&mut self) -> Option<String> {
        let begin = self.pos();
        self.eat("'");
        let mut text = String::new();
        loop {
            text.push_str(self.run(|byte| byte != b'\'' && byte != b'\\'));
            if self.eat("\\'") {
                text.push('\'');
            } else if self.eat("'") {
                return Some(text);
            } else if self.eat("\\") {
                text.push('\\');
            } else {
                return self.wrong(begin, Problem::Unclosed);
            }
        }
    }

    fn white_space(&mut self) {
        self.run(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        match self.peek() {
            Some(b'{' | b'[') if depth == DEPTH => self.wrong(self.pos(), Problem::TooDeep),
            Some(b'{') => self.object(depth + 1),
            Some(b'[') => self.array(depth + 1),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ if self.eat("false") => Some(Value::Bool(false)),
            _ if self.eat("null") => Some(Value::Null),
            _ if self.eat("true") => Some(Value::Bool(true)),
            _ => self.missing(VALUE),
        }
    }

    fn object(&mut self, depth: usize) -> Option<Value> {
        let mut members = Map::new();
        self.items("{", "}", "`,` or `}`", |scanner| {
            let name = scanner.string()?;
            scanner.white_space();
            scanner.need(":", "`:`")?;
            scanner.white_space();
            members.insert(name, scanner.value(depth)?);
            Some(())
        })?;
        Some(Value::Object(members))
    }

    fn array(&mut self, depth: usize) -> Option<Value> {
        let mut values = Vec::new();
        self.items("[", "]", "`,` or `]`", |scanner| {
            values.push(scanner.value(depth)?);
            Some(())
        })?;
        Some(Value::Array(values))
    }

    /// A list with commas between its brackets, which may be empty.
    fn items(
        &mut self,
        open: &str,
        close: &str,
        more: &'static str,
        mut item: impl FnMut(&mut Self) -> Option<()>,
    ) -> Option<()> {
        self.eat(open);
        self.white_space();
        if self.eat(close) {
            return Some(());
        }
        loop {
            item(self)?;
            self.white_space();
            if self.eat(close) {
                return Some(());
            }
            self.need(",", more)?;
            self.white_space();
        }
    }

    fn number(&mut self) -> Option<Value> {
        let (begin, text) = (self.pos(), self.rest());
        self.eat("-");
        if !self.eat("0") {
            self.digits()?;
        }
        self.optional(|scanner| {
            scanner.eat(".").then_some(())?;
            scanner.digits()
        });
        self.optional(|scanner| {
            (scanner.eat("e") || scanner.eat("E")).then_some(())?;
            let _ = scanner.eat("-") || scanner.eat("+");
            scanner.digits()
        });
        let text = &text[..self.pos() - begin];
        text.parse().ok().and_then(json_number).or_else(|| self.wrong(begin, Problem::TooLarge))
    }

    /// Goes on only if all of it is there.
    fn optional(&mut self, part: impl FnOnce(&mut Self) -> Option<()>) {
        let before = self.pos();
        if part(self).is_none() {
            self.back_to(before);
        }
    }

    fn digits(&mut self) -> Option<()> {
        if self.run(|byte| byte.is_ascii_digit()).is_empty() { self.missing("a digit") } else { Some(()) }
    }

    fn string(&mut self) -> Option<String> {
        self.need("\"", "a JSON string")?;
        let mut text = String::new();
        loop {
            text.push_str(self.run(|byte| byte >= b' ' && byte != b'"' && byte != b'\\'));
            if self.eat("\"") {
                return Some(text);
            }
            self.need("\\", "`\"`")?;
            text.push(self.escaped()?);
        }
    }

    /// What a backslash and what follows stand for.
    fn escaped(&mut self) -> Option<char> {
        const ESCAPES: [(&str, char); 8] = [
            ("\"", '"'),
            ("\\", '\\'),
            ("/", '/'),
            ("b", '\u{8}'),
            ("f", '\u{c}'),
            ("n", '\n'),
            ("r", '\r'),
            ("t", '\t'),
        ];
        if let Some((_, c)) = ESCAPES.into_iter().find(|(escape, _)| self.eat(escape)) {
            return Some(c);
        }
        let begin = self.pos() - 1;
        self.need("u", "an escape such as `\\n` or `\\u00e9`")?;
        let first = self.four_digits()?;
        if !(0xd800..0xe000).contains(&first) {
            return char::from_u32(u32::from(first));
        }
        let second = if self.eat("\\u") { self.four_digits()? } else { 0 };
        match char::decode_utf16([first, second]).next() {
            Some(Ok(c)) => Some(c),
            _ => self.wrong(begin, Problem::HalfCharacter { half: first }),
        }
    }

    fn four_digits(&mut self) -> Option<u16> {
        let begin = self.rest();
        for _ in 0..4 {
            if !self.peek().is_some_and(|byte| byte.is_ascii_hexdigit()) {
                return self.missing("a hexadecimal digit");
            }
            self.next();
        }
        u16::from_str_radix(&begin[..4], 16).ok()
    }
}

/// The number as JavaScript writes it in JSON: whole numbers without a fraction. None if it is infinite.
pub(super) fn json_number(number: f64) -> Option<Value> {
    if number.fract() == 0.0 && number.abs() < EXACT {
        return Some(Value::from(number as i64));
    }
    Number::from_f64(number).map(Value::Number)
}
