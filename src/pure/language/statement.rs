//! What statements say.

use serde_json::{Number, Value};

/// One statement.
#[derive(Debug, PartialEq)]
pub(super) enum Statement<'a> {
    /// An empty line or a comment.
    Nothing,
    /// `# @key value`
    Annotation { key: &'a str, value: &'a str },
    /// `INPORT=node.PORT:PUBLIC`
    Inport(Public<'a>),
    /// `OUTPORT=node.PORT:PUBLIC`
    Outport(Public<'a>),
    /// `DEFAULT_INPORT=PORT`
    DefaultInport(&'a str),
    /// `DEFAULT_OUTPORT=PORT`
    DefaultOutport(&'a str),
    /// `step -> step -> step`, at least one step; the last is a [`Step::Target`] and no other is.
    Chain(Vec<Step<'a>>),
}

/// A port of the graph itself.
#[derive(Debug, PartialEq)]
pub(super) struct Public<'a> {
    pub(super) node: Node<'a>,
    pub(super) port: &'a str,
    /// Its name outside.
    pub(super) name: &'a str,
}

/// What stands between arrows.
#[derive(Debug, PartialEq)]
pub(super) enum Step<'a> {
    /// `'text'` or JSON.
    Data(Value),
    /// A node at which an edge begins.
    Source { node: Node<'a>, outlet: Option<Port<'a>> },
    /// A node at which one edge ends and another begins.
    Bridge { inlet: Option<Port<'a>>, node: Node<'a>, outlet: Option<Port<'a>> },
    /// A node at which an edge ends.
    Target { inlet: Option<Port<'a>>, node: Node<'a> },
}

/// `name`, `name(Component)` or `(Component)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Node<'a> {
    /// Where it begins.
    pub(super) at: usize,
    /// None: the graph makes a name of the component's.
    pub(super) name: Option<&'a str>,
    pub(super) component: Option<Component<'a>>,
}

/// `(Name:metadata)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Component<'a> {
    /// May be empty.
    pub(super) name: &'a str,
    pub(super) metadata: Option<&'a str>,
}

/// `NAME` or `NAME[1]`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Port<'a> {
    pub(super) name: &'a str,
    pub(super) index: Option<Number>,
}
