//! What the generator believes to be in the graph. It does not look at answers, so it may be wrong.

use serde_json::Value;

use super::random::Random;

/// Components that emit whenever a boolean comes in, or by themselves: what is on the board can be told from what it sends.
pub(super) const COMPONENTS: [Kind; 7] = [
    Kind { name: "Forward", id: 11, ins: &["in"], outs: &["out"] },
    Kind { name: "InvertBoolean", id: 14, ins: &["in"], outs: &["out"] },
    Kind { name: "ToggleBoolean", id: 28, ins: &["in", "reset"], outs: &["out"] },
    Kind { name: "Count", id: 7, ins: &["in", "reset"], outs: &["out"] },
    Kind { name: "BoolToInt", id: 30, ins: &["in"], outs: &["out"] },
    Kind {
        name: "Split",
        id: 26,
        ins: &["in"],
        outs: &["out1", "out2", "out3", "out4", "out5", "out6", "out7", "out8", "out9"],
    },
    Kind { name: "Timer", id: 27, ins: &["interval", "reset"], outs: &["out"] },
];

/// More of them flood the board.
const TIMERS: usize = 4;

/// Names that nodes get, beside plain ones.
const ODD_NAMES: [&str; 12] = [
    "__proto__",
    "constructor",
    "toString",
    "ünï ☃",
    "日本語",
    "a b",
    "\"quoted\" \\ /",
    "\u{0}\u{1}\n",
    "🦀",
    "node3",
    "-> IN x()",
    "12",
];

/// A component with its ports, which are numbered in this order.
#[derive(Debug, PartialEq)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) id: u8,
    pub(super) ins: &'static [&'static str],
    pub(super) outs: &'static [&'static str],
}

impl Kind {
    pub(super) fn of(name: &str) -> &'static Kind {
        COMPONENTS.iter().find(|kind| kind.name == name).unwrap_or_else(|| panic!("a {name} in the graph"))
    }
}

/// `(src, out port, tgt, in port)`.
pub(super) type Edge = (String, String, String, String);

#[derive(Clone)]
pub(super) struct World {
    pub(super) graph: String,
    pub(super) nodes: Vec<(String, &'static Kind)>,
    pub(super) edges: Vec<Edge>,
    pub(super) initials: Vec<(String, String, Value)>,
    /// Names of exported ports, in and out.
    pub(super) exports: [Vec<String>; 2],
    pub(super) groups: Vec<String>,
    /// Names of what was removed.
    pub(super) gone: Vec<String>,
    /// Ids that the board has given since the last clear.
    pub(super) ids: usize,
}

impl World {
    pub(super) fn new(graph: &str) -> World {
        World {
            graph: graph.to_owned(),
            nodes: Vec::new(),
            edges: Vec::new(),
            initials: Vec::new(),
            exports: [Vec::new(), Vec::new()],
            groups: Vec::new(),
            gone: vec!["nobody".to_owned()],
            ids: 0,
        }
    }

    /// A name for something new.
    pub(super) fn fresh(&self, random: &mut Random) -> String {
        if random.once_in(6) { random.of(&ODD_NAMES).to_owned() } else { format!("n{}", random.below(200)) }
    }

    pub(super) fn kind(&self, random: &mut Random) -> &'static Kind {
        loop {
            let kind = &COMPONENTS[random.below(COMPONENTS.len())];
            if kind.name != "Timer" || self.nodes.iter().filter(|(_, other)| other == &kind).count() < TIMERS {
                return kind;
            }
        }
    }

    /// A node that is there, or rarely one that is not.
    pub(super) fn node(&self, random: &mut Random) -> Option<(String, &'static Kind)> {
        if random.once_in(12) {
            let name = random.pick(&self.gone)?.clone();
            return Some((name, &COMPONENTS[random.below(COMPONENTS.len())]));
        }
        random.pick(&self.nodes).cloned()
    }

    pub(super) fn remove_node(&mut self, name: &str) {
        self.nodes.retain(|(node, _)| node != name);
        self.edges.retain(|(src, _, tgt, _)| src != name && tgt != name);
        self.initials.retain(|(tgt, _, _)| tgt != name);
        self.gone.push(name.to_owned());
    }

    pub(super) fn rename_node(&mut self, from: &str, to: &str) {
        let rename = |name: &mut String| {
            if name == from {
                to.clone_into(name);
            }
        };
        self.nodes.iter_mut().for_each(|(name, _)| rename(name));
        self.edges.iter_mut().for_each(|(src, _, tgt, _)| [src, tgt].into_iter().for_each(rename));
        self.initials.iter_mut().for_each(|(tgt, _, _)| rename(tgt));
        self.gone.push(from.to_owned());
    }
}
