//! The component map: which components a firmware build has, and the numbers of their ports.
//!
//! Component and port numbers differ per build. `microflo generate` writes them as `componentlib-map.json`:
//! `{"components": {NAME: {"id": 1, "description"?, "icon"?, "inPorts": {PORT: {"id": 0, "type"?, "description"?}}, "outPorts": {…}}}}`.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

/// The longest component or port name, in characters.
pub const NAME_CHARS: usize = 128;

/// The type of a port that takes anything.
const ANY_TYPE: &str = "all";

/// The components of one firmware build. Clones share them: many boards run the same build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Library(Arc<Contents>);

#[derive(Debug, PartialEq, Eq, Default)]
struct Contents {
    components: Vec<Component>,
    by_name: HashMap<String, usize>,
    by_id: HashMap<u8, usize>,
}

/// A component that nodes can be made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// Its name, as the map has it.
    pub name: String,
    /// Its number on the wire.
    pub id: u8,
    /// What it does; may be empty.
    pub description: String,
    /// A Font Awesome name.
    pub icon: Option<String>,
    /// In ports, in the map's order.
    pub in_ports: Vec<Port>,
    /// Out ports, in the map's order.
    pub out_ports: Vec<Port>,
}

/// A component's port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// Its number on the wire.
    pub id: u8,
    /// The type that the map declares, `all` if it does not.
    pub kind: String,
    /// What it is for; may be empty.
    pub description: String,
}

/// Which side of a component a port is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Packets arrive here.
    In,
    /// Packets leave here.
    Out,
}

impl Direction {
    /// Both sides.
    pub const BOTH: [Direction; 2] = [Direction::In, Direction::Out];
}

impl std::fmt::Display for Direction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Direction::In => "in",
            Direction::Out => "out",
        })
    }
}

/// Why a component map cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// Not JSON at all.
    #[error("the component map is not JSON: {0}; give the componentlib-map.json that `microflo generate` wrote")]
    NotJson(#[from] serde_json::Error),
    /// No `components` object in it.
    #[error(
        "the component map has no object `components`; give the componentlib-map.json that `microflo generate` wrote"
    )]
    NoComponents,
    /// A component or its ports are of the wrong JSON type.
    #[error("component {component}: {what} is not an object")]
    NotAnObject {
        /// The component.
        component: String,
        /// What should be an object.
        what: &'static str,
    },
    /// A name that is empty or too long.
    #[error("component {component}: the name `{name}` must have 1 to {NAME_CHARS} characters")]
    Name {
        /// The component, cut.
        component: String,
        /// The name, cut.
        name: String,
    },
    /// A component without a number from 0 to 255.
    #[error("component {component}: its id must be a number from 0 to 255, not {found}")]
    ComponentId {
        /// The component.
        component: String,
        /// What is there.
        found: String,
    },
    /// A port without a number from 0 to 255.
    #[error("component {component}: {direction} port {port}: its id must be a number from 0 to 255, not {found}")]
    PortId {
        /// The component.
        component: String,
        /// Which side.
        direction: Direction,
        /// The port.
        port: String,
        /// What is there.
        found: String,
    },
    /// Two components with one number.
    #[error("components {first} and {second} have the same id {id}; generate the map again")]
    SameComponentId {
        /// The number.
        id: u8,
        /// The first component.
        first: String,
        /// The other.
        second: String,
    },
    /// Two ports with one number.
    #[error(
        "component {component}: {direction} ports {first} and {second} have the same id {id}; generate the map again"
    )]
    SamePortId {
        /// The component.
        component: String,
        /// Which side.
        direction: Direction,
        /// The number.
        id: u8,
        /// The first port.
        first: String,
        /// The other.
        second: String,
    },
}

impl Library {
    /// Reads a component map as `microflo generate` writes it. Components that firmware cannot create
    /// (`.skip`, graphs) are left out.
    pub fn from_json(text: &str) -> Result<Library, LibraryError> {
        let map: Value = serde_json::from_str(text)?;
        let components = map.get("components").and_then(Value::as_object).ok_or(LibraryError::NoComponents)?;
        let mut contents = Contents::default();
        for (name, definition) in components {
            let component = name.clone();
            let fields =
                definition.as_object().ok_or(LibraryError::NotAnObject { component, what: "its definition" })?;
            let set = |key: &str| fields.get(key).is_some_and(|value| !value.is_null() && value != &json!(false));
            if !(set(".skip") || set("graph") || set("graphFile")) {
                contents.add(Component::from_fields(name, fields)?)?;
            }
        }
        Ok(Library(Arc::new(contents)))
    }

    /// All components, in the map's order.
    pub fn components(&self) -> &[Component] {
        &self.0.components
    }

    /// The component of that exact name.
    pub fn by_name(&self, name: &str) -> Option<&Component> {
        self.0.by_name.get(name).map(|index| &self.0.components[*index])
    }

    /// The component of that number.
    pub fn by_id(&self, id: u8) -> Option<&Component> {
        self.0.by_id.get(&id).map(|index| &self.0.components[*index])
    }
}

impl Contents {
    fn add(&mut self, component: Component) -> Result<(), LibraryError> {
        let index = self.components.len();
        if let Some(first) = self.by_id.insert(component.id, index) {
            let first = self.components[first].name.clone();
            return Err(LibraryError::SameComponentId { id: component.id, first, second: component.name });
        }
        self.by_name.insert(component.name.clone(), index);
        self.components.push(component);
        Ok(())
    }
}

