//! What is really on the board, as far as the bridge can be asked: which id each node has, by what it sends when it alone is
//! watched, and where its edges go.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use firmware_proto::{Body, Command, Event, PacketTarget, PortRef, Response};
use serde_json::{Value, json};

use super::picture::Picture;
use super::world::Kind;
use crate::client::{Fbp, Raw};
use crate::support::PATIENCE;

/// How long a packet may take before another is sent: floods may swallow it.
const RETRY: Duration = Duration::from_millis(200);

/// A Timer is asked to be quiet for that long, in milliseconds.
const QUIET_MS: u32 = 1_000_000;

/// What a board sends from a watched out port: where it goes.
type Sent = (PortRef, PortRef);

/// Clients for asking.
pub(super) struct Probe<'a> {
    pub(super) fbp: &'a mut Fbp,
    pub(super) raw: &'a mut Raw,
    pub(super) graph: &'a str,
}

impl Probe<'_> {
    /// The id on the board of each node, and how many edges were seen to go where the graph says.
    pub(super) fn compare(&mut self, source: &Value) -> (BTreeMap<String, u8>, usize) {
        for port in source["outports"].as_object().unwrap().keys() {
            self.order("graph:removeoutport", json!({ "public": port }));
        }
        self.order("network:start", json!({}));
        self.order("network:edges", json!({ "edges": [] }));
        let picture = Picture::of(source);
        let mut sent: BTreeMap<(String, String), Sent> = BTreeMap::new();
        for (node, component) in &picture.nodes {
            let kind = Kind::of(component);
            self.order("graph:addinport", json!({ "public": "probe in", "node": node, "port": stimulus(kind).0 }));
            for out in kind.outs {
                sent.insert((node.clone(), (*out).to_owned()), self.sends(node, kind, out));
            }
            self.order("graph:removeinport", json!({ "public": "probe in" }));
        }
        let ids = ids(&picture, &sent);
        let edges = sent.iter().map(|((node, out), (_, tgt))| usize::from(has_edge(&picture, &ids, node, out, *tgt)));
        (ids.clone(), edges.sum())
    }

    fn order(&mut self, what: &str, mut payload: Value) {
        payload["graph"] = json!(self.graph);
        self.fbp.order(what, payload);
    }

    /// What leaves an out port, once it alone is watched and its node gets something.
    fn sends(&mut self, node: &str, kind: &Kind, out: &str) -> Sent {
        self.catch_up();
        self.order("graph:addoutport", json!({ "public": "probe out", "node": node, "port": out }));
        let began = Instant::now();
        let sent = loop {
            let payload = stimulus(kind).1;
            self.order("runtime:packet", json!({ "port": "probe in", "event": "data", "payload": payload }));
            if let Some(sent) = self.packet(Instant::now() + RETRY) {
                break sent;
            }
            assert!(began.elapsed() < PATIENCE, "port {out} of node {node} ({}) sends nothing", kind.name);
        };
        if kind.name == "Timer" {
            self.order("runtime:packet", json!({ "port": "probe in", "event": "data", "payload": QUIET_MS }));
        }
        self.order("graph:removeoutport", json!({ "public": "probe out" }));
        let port = kind.outs.iter().position(|name| *name == out).unwrap();
        assert_eq!(usize::from(sent.0.port), port, "port {out} of node {node}");
        sent
    }

    /// Reads away what was sent before.
    fn catch_up(&mut self) {
        self.raw.send(&[Command::Ping([1; 8])]);
        assert!(matches!(self.raw.response(), Some(Response::Pong(_))));
        self.fbp.told.clear();
    }

    fn packet(&mut self, until: Instant) -> Option<Sent> {
        loop {
            if let Body::Event(Event::PacketSent { src, target: PacketTarget::Port(tgt), .. }) =
                self.raw.next(until)?.body
            {
                return Some((src, tgt));
            }
        }
    }
}

/// What makes a node send for certain, and where.
fn stimulus(kind: &Kind) -> (&'static str, Value) {
    match kind.name {
        // At an interval of zero it sends all the time, whoever resets it.
        "Timer" => ("interval", json!(0)),
        // It counts no more once its reset port has got `true`.
        "Count" => ("reset", Value::Null),
        _ => (kind.ins[0], json!(true)),
    }
}

/// The id that each node's packets come from.
fn ids(picture: &Picture, sent: &BTreeMap<(String, String), Sent>) -> BTreeMap<String, u8> {
    let mut ids = BTreeMap::new();
    for ((node, out), (src, _)) in sent {
        let id = *ids.entry(node.clone()).or_insert(src.node);
        assert_eq!(id, src.node, "port {out} of node {node} is another node's");
    }
    let mut numbers: Vec<u8> = ids.values().copied().collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), picture.nodes.len(), "two nodes are one on the board: {ids:?}");
    ids
}

/// Whether there is an edge; fails unless the packet went where the graph says. An unconnected port is its own target.
fn has_edge(picture: &Picture, ids: &BTreeMap<String, u8>, node: &str, out: &str, tgt: PortRef) -> bool {
    let edge = picture.edges.iter().find(|(src, port, _, _)| src == node && port == out);
    let number = |ports: &[&str], port: &str| u8::try_from(ports.iter().position(|it| *it == port).unwrap()).unwrap();
    let expected = match edge {
        Some((_, _, other, into)) => {
            PortRef { node: ids[other], port: number(Kind::of(&picture.nodes[other]).ins, into) }
        }
        None => PortRef { node: ids[node], port: number(Kind::of(&picture.nodes[node]).outs, out) },
    };
    assert_eq!(tgt, expected, "{out} of {node}, which the graph connects by {edge:?}");
    edge.is_some()
}
