//! The graph that the statements describe.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::PortCase;
use super::data::json_number;
use super::error::Problem;
use super::statement::{Component, Node, Port, Public, Statement, Step};

/// Collects statements.
pub(super) struct Builder<'a> {
    case: PortCase,
    default_inport: &'a str,
    default_outport: &'a str,
    properties: Option<Map<String, Value>>,
    inports: Ports,
    outports: Ports,
    processes: Map<String, Value>,
    /// Where each node got its component or failed to.
    declared: HashMap<String, usize>,
    /// Nodes without a name of their own: how many of each component.
    anonymous: HashMap<String, usize>,
    connections: Vec<Value>,
    /// The nodes at both ends of the connections, and where they stand.
    ends: Vec<(String, usize)>,
}

/// The graph's own ports, and where their nodes stand.
#[derive(Default)]
struct Ports {
    ports: Map<String, Value>,
    ends: HashMap<String, (String, usize)>,
}

/// A connection that has begun: its source, or data and no node.
struct Begun {
    connection: Map<String, Value>,
    node: Option<(String, usize)>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(case: PortCase) -> Builder<'a> {
        Builder {
            case,
            default_inport: "IN",
            default_outport: "OUT",
            properties: None,
            inports: Ports::default(),
            outports: Ports::default(),
            processes: Map::new(),
            declared: HashMap::new(),
            anonymous: HashMap::new(),
            connections: Vec::new(),
            ends: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, statement: Statement<'a>) {
        match statement {
            Statement::Nothing => {}
            Statement::Annotation { key, value } => self.annotate(key, value),
            Statement::Inport(public) => self.publish(public, |builder| &mut builder.inports),
            Statement::Outport(public) => self.publish(public, |builder| &mut builder.outports),
            Statement::DefaultInport(port) => self.default_inport = port,
            Statement::DefaultOutport(port) => self.default_outport = port,
            Statement::Chain(steps) => self.connect(steps),
        }
    }

    /// The graph, or what is wrong with it and where.
    pub(super) fn finish(self) -> Result<Value, (usize, Problem)> {
        self.check()?;
        let mut graph = json!({
            "inports": self.inports.ports,
            "outports": self.outports.ports,
            "groups": [],
            "processes": self.processes,
            "connections": self.connections,
        });
        if let Some(properties) = self.properties {
            graph["properties"] = Value::Object(properties);
        }
        graph["caseSensitive"] = Value::Bool(self.case == PortCase::Kept);
        Ok(graph)
    }

    /// Every node has a component, and every name that is used as a node is one.
    fn check(&self) -> Result<(), (usize, Problem)> {
        for (node, process) in &self.processes {
            if process.get("component").is_none() {
                let at = self.declared.get(node).copied().unwrap_or_default();
                return Err((at, Problem::NoComponent { node: node.clone() }));
            }
        }
        let ports = self.inports.ends.values().chain(self.outports.ends.values());
        let undefined = ports.chain(&self.ends).filter(|(node, _)| !self.processes.contains_key(node));
        match undefined.min_by_key(|(_, at)| *at) {
            Some((node, at)) => Err((*at, Problem::NoNode { node: node.clone() })),
            None => Ok(()),
        }
    }

    fn annotate(&mut self, key: &str, value: &str) {
        let properties = self.properties.get_or_insert_default();
        match key {
            "runtime" => properties.insert("environment".to_owned(), json!({ "type": value })),
            _ => properties.insert(key.to_owned(), Value::from(value)),
        };
    }

    fn publish(&mut self, public: Public<'_>, side: impl FnOnce(&mut Self) -> &mut Ports) {
        let node = self.node(&public.node);
        let (name, port) = (self.port_name(public.name), self.port_name(public.port));
        let ports = side(self);
        ports.ports.insert(name.clone(), json!({ "process": node, "port": port }));
        ports.ends.insert(name, (node, public.node.at));
    }

