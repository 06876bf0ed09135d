//! How statements are written.
//!
//! Behind a `->`, or one of the words with `=`, no other reading is possible, so nothing there is tried twice and a chain is read in
//! a loop. Only the ends of an arrow have alternatives, of a few words each.

use serde_json::{Number, Value};

use super::data::json_number;
use super::error::{ParseError, Problem};
use super::scanner::Scanner;
use super::statement::{Component, Node, Port, Public, Statement, Step};

/// What is missing where a port's name should be.
const PORT: &str = "a port";

/// What is missing where a bare `name ` has been read.
const NODE_AFTER_PORT: &str = "a node (the name before is a port's, as a space follows it)";

/// Reads statements.
pub(super) struct Grammar<'a>(Scanner<'a>);

impl<'a> Grammar<'a> {
    pub(super) fn new(text: &'a str) -> Grammar<'a> {
        Grammar(Scanner::new(text))
    }

    pub(super) fn at_end(&self) -> bool {
        self.0.rest().is_empty()
    }

    /// Why there was no statement.
    pub(super) fn error(self) -> ParseError {
        self.0.error()
    }

    /// The next statement and what ends it. Each takes at least one character.
    pub(super) fn statement(&mut self) -> Option<Statement<'a>> {
        if let Some(annotation) = self.annotation() {
            return Some(annotation);
        }
        if self.comment() {
            self.0.newline();
            return Some(Statement::Nothing);
        }
        self.0.spaces();
        if self.0.newline() {
            return Some(Statement::Nothing);
        }
        let statement = if self.0.eat("INPORT=") {
            Statement::Inport(self.public()?)
        } else if self.0.eat("OUTPORT=") {
            Statement::Outport(self.public()?)
        } else if self.0.eat("DEFAULT_INPORT=") {
            Statement::DefaultInport(self.port_name()?)
        } else if self.0.eat("DEFAULT_OUTPORT=") {
            Statement::DefaultOutport(self.port_name()?)
        } else {
            Statement::Chain(self.chain()?)
        };
        self.statement_end();
        Some(statement)
    }

