//! Graphs that tests upload.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::Fbp;

/// A graph of `nodes` Forwards in a row, all its messages sent at once. The ids of the requests.
pub(crate) fn send_row(client: &mut Fbp, graph: &str, nodes: usize) -> Vec<String> {
    let mut ids = vec![client.send("graph:clear", json!({ "id": graph, "name": graph, "main": true }))];
    for node in 0..nodes {
        let payload = json!({ "graph": graph, "id": format!("n{node}"), "component": "Forward", "metadata": {} });
        ids.push(client.send("graph:addnode", payload));
    }
    for node in 1..nodes {
        ids.push(
            client.send("graph:addedge", edge(graph, &format!("n{}", node - 1), "out", &format!("n{node}"), "in")),
        );
    }
    ids
}

/// Commands that a row takes: clear, nodes, edges.
pub(crate) const fn row_commands(nodes: usize) -> usize {
    1 + nodes + (nodes - 1)
}

/// Reads until every request is answered, and fails if one is answered twice or not within `patience`.
/// The answers in the order of the requests, and when the last one came.
pub(crate) fn answers(client: &mut Fbp, ids: &[String], patience: Duration) -> (Vec<Value>, Instant) {
    let until = Instant::now() + patience;
    let mut answers = vec![Value::Null; ids.len()];
    let mut missing = ids.len();
    let mut last = Instant::now();
    while missing > 0 {
        let message = client.next(until).unwrap_or_else(|| panic!("{missing} of {} requests unanswered", ids.len()));
        match ids.iter().position(|id| message["responseTo"] == id.as_str()) {
            Some(at) => {
                assert_eq!(answers[at], Value::Null, "answered twice: {message}");
                answers[at] = message;
                missing -= 1;
                last = Instant::now();
            }
            None => client.told.push(message),
        }
    }
    (answers, last)
}

/// The payload that adds or removes an edge.
pub(crate) fn edge(graph: &str, src: &str, out: &str, tgt: &str, into: &str) -> Value {
    json!({ "graph": graph, "src": { "node": src, "port": out }, "tgt": { "node": tgt, "port": into }, "metadata": {} })
}

/// The payload of an initial packet.
pub(crate) fn initial(graph: &str, data: &Value, tgt: &str, port: &str) -> Value {
    json!({ "graph": graph, "src": { "data": data }, "tgt": { "node": tgt, "port": port }, "metadata": {} })
}