    /// A connection for each arrow that ends at a [`Step::Bridge`] or a [`Step::Target`].
    fn connect(&mut self, steps: Vec<Step<'a>>) {
        let mut begun = None;
        for step in steps {
            begun = match step {
                Step::Data(data) => Some(Begun { connection: object("data", data), node: None }),
                Step::Source { node, outlet } => {
                    let name = self.node(&node);
                    Some(self.begin(&node, name, outlet))
                }
                Step::Bridge { inlet, node, outlet } => {
                    let name = self.node(&node);
                    self.end(begun, &node, name.clone(), inlet);
                    Some(self.begin(&node, name, outlet))
                }
                Step::Target { inlet, node } => {
                    let name = self.node(&node);
                    self.end(begun, &node, name, inlet);
                    None
                }
            };
        }
    }

    fn begin(&self, node: &Node<'_>, name: String, outlet: Option<Port<'_>>) -> Begun {
        let source = self.port(&name, outlet, self.default_outport);
        Begun { connection: object("src", source), node: Some((name, node.at)) }
    }

    fn end(&mut self, begun: Option<Begun>, node: &Node<'_>, name: String, inlet: Option<Port<'_>>) {
        let Some(mut begun) = begun else { return };
        let target = self.port(&name, inlet, self.default_inport);
        begun.connection.insert("tgt".to_owned(), target);
        self.connections.push(Value::Object(begun.connection));
        self.ends.extend(begun.node);
        self.ends.push((name, node.at));
    }

    fn port(&self, node: &str, port: Option<Port<'_>>, default: &str) -> Value {
        let (name, index) = port.map_or((default, None), |port| (port.name, port.index));
        let mut end = Map::new();
        end.insert("process".to_owned(), Value::from(node));
        end.insert("port".to_owned(), Value::from(self.port_name(name)));
        if let Some(index) = index {
            end.insert("index".to_owned(), Value::Number(index));
        }
        Value::Object(end)
    }

    fn port_name(&self, name: &str) -> String {
        match self.case {
            PortCase::Lower => name.to_ascii_lowercase(),
            PortCase::Kept => name.to_owned(),
        }
    }

    /// The node's name. If it is written with a component, there is such a process from now on; the last component and the last
    /// metadata count.
    fn node(&mut self, node: &Node<'_>) -> String {
        let name = match (node.name, node.component) {
            (Some(name), None) => return name.to_owned(),
            (Some(name), Some(_)) => name.to_owned(),
            (None, component) => self.anonymous_name(component.map_or("", |component| component.name)),
        };
        let process = self.processes.entry(&name).or_insert_with(|| json!({}));
        if let Some(Component { name: component, metadata }) = node.component {
            if !component.is_empty() {
                process["component"] = Value::from(component);
            }
            if let Some(text) = metadata {
                process["metadata"] = metadata_of(text);
            }
        }
        self.declared.entry(name.clone()).or_insert(node.at);
        name
    }

    /// `_Component_1`, where the first characters that are no letters or digits become one `_`.
    fn anonymous_name(&mut self, component: &str) -> String {
        let odd = |c: char| !c.is_ascii_alphanumeric();
        let stem = match component.split_once(odd) {
            Some((before, after)) => format!("{before}_{}", after.trim_start_matches(odd)),
            None => component.to_owned(),
        };
        let count = self.anonymous.entry(stem.clone()).or_default();
        *count += 1;
        format!("_{stem}_{count}")
    }
}

fn object(key: &str, value: Value) -> Map<String, Value> {
    Map::from_iter([(key.to_owned(), value)])
}

/// `key=value,key=value`. A word without `=` is the value of `routes`; `x` and `y` are numbers, `null` if they do not begin with one.
fn metadata_of(text: &str) -> Value {
    let mut metadata = Map::new();
    for item in text.split(',') {
        let mut parts = item.split('=');
        let (key, value) = match (parts.next().unwrap_or_default(), parts.next()) {
            (word, None) => ("routes", word),
            (key, Some(value)) => (key, value),
        };
        let value = if matches!(key, "x" | "y") { leading_number(value) } else { Value::from(value) };
        metadata.insert(key.to_owned(), value);
    }
    Value::Object(metadata)
}

/// The number that a text of letters and digits begins with.
fn leading_number(text: &str) -> Value {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let mut len = digits(text);
    if let Some(exponent) = text[len..].strip_prefix(['e', 'E']).map(digits).filter(|count| *count > 0) {
        len += 1 + exponent;
    }
    text[..len].parse().ok().and_then(json_number).unwrap_or(Value::Null)
}