    /// `# @key value` and a line break; anything else is a comment.
    fn annotation(&mut self) -> Option<Statement<'a>> {
        let begin = self.0.pos();
        let annotation = self.annotation_line();
        if annotation.is_none() {
            self.0.back_to(begin);
        }
        annotation
    }

    fn annotation_line(&mut self) -> Option<Statement<'a>> {
        let some = |text: &'a str| (!text.is_empty()).then_some(text);
        let word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let scanner = &mut self.0;
        (scanner.eat("#") && scanner.spaces() > 0 && scanner.eat("@")).then_some(())?;
        let key = some(scanner.run(word))?;
        (scanner.spaces() > 0).then_some(())?;
        let value = some(scanner.run(|byte| word(byte) || matches!(byte, b' ' | b'.')))?;
        scanner.newline().then_some(Statement::Annotation { key, value })
    }

    /// Goes past spaces and `#` and the rest of the line, without its end.
    fn comment(&mut self) -> bool {
        let begin = self.0.pos();
        self.0.spaces();
        let found = self.0.eat("#");
        if found {
            self.0.skip_line();
        } else {
            self.0.back_to(begin);
        }
        found
    }

    /// Spaces, a comma, a comment and a line break, each of which may be missing. Statements may share a line.
    fn statement_end(&mut self) {
        self.0.spaces();
        self.0.eat(",");
        self.comment();
        self.0.newline();
    }

    /// `node.PORT:PUBLIC`
    fn public(&mut self) -> Option<Public<'a>> {
        let node = self.node("a node")?;
        self.0.need(".", "`.`")?;
        let port = self.port_name()?;
        self.0.need(":", "`:`")?;
        let name = self.port_name()?;
        Some(Public { node, port, name })
    }

    /// `step -> step -> step`
    fn chain(&mut self) -> Option<Vec<Step<'a>>> {
        let mut steps = Vec::new();
        loop {
            let begin = self.0.pos();
            if let Some(step) = self.source() {
                self.0.spaces();
                if self.0.need("->", "`->`").is_some() {
                    self.0.spaces();
                    steps.push(step);
                    continue;
                }
            }
            self.0.back_to(begin);
            steps.push(self.target()?);
            return Some(steps);
        }
    }

    /// What stands in front of an arrow.
    fn source(&mut self) -> Option<Step<'a>> {
        let begin = self.0.pos();
        if let Some(bridge) = self.bridge() {
            return Some(bridge);
        }
        self.0.back_to(begin);
        if let Some(node) = self.node("a node") {
            return Some(Step::Source { node, outlet: self.outlet() });
        }
        self.0.data().map(Step::Data)
    }

    /// `IN node OUT`; a node with its component needs no ports.
    fn bridge(&mut self) -> Option<Step<'a>> {
        let inlet = self.inlet();
        let node = self.node(if inlet.is_some() { NODE_AFTER_PORT } else { "a node" })?;
        if inlet.is_none() && node.component.is_none() {
            return None;
        }
        let outlet = self.outlet();
        let complete = node.component.is_some() || outlet.is_some();
        complete.then_some(Step::Bridge { inlet, node, outlet })
    }

    /// `IN node`
    fn target(&mut self) -> Option<Step<'a>> {
        let inlet = self.inlet();
        let node = self.node(if inlet.is_some() { NODE_AFTER_PORT } else { "a node" })?;
        Some(Step::Target { inlet, node })
    }

    /// A port and at least one space.
    fn inlet(&mut self) -> Option<Port<'a>> {
        let begin = self.0.pos();
        let port = self.port().filter(|_| self.0.spaces() > 0);
        if port.is_none() {
            self.0.back_to(begin);
        }
        port
    }

    /// At least one space and a port.
    fn outlet(&mut self) -> Option<Port<'a>> {
        let begin = self.0.pos();
        let port = if self.0.spaces() > 0 { self.port() } else { None };
        if port.is_none() {
            self.0.back_to(begin);
        }
        port
    }

    fn port(&mut self) -> Option<Port<'a>> {
        let name = self.port_name()?;
        let begin = self.0.pos();
        let index = self.index();
        if index.is_none() {
            self.0.back_to(begin);
        }
        Some(Port { name, index })
    }

    fn port_name(&mut self) -> Option<&'a str> {
        self.name(PORT, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
    }

    /// `[1]`
    fn index(&mut self) -> Option<Number> {
        let begin = self.0.pos();
        self.0.eat("[").then_some(())?;
        let digits = self.0.run(|byte| byte.is_ascii_digit());
        if digits.is_empty() {
            return self.0.missing("a digit");
        }
        self.0.need("]", "`]`")?;
        match digits.parse().ok().and_then(json_number) {
            Some(Value::Number(index)) => Some(index),
            _ => self.0.wrong(begin + 1, Problem::TooLarge),
        }
    }

    /// A node, or remembers under that name that it was missing.
    fn node(&mut self, missing: &'static str) -> Option<Node<'a>> {
        let at = self.0.pos();
        let name = self.name(missing, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        let begin = self.0.pos();
        let component = self.component();
        if component.is_none() {
            self.0.back_to(begin);
        }
        (name.is_some() || component.is_some()).then_some(Node { at, name, component })
    }

    /// `(Name:metadata)`, each of which may be missing.
    fn component(&mut self) -> Option<Component<'a>> {
        self.0.eat("(").then_some(())?;
        let name = self.0.run(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_'));
        let metadata = self.metadata();
        self.0.need(")", if metadata.is_some() { "`)`" } else { "`:` or `)`" })?;
        Some(Component { name, metadata })
    }

    /// `:key=value,key=value`
    fn metadata(&mut self) -> Option<&'a str> {
        let begin = self.0.pos();
        self.0.eat(":").then_some(())?;
        let metadata = self.0.run(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'=' | b'_' | b','));
        if metadata.is_empty() {
            self.0.missing::<()>("`key=value`");
            self.0.back_to(begin);
            return None;
        }
        Some(metadata)
    }

    /// A letter or `_`, and what else a name may have.
    fn name(&mut self, missing: &'static str, class: impl Fn(u8) -> bool) -> Option<&'a str> {
        match self.0.peek() {
            Some(first) if first.is_ascii_alphabetic() || first == b'_' => Some(self.0.run(class)),
            _ => self.0.missing(missing),
        }
    }
}
