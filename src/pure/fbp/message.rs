//! Messages: the JSON around everything, in and out.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::pure::model::library::NAME_CHARS;

/// The most bytes of metadata that a node, an edge or an initial packet may carry, as JSON.
pub(super) const METADATA_BYTES: usize = 16 * 1024;

/// The most names in one list.
const LISTED_NAMES: usize = 256;

/// A message from a client.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) protocol: String,
    pub(super) command: String,
    pub(super) payload: Map<String, Value>,
    pub(super) request_id: Option<String>,
    pub(super) secret: Secret,
}

/// A secret as it came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Secret {
    None,
    Text(String),
    /// Something else than a string, which no secret is.
    Junk,
}

/// A message that cannot be understood, with as much of it as can be answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed {
    pub(super) protocol: String,
    pub(super) request_id: Option<String>,
    pub(super) text: String,
}

/// Where errors without a protocol of their own go.
const FALLBACK_PROTOCOL: &str = "runtime";

impl Incoming {
    /// Reads a message strictly: an object with strings `protocol` and `command` and, if any, an object `payload`.
    pub(super) fn parse(text: &str) -> Result<Incoming, Malformed> {
        let malformed = |text: String| Malformed { protocol: FALLBACK_PROTOCOL.to_owned(), request_id: None, text };
        let value: Value =
            serde_json::from_str(text).map_err(|error| malformed(format!("the message is not JSON: {error}")))?;
        let Value::Object(mut fields) = value else {
            return Err(malformed("the message must be a JSON object".to_owned()));
        };
        let top = secret(fields.remove("secret"));
        let mut name = |key: &str| match fields.remove(key) {
            Some(Value::String(text)) if (1..=NAME_CHARS).contains(&text.chars().count()) => Some(text),
            _ => None,
        };
        let (request_id, protocol, command) = (name("requestId"), name("protocol"), name("command"));
        let malformed = |text: &str| Malformed {
            protocol: protocol.clone().unwrap_or_else(|| FALLBACK_PROTOCOL.to_owned()),
            request_id: request_id.clone(),
            text: text.to_owned(),
        };
        let mut payload = match fields.remove("payload") {
            Some(Value::Object(payload)) => payload,
            None | Some(Value::Null) => Map::new(),
            Some(_) => return Err(malformed("`payload` must be an object")),
        };
        let inner = secret(payload.remove("secret"));
        let (Some(protocol), Some(command)) = (protocol.clone(), command) else {
            return Err(malformed("the message needs the strings `protocol` and `command`"));
        };
        let secret = if top == Secret::None { inner } else { top };
        Ok(Incoming { protocol, command, payload, request_id, secret })
    }

    /// A payload field that must be a name.
    pub(super) fn name(&self, key: &str) -> Result<String, String> {
        name(&self.payload, key)
    }

    /// A payload field that may be text.
    pub(super) fn optional_text(&self, key: &str) -> Result<Option<String>, String> {
        match self.payload.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(_) => self.name(key).map(Some),
        }
    }

    /// A payload field `{node, port}`. Ports are not addressable, so there is no index.
    pub(super) fn port(&self, key: &str) -> Result<PortName, String> {
        PortName::parse(self.payload.get(key)).map_err(|error| format!("`{key}`: {error}"))
    }

    /// The payload's own `node` and `port`.
    pub(super) fn own_port(&self) -> Result<PortName, String> {
        Ok(PortName { node: self.name("node")?, port: self.name("port")? })
    }

    /// A payload field that must be an array of names.
    pub(super) fn names(&self, key: &str) -> Result<Vec<String>, String> {
        let list = self.payload.get(key).and_then(Value::as_array).filter(|list| list.len() <= LISTED_NAMES);
        let list = list.ok_or_else(|| format!("`{key}` must be an array of at most {LISTED_NAMES} names"))?;
        let text = |entry: &Value| {
            entry.as_str().filter(|text| (1..=NAME_CHARS).contains(&text.chars().count())).map(str::to_owned)
        };
        list.iter()
            .map(|entry| text(entry).ok_or_else(|| format!("`{key}` must hold names of 1 to {NAME_CHARS} characters")))
            .collect()
    }

    /// The payload's `metadata`, if any.
    pub(super) fn metadata(&self) -> Result<Option<Map<String, Value>>, String> {
        match self.payload.get("metadata") {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(metadata)) => {
                if json!(metadata).to_string().len() > METADATA_BYTES {
                    return Err(format!("`metadata` takes more than {METADATA_BYTES} bytes"));
                }
                Ok(Some(metadata.clone()))
            }
            Some(_) => Err("`metadata` must be an object".to_owned()),
        }
    }
}

