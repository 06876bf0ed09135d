//! What two clients ask in the course of a session.

use firmware_proto::{Command, Dialect, Packet, PortRef};
use microflo_bridge::sim;
use serde_json::{Value, json};

use crate::plant::Plant;

/// One thing that a client asks.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// The FBP client, by topic and payload.
    Fbp(&'static str, Value),
    /// The raw client.
    Raw(Command),
}

fn edge(src: &str, tgt: &str) -> Value {
    json!({ "graph": "main", "src": { "node": src, "port": "out" }, "tgt": { "node": tgt, "port": "in" } })
}

fn node(name: &str, component: &str) -> Act {
    Act::Fbp("graph:addnode", json!({ "graph": "main", "id": name, "component": component }))
}

fn interval(ms: i32) -> Act {
    let tgt = json!({ "node": "timer", "port": "interval" });
    Act::Fbp("graph:addinitial", json!({ "graph": "main", "src": { "data": ms }, "tgt": tgt }))
}

fn network(topic: &'static str) -> Act {
    Act::Fbp(topic, json!({ "graph": "main" }))
}

/// A timer of 1 ms that floods events over two watched edges.
pub(crate) fn flood() -> Vec<Act> {
    vec![
        node("timer", "Timer"),
        node("toggle", "ToggleBoolean"),
        node("end", "Forward"),
        Act::Fbp("graph:addedge", edge("timer", "toggle")),
        Act::Fbp("graph:addedge", edge("toggle", "end")),
        interval(1),
        network("network:start"),
    ]
}

/// A session: a graph is cleared, built, started and edited while it runs, stopped and edited again, with a raw client in between.
pub(crate) fn session(dialect: Dialect) -> Vec<Act> {
    let forward = sim::component_id(dialect, "Forward").unwrap();
    let to_first = |value| {
        let target = PortRef { node: 1, port: 1 };
        Act::Raw(Command::SendPacket { target, packet: Packet::Integer(value) })
    };
    vec![
        Act::Fbp("graph:clear", json!({ "id": "main", "name": "main", "main": true })),
        node("timer", "Timer"),
        node("toggle", "ToggleBoolean"),
        node("a", "Forward"),
        Act::Raw(Command::Ping([1, 2, 3, 4, 5, 6, 7, 0])),
        Act::Fbp("graph:addedge", edge("timer", "toggle")),
        Act::Fbp("graph:addedge", edge("toggle", "a")),
        interval(100),
        Act::Raw(Command::CreateComponent { component: forward, parent: 0 }),
        network("network:start"),
        node("b", "Forward"),
        Act::Fbp("graph:addedge", edge("a", "b")),
        to_first(7),
        Act::Fbp("graph:removeedge", edge("toggle", "a")),
        Act::Fbp("graph:removenode", json!({ "graph": "main", "id": "a" })),
        network("network:getstatus"),
        Act::Fbp("graph:addedge", edge("toggle", "b")),
        network("network:stop"),
        Act::Fbp("graph:renamenode", json!({ "graph": "main", "from": "b", "to": "c" })),
        node("d", "Forward"),
        Act::Fbp("graph:addedge", edge("c", "d")),
        Act::Raw(Command::StartNetwork),
        Act::Raw(Command::Ping([0; 8])),
        network("network:stop"),
    ]
}

/// Asks it all at once, or each when that before is answered.
pub(crate) fn play(plant: &mut Plant, acts: &[Act], at_once: bool) {
    for act in acts {
        match act {
            Act::Fbp(topic, payload) if at_once => _ = plant.ask(topic, payload),
            Act::Fbp(topic, payload) => _ = plant.answer(topic, payload),
            Act::Raw(command) => plant.ask_raw(*command),
        }
    }
}
