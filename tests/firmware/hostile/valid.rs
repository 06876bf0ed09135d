//! Messages of the right shape. What they name is there as far as the generator believes, with some exceptions.

use serde_json::{Value, json};

use super::random::Random;
use super::world::{Kind, World};

/// A message to be: what it is, its payload and what answers it if it is not refused.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) what: &'static str,
    pub(super) payload: Value,
    pub(super) reply: &'static str,
    /// Payload fields that it cannot be without.
    pub(super) needs: &'static [&'static str],
}

fn draft(what: &'static str, payload: Value, needs: &'static [&'static str]) -> Draft {
    let (protocol, command) = what.split_once(':').unwrap();
    let reply = match command {
        command if protocol == "trace" => command,
        "getruntime" => "runtime",
        "packet" => "packetsent",
        "list" => "componentsready",
        "getsource" => "source",
        "getstatus" => "status",
        "start" => "started",
        "stop" => "stopped",
        command => command,
    };
    Draft { what, payload, reply, needs }
}

/// The board gives so many ids between two clears.
const IDS: usize = 44;

const GRAPHS: [&str; 4] = ["main", "g", "__proto__", "ein Graph ☃"];

/// The next message.
pub(super) fn next(world: &mut World, random: &mut Random) -> Draft {
    loop {
        let made = match random.below(100) {
            _ if world.ids > IDS => Some(clear(world, random)),
            0..=17 => add_node(world, random),
            18..=35 => add_edge(world, random),
            36..=45 => add_initial(world, random),
            46..=61 => change(world, random),
            62..=69 => packet(world, random),
            70..=80 => exports_and_groups(world, random),
            81..=92 => network(world, random),
            _ => Some(question(world, random)),
        };
        if let Some(mut draft) = made {
            if !draft.what.starts_with("component") && draft.what != "graph:clear" {
                draft.payload["graph"] = json!(world.graph);
            }
            return draft;
        }
    }
}

fn clear(world: &mut World, random: &mut Random) -> Draft {
    let name = random.of(&GRAPHS);
    *world = World::new(name);
    draft("graph:clear", json!({ "id": name, "name": name, "main": true }), &["id"])
}

fn metadata(random: &mut Random) -> Value {
    match random.below(4) {
        0 => json!({}),
        1 => json!({ "x": random.below(1000), "y": -1.5, "label": "ünï" }),
        2 => json!({ "__proto__": { "polluted": true }, "x": null }),
        _ => json!({ "nested": [[[{ "deep": [1, 2, 3] }]]] }),
    }
}

fn add_node(world: &mut World, random: &mut Random) -> Option<Draft> {
    let (name, kind) = (world.fresh(random), world.kind(random));
    if !world.nodes.iter().any(|(node, _)| *node == name) {
        world.nodes.push((name.clone(), kind));
        world.ids += 1;
    }
    let payload = json!({ "id": name, "component": kind.name, "metadata": metadata(random) });
    Some(draft("graph:addnode", payload, &["graph", "id", "component"]))
}

fn end(node: &str, port: &str) -> Value {
    json!({ "node": node, "port": port })
}

/// From older nodes to newer ones, and no Split behind a Split: a board that sends thousands of packets a second is another test's.
fn add_edge(world: &mut World, random: &mut Random) -> Option<Draft> {
    let (mut src, mut tgt) = (world.node(random)?, world.node(random)?);
    let place = |world: &World, name: &str| world.nodes.iter().position(|(node, _)| node == name);
    if place(world, &src.0) > place(world, &tgt.0) {
        std::mem::swap(&mut src, &mut tgt);
    }
    if src.0 == tgt.0 || (src.1 == tgt.1 && src.1.name == "Split") {
        return None;
    }
    let out = random.of(src.1.outs);
    // A Timer whose interval comes from elsewhere is a flood as well.
    let into = if tgt.1.name == "Timer" { "reset" } else { random.of(tgt.1.ins) };
    let taken = world.edges.iter().any(|(node, port, _, _)| *node == src.0 && port == out);
    if taken && !random.once_in(5) {
        return None;
    }
    if !taken {
        world.edges.push((src.0.clone(), out.to_owned(), tgt.0.clone(), into.to_owned()));
    }
    let payload = json!({ "src": end(&src.0, out), "tgt": end(&tgt.0, into), "metadata": metadata(random) });
    Some(draft("graph:addedge", payload, &["graph", "src", "tgt"]))
}

fn datum(kind: &Kind, port: &str, random: &mut Random) -> Value {
    if kind.name == "Timer" && port == "interval" {
        let odd = [json!(i32::MAX), json!(i32::MIN), json!(" 17 "), json!("+3")];
        return if random.once_in(20) { odd[random.below(odd.len())].clone() } else { json!(1 + random.below(10)) };
    }
    match random.below(12) {
        0 => Value::Null,
        1 | 2 => json!(random.once_in(2)),
        3 => json!(i32::MAX),
        4 => json!(i32::MIN),
        5 => json!("true"),
        6 => json!("text ü"),
        7 => json!([1, [true, null], "x"]),
        8 => json!({ "error": "InvalidInput" }),
        9 => json!(" -17 "),
        _ => json!(random.below(100_000)),
    }
}

fn add_initial(world: &mut World, random: &mut Random) -> Option<Draft> {
    let (node, kind) = world.node(random)?;
    let port = random.of(kind.ins);
    let data = datum(kind, port, random);
    world.initials.push((node.clone(), port.to_owned(), data.clone()));
    let payload = json!({ "src": { "data": data }, "tgt": end(&node, port), "metadata": metadata(random) });
    Some(draft("graph:addinitial", payload, &["graph", "src", "tgt"]))
}

fn edge(world: &World, random: &mut Random) -> Option<Value> {
    let (src, out, tgt, into) = random.pick(&world.edges)?;
    Some(json!({ "src": end(src, out), "tgt": end(tgt, into) }))
}

fn change(world: &mut World, random: &mut Random) -> Option<Draft> {
    Some(match random.below(16) {
        0..=2 => {
            let (name, _) = world.node(random)?;
            world.remove_node(&name);
            draft("graph:removenode", json!({ "id": name }), &["graph", "id"])
        }
        3..=5 => {
            let ((from, _), to) = (world.node(random)?, world.fresh(random));
            if !world.nodes.iter().any(|(node, _)| *node == to) {
                world.rename_node(&from, &to);
            }
            draft("graph:renamenode", json!({ "from": from, "to": to }), &["graph", "from", "to"])
        }
        6..=8 => {
            let payload = json!({ "id": world.node(random)?.0, "metadata": metadata(random) });
            draft("graph:changenode", payload, &["graph", "id"])
        }
        9..=10 => {
            let mut payload = edge(world, random)?;
            payload["metadata"] = metadata(random);
            draft("graph:changeedge", payload, &["graph", "src", "tgt"])
        }
        11..=13 => {
            let at = random.below(world.edges.len().max(1));
            let (src, out, tgt, into) = world.edges.get(at).cloned()?;
            world.edges.remove(at);
            let payload = json!({ "src": end(&src, &out), "tgt": end(&tgt, &into) });
            draft("graph:removeedge", payload, &["graph", "src", "tgt"])
        }
        _ => {
            let at = random.below(world.initials.len().max(1));
            let (node, port, data) = world.initials.get(at).cloned()?;
            world.initials.remove(at);
            let payload = json!({ "src": { "data": data }, "tgt": end(&node, &port) });
            draft("graph:removeinitial", payload, &["graph", "tgt"])
        }
    })
}

fn packet(world: &World, random: &mut Random) -> Option<Draft> {
    let port = if random.once_in(10) { "nowhere".to_owned() } else { random.pick(&world.exports[0])?.clone() };
    let event = random.of(&["data", "data", "data", "data", "begingroup", "endgroup", "connect", "disconnect"]);
    let data = datum(Kind::of("Forward"), "in", random);
    let payload = json!({ "port": port, "event": event, "payload": data });
    Some(draft("runtime:packet", payload, &["graph", "port", "event"]))
}

fn exports_and_groups(world: &mut World, random: &mut Random) -> Option<Draft> {
    let side = random.below(2);
    let [add, remove, rename] = if side == 0 {
        ["graph:addinport", "graph:removeinport", "graph:renameinport"]
    } else {
        ["graph:addoutport", "graph:removeoutport", "graph:renameoutport"]
    };
    Some(match random.below(11) {
        0..=3 => {
            let (node, kind) = world.node(random)?;
            let (public, port) = (world.fresh(random), random.of(if side == 0 { kind.ins } else { kind.outs }));
            // Whoever sends a Timer zero is flooded.
            if kind.name == "Timer" && side == 0 {
                return None;
            }
            world.exports[side].push(public.clone());
            let payload = json!({ "public": public, "node": node, "port": port, "metadata": metadata(random) });
            draft(add, payload, &["graph", "public", "node", "port"])
        }
        4..=5 => {
            let at = random.below(world.exports[side].len().max(1));
            let public = world.exports[side].get(at)?.clone();
            world.exports[side].remove(at);
            draft(remove, json!({ "public": public }), &["graph", "public"])
        }
        6 => {
            let (from, to) = (random.pick(&world.exports[side])?.clone(), world.fresh(random));
            draft(rename, json!({ "from": from, "to": to }), &["graph", "from", "to"])
        }
        7..=8 => {
            let (name, member) = (world.fresh(random), world.node(random)?.0);
            world.groups.push(name.clone());
            let payload = json!({ "name": name, "nodes": [member], "metadata": metadata(random) });
            draft("graph:addgroup", payload, &["graph", "name", "nodes"])
        }
        9 => {
            let (from, to) = (random.pick(&world.groups)?.clone(), world.fresh(random));
            draft("graph:renamegroup", json!({ "from": from, "to": to }), &["graph", "from", "to"])
        }
        _ if random.once_in(2) => {
            let payload = json!({ "name": random.pick(&world.groups)?, "metadata": metadata(random) });
            draft("graph:changegroup", payload, &["graph", "name"])
        }
        _ => draft("graph:removegroup", json!({ "name": world.groups.pop()? }), &["graph", "name"]),
    })
}

fn network(world: &World, random: &mut Random) -> Option<Draft> {
    Some(match random.below(12) {
        0..=3 => draft("network:start", json!({}), &["graph"]),
        4 => draft("network:stop", json!({}), &["graph"]),
        5..=6 => draft("network:persist", json!({}), &[]),
        7..=9 => {
            let edges: Vec<Value> = (0..random.below(4)).filter_map(|_| edge(world, random)).collect();
            draft("network:edges", json!({ "edges": edges }), &["graph", "edges"])
        }
        _ => draft("network:getstatus", json!({}), &["graph"]),
    })
}

fn question(world: &World, random: &mut Random) -> Draft {
    match random.below(9) {
        0 => draft("component:list", json!({}), &[]),
        1..=2 => draft("component:getsource", json!({ "name": world.graph }), &["name"]),
        3 => draft("component:getsource", json!({ "name": world.kind(random).name }), &["name"]),
        4 => draft("component:getsource", json!({ "name": "no such component" }), &["name"]),
        5 => trace(random),
        _ => draft("runtime:getruntime", json!({}), &[]),
    }
}

fn trace(random: &mut Random) -> Draft {
    match random.below(5) {
        0 | 1 => draft("trace:start", json!({ "buffersize": random.below(200_000) }), &["graph"]),
        2 => draft("trace:stop", json!({}), &["graph"]),
        3 => draft("trace:clear", json!({}), &["graph"]),
        _ => draft("trace:dump", json!({ "type": "flowtrace.json" }), &["graph", "type"]),
    }
}