impl Component {
    fn from_fields(name: &str, fields: &Map<String, Value>) -> Result<Component, LibraryError> {
        check_name(name, name)?;
        let found = fields.get("id").unwrap_or(&Value::Null);
        let id = number(found)
            .ok_or_else(|| LibraryError::ComponentId { component: name.to_owned(), found: found.to_string() })?;
        Ok(Component {
            name: name.to_owned(),
            id,
            description: text(fields, "description").unwrap_or_default(),
            icon: text(fields, "icon"),
            in_ports: ports(name, Direction::In, fields.get("inPorts"))?,
            out_ports: ports(name, Direction::Out, fields.get("outPorts"))?,
        })
    }

    /// The ports of that side.
    pub fn ports(&self, direction: Direction) -> &[Port] {
        match direction {
            Direction::In => &self.in_ports,
            Direction::Out => &self.out_ports,
        }
    }

    /// The port of that exact name.
    pub fn port(&self, direction: Direction, name: &str) -> Option<&Port> {
        self.ports(direction).iter().find(|port| port.name == name)
    }

    /// The port of that number.
    pub fn port_by_id(&self, direction: Direction, id: u8) -> Option<&Port> {
        self.ports(direction).iter().find(|port| port.id == id)
    }
}

fn ports(component: &str, direction: Direction, found: Option<&Value>) -> Result<Vec<Port>, LibraryError> {
    let map = match found {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Object(map)) => map,
        Some(_) => {
            let what = if direction == Direction::In { "inPorts" } else { "outPorts" };
            return Err(LibraryError::NotAnObject { component: component.to_owned(), what });
        }
    };
    let mut ports: Vec<Port> = Vec::with_capacity(map.len());
    for (name, definition) in map {
        check_name(component, name)?;
        let found = definition.get("id").unwrap_or(&Value::Null);
        let id = number(found).ok_or_else(|| LibraryError::PortId {
            component: component.to_owned(),
            direction,
            port: name.clone(),
            found: found.to_string(),
        })?;
        if let Some(first) = ports.iter().find(|port| port.id == id) {
            let (first, second) = (first.name.clone(), name.clone());
            return Err(LibraryError::SamePortId { component: component.to_owned(), direction, id, first, second });
        }
        let fields = definition.as_object();
        let field = |key| fields.and_then(|fields| text(fields, key));
        let kind = field("type").filter(|kind| !kind.is_empty()).unwrap_or_else(|| ANY_TYPE.to_owned());
        ports.push(Port { name: name.clone(), id, kind, description: field("description").unwrap_or_default() });
    }
    Ok(ports)
}

fn check_name(component: &str, name: &str) -> Result<(), LibraryError> {
    let cut = |text: &str| text.chars().take(NAME_CHARS).collect::<String>();
    match name.chars().count() {
        1..=NAME_CHARS => Ok(()),
        _ => Err(LibraryError::Name { component: cut(component), name: cut(name) }),
    }
}

fn number(value: &Value) -> Option<u8> {
    value.as_u64().and_then(|number| u8::try_from(number).ok())
}

fn text(fields: &Map<String, Value>, key: &str) -> Option<String> {
    fields.get(key).and_then(Value::as_str).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_as_microflo_writes_it_is_read() {
        let map = r#"{"components":{
            "Timer":{"name":"Timer","description":"tick","inports":null,"outports":null,"filename":"/x/Timer.hpp","id":27,
                "inPorts":{"interval":{"type":"all","description":"","id":0},"reset":{"id":1}},"outPorts":{"out":{"id":0}}},
            "SubGraph":{"id":99,".skip":true},"Blink":{"id":99,"graph":"x"}}}"#;
        let library = Library::from_json(map).unwrap();
        let timer = library.by_id(27).unwrap();
        assert_eq!(library.components().len(), 1);
        assert_eq!(timer, library.by_name("Timer").unwrap());
        assert_eq!(timer.port(Direction::In, "reset").unwrap().id, 1);
        assert_eq!(timer.port_by_id(Direction::Out, 0).unwrap().name, "out");
        assert_eq!(timer.in_ports[1].kind, "all");
        assert!(timer.port(Direction::Out, "reset").is_none());
    }

    #[test]
    fn a_map_that_cannot_be_right_says_where() {
        let error = |text: &str| Library::from_json(text).unwrap_err().to_string();
        assert!(error("{").contains("not JSON"));
        assert!(error("[]").contains("no object `components`"));
        assert!(error(r#"{"components":{"A":1}}"#).contains("component A: its definition is not an object"));
        assert!(error(r#"{"components":{"A":{"id":256}}}"#).contains("component A: its id"));
        assert!(error(r#"{"components":{"A":{"id":1},"B":{"id":1}}}"#).contains("A and B have the same id 1"));
        assert!(error(r#"{"components":{"A":{"id":1,"inPorts":{"x":{}}}}}"#).contains("in port x"));
        assert!(error(r#"{"components":{"A":{"id":1,"outPorts":3}}}"#).contains("outPorts is not an object"));
        let twins = r#"{"components":{"A":{"id":1,"outPorts":{"x":{"id":0},"y":{"id":0}}}}}"#;
        assert!(error(twins).contains("out ports x and y have the same id 0"));
    }
}
