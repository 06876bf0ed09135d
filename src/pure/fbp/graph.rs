//! `graph`: the messages, read strictly, each with the payload that confirms it.

use serde_json::{Value, json};

use super::message::Incoming;
use super::metadata::Subject;
use super::op::Action;
use super::refusal::Refusal;
use crate::pure::model::library::Direction;

/// Reads a graph message: what to do, and the payload that confirms it.
pub(super) fn parse(message: &Incoming) -> Result<(Action, Value), Refusal> {
    read(message)
        .map_err(Refusal::Malformed)?
        .ok_or_else(|| Refusal::Unsupported { protocol: message.protocol.clone(), command: message.command.clone() })
}

fn read(message: &Incoming) -> Result<Option<(Action, Value)>, String> {
    let graph = message.payload.get("graph").cloned().unwrap_or_default();
    let metadata = message.metadata()?;
    let kept = metadata.clone().unwrap_or_default();
    let (action, mut echo) = match message.command.as_str() {
        "clear" => return clear(message).map(Some),
        "addnode" => {
            let (name, component) = (message.name("id")?, message.name("component")?);
            let echo = json!({ "id": name, "component": component });
            (Action::AddNode { name, component, metadata: kept }, echo)
        }
        "removenode" => {
            let name = message.name("id")?;
            return Ok(Some((Action::RemoveNode { name: name.clone() }, json!({ "id": name, "graph": graph }))));
        }
        "renamenode" => {
            let (from, to) = (message.name("from")?, message.name("to")?);
            let echo = json!({ "from": from, "to": to, "graph": graph });
            return Ok(Some((Action::RenameNode { from, to }, echo)));
        }
        "changenode" | "changeedge" | "changegroup" => {
            let subject = match message.command.as_str() {
                "changenode" => Subject::Node(message.name("id")?),
                "changeedge" => Subject::Edge(message.port("src")?, message.port("tgt")?),
                _ => Subject::Group(message.name("name")?),
            };
            return Ok(Some((Action::Change { subject, metadata: kept }, Value::Null)));
        }
        "addedge" => {
            let (src, tgt) = (message.port("src")?, message.port("tgt")?);
            let echo = json!({ "src": src.json(), "tgt": tgt.json() });
            (Action::AddEdge { src, tgt, metadata: kept }, echo)
        }
        "removeedge" => {
            let (src, tgt) = (message.port("src")?, message.port("tgt")?);
            let echo = json!({ "src": src.json(), "tgt": tgt.json(), "graph": graph });
            return Ok(Some((Action::RemoveEdge { src, tgt }, echo)));
        }
        "addinitial" => {
            let tgt = message.port("tgt")?;
            let data = initial_data(message)?.ok_or("`src`: an object {data} is needed")?;
            let echo = json!({ "src": { "data": data }, "tgt": tgt.json() });
            (Action::AddInitial { tgt, data, metadata: kept }, echo)
        }
        "removeinitial" => {
            let (tgt, data) = (message.port("tgt")?, initial_data(message)?);
            let echo = json!({ "tgt": tgt.json(), "graph": graph });
            return Ok(Some((Action::RemoveInitial { tgt, data }, echo)));
        }
        "addinport" | "addoutport" => {
            let (public, port) = (message.name("public")?, message.own_port()?);
            let echo = json!({ "public": public, "node": port.node, "port": port.port });
            (Action::AddPort { direction: side(message), public, port, metadata: kept }, echo)
        }
        "removeinport" | "removeoutport" => {
            let public = message.name("public")?;
            let echo = json!({ "public": public, "graph": graph });
            return Ok(Some((Action::RemovePort { direction: side(message), public }, echo)));
        }
        "renameinport" | "renameoutport" => {
            let (from, to) = (message.name("from")?, message.name("to")?);
            let echo = json!({ "from": from, "to": to, "graph": graph });
            return Ok(Some((Action::RenamePort { direction: side(message), from, to }, echo)));
        }
        "addgroup" => {
            let (name, nodes) = (message.name("name")?, message.names("nodes")?);
            let echo = json!({ "name": name, "nodes": nodes });
            (Action::AddGroup { name, nodes, metadata: kept }, echo)
        }
        "removegroup" => {
            let name = message.name("name")?;
            return Ok(Some((Action::RemoveGroup { name: name.clone() }, json!({ "name": name, "graph": graph }))));
        }
        "renamegroup" => {
            let (from, to) = (message.name("from")?, message.name("to")?);
            let echo = json!({ "from": from, "to": to, "graph": graph });
            return Ok(Some((Action::RenameGroup { from, to }, echo)));
        }
        _ => return Ok(None),
    };
    if let Some(metadata) = metadata {
        echo["metadata"] = Value::Object(metadata);
    }
    echo["graph"] = graph;
    Ok(Some((action, echo)))
}

fn side(message: &Incoming) -> Direction {
    if message.command.ends_with("inport") { Direction::In } else { Direction::Out }
}

fn clear(message: &Incoming) -> Result<(Action, Value), String> {
    let (name, title) = (message.name("id")?, message.optional_text("name")?);
    let mut echo = json!({ "id": name });
    if let Some(title) = &title {
        echo["name"] = json!(title);
    }
    if let Some(main) = message.payload.get("main") {
        echo["main"] = json!(main.as_bool().ok_or("`main` must be true or false")?);
    }
    Ok((Action::Clear { name, title }, echo))
}

fn initial_data(message: &Incoming) -> Result<Option<Value>, String> {
    match message.payload.get("src") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(src)) => Ok(src.get("data").cloned()),
        Some(_) => Err("`src` must be an object {data}".to_owned()),
    }
}