fn secret(value: Option<Value>) -> Secret {
    match value {
        None | Some(Value::Null) => Secret::None,
        Some(Value::String(text)) if text.is_empty() => Secret::None,
        Some(Value::String(text)) => Secret::Text(text),
        Some(_) => Secret::Junk,
    }
}

fn name(fields: &Map<String, Value>, key: &str) -> Result<String, String> {
    match fields.get(key) {
        Some(Value::String(text)) if (1..=NAME_CHARS).contains(&text.chars().count()) => Ok(text.clone()),
        Some(Value::String(_)) => Err(format!("`{key}` must have 1 to {NAME_CHARS} characters")),
        Some(_) => Err(format!("`{key}` must be a string")),
        None => Err(format!("`{key}` is missing")),
    }
}

/// A port by its node's name and its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PortName {
    pub(super) node: String,
    pub(super) port: String,
}

impl PortName {
    pub(super) fn parse(value: Option<&Value>) -> Result<PortName, String> {
        let fields = value.and_then(Value::as_object).ok_or("an object {node, port} is needed")?;
        if fields.get("index").is_some_and(|index| !index.is_null()) {
            return Err("MicroFlo ports have no index".to_owned());
        }
        Ok(PortName { node: name(fields, "node")?, port: name(fields, "port")? })
    }

    pub(super) fn json(&self) -> Value {
        json!({ "node": self.node, "port": self.port })
    }
}

/// A message to a client.
pub(super) fn outgoing(protocol: &str, command: &str, payload: &Value, response_to: Option<&str>) -> Arc<str> {
    outgoing_raw(protocol, command, &payload.to_string(), response_to)
}

/// The same around a payload that is JSON text already.
pub(super) fn outgoing_raw(protocol: &str, command: &str, payload: &str, response_to: Option<&str>) -> Arc<str> {
    let mut text = String::with_capacity(payload.len() + 96);
    text.push_str("{\"protocol\":");
    text.push_str(&quoted(protocol));
    text.push_str(",\"command\":");
    text.push_str(&quoted(command));
    text.push_str(",\"payload\":");
    text.push_str(payload);
    if let Some(id) = response_to {
        text.push_str(",\"responseTo\":");
        text.push_str(&quoted(id));
    }
    text.push('}');
    text.into()
}

/// An error reply.
pub(super) fn error(protocol: &str, text: &str, response_to: Option<&str>) -> Arc<str> {
    outgoing(protocol, "error", &json!({ "message": text }), response_to)
}

/// A string as JSON.
pub(super) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_in_both_places_and_kept_out_of_the_payload() {
        let both =
            Incoming::parse(r#"{"protocol":"a","command":"b","secret":"s","payload":{"secret":"t","x":1}}"#).unwrap();
        assert_eq!(both.secret, Secret::Text("s".into()));
        assert_eq!(json!(both.payload), json!({"x": 1}));
        let inner = Incoming::parse(r#"{"protocol":"a","command":"b","secret":"","payload":{"secret":"t"}}"#).unwrap();
        assert_eq!(inner.secret, Secret::Text("t".into()));
        let junk = Incoming::parse(r#"{"protocol":"a","command":"b","secret":["s"]}"#).unwrap();
        assert_eq!(junk.secret, Secret::Junk);
        let none = Incoming::parse(r#"{"protocol":"a","command":"b","secret":null,"payload":null}"#).unwrap();
        assert_eq!(none.secret, Secret::None);
    }

    #[test]
    fn malformed_messages_are_answered_as_well_as_they_can_be() {
        assert!(Incoming::parse("{").unwrap_err().text.contains("not JSON"));
        assert_eq!(Incoming::parse("[]").unwrap_err().protocol, "runtime");
        let half = Incoming::parse(r#"{"protocol":"graph","requestId":"7"}"#).unwrap_err();
        assert_eq!((half.protocol.as_str(), half.request_id.as_deref()), ("graph", Some("7")));
        assert!(Incoming::parse(r#"{"protocol":"graph","command":"clear","payload":3}"#).is_err());
        assert!(Incoming::parse(&format!(r#"{{"protocol":"{}","command":"x"}}"#, "p".repeat(129))).is_err());
    }
}
