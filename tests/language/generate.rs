//! Texts from a random number: graphs by the grammar, and mutations of other texts.

use microflo_bridge::pure::language::parse;

use crate::compare::CASES;

/// Random numbers, the same ones for the same seed (SplitMix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// True once in so many times.
    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

/// Names that are nodes, ports and words of the language alike, so that one is taken for the other.
const NAMES: [&str; 12] = ["a", "b", "c", "IN", "OUT", "timer", "true", "null", "_x", "INPORT", "n1", "Led"];
const COMPONENTS: [&str; 8] = ["Timer", "A", "x/Y", "a-b", "_", "core/Split-2", "", "9"];
const METADATA: [&str; 8] = [":x=1", ":x=12,y=30", ":main", ":a=b=c", ":,", ":y=1e3z", ":k=,=v", ":routes=x,z"];
const INDEXES: [&str; 6] = ["[0]", "[1]", "[007]", "[12345678901234567890]", "[]", "[x]"];
const PLAIN_DATA: [&str; 10] = ["500", "true", "hello", "", "it\\'s", "\\", "# x", "a(A) -> b", "ü☃😀", "{\"a\": 1}"];
const NUMBERS: [&str; 10] = ["0", "-1", "2.50", "1e3", "-0", "1E-7", "123456789012345678", "0.1", "6.02e23", "1e-400"];
const STRINGS: [&str; 8] = ["", "x", "é", "\\n", "\\u00e9", "\\ud83d\\ude00", "\\\"", "'"];

/// What mutations put in.
const CRUMBS: [&str; 44] = [
    " ",
    "  ",
    "\t",
    "\n",
    "\r\n",
    "\r",
    "\u{2028}",
    "->",
    "-",
    ">",
    "(",
    ")",
    "[",
    "]",
    "[0]",
    "{",
    "}",
    "'",
    "\"",
    "\\",
    "\\'",
    ":",
    ",",
    ".",
    "=",
    "#",
    "@",
    "# @name x\n",
    "a",
    "b(B)",
    "(C)",
    "(:x=1)",
    "IN",
    "OUT ",
    " -> ",
    "INPORT=",
    "OUTPORT=a.b:c",
    "DEFAULT_INPORT=",
    "0",
    "1e5",
    "true",
    "é",
    "\u{feff}",
    "😀",
];

/// A text by the grammar: most of them are graphs, and a few are wrong.
pub(crate) fn graph(random: &mut Random) -> String {
    let mut text = String::new();
    if !random.once_in(4) {
        for name in NAMES {
            text += &format!(
                "{name}({}){}",
                random.of(&["Timer", "A", "x/Y", "Led"]),
                random.of(&["\n", ", ", "\r\n", " "])
            );
        }
        text.push('\n');
    }
    for _ in 0..random.below(7) {
        text += &statement(random);
        text += random.of(&["\n", "\n", "\n", "\r\n", "\n\n", " # c\n", ",", ", \n", " ", "#\r", "\u{2029}", "   \n"]);
    }
    text
}

fn statement(random: &mut Random) -> String {
    let public = |random: &mut Random| format!("{}.{}:{}", node(random), random.of(&NAMES), random.of(&NAMES));
    let indent = random.of(&["", "", "", " ", "   "]);
    let statement = match random.below(12) {
        0 => format!("INPORT={}", public(random)),
        1 => format!("OUTPORT={}", public(random)),
        2 => format!("DEFAULT_INPORT={}", random.of(&NAMES)),
        3 => format!("DEFAULT_OUTPORT={}", random.of(&NAMES)),
        4 => format!(
            "# @{} {}",
            random.of(&["name", "runtime", "environment", "x-1"]),
            random.of(&["Blink 1.0", "y", "ü", ""])
        ),
        5 => "# comment -> 'x'".to_owned(),
        _ => chain(random),
    };
    format!("{indent}{statement}")
}

fn chain(random: &mut Random) -> String {
    let mut chain = String::new();
    for _ in 0..random.below(5) {
        chain += &match random.below(6) {
            0 => data(random),
            1 | 2 => format!("{}{}", node(random), outlet(random)),
            _ => format!("{}{}{}", inlet(random), node(random), outlet(random)),
        };
        chain += random.of(&[" -> ", " -> ", " -> ", "->", "  ->   "]);
    }
    format!("{chain}{}{}", inlet(random), node(random))
}

fn inlet(random: &mut Random) -> String {
    if random.once_in(3) { String::new() } else { format!("{}{}", port(random), random.of(&[" ", " ", "  "])) }
}

fn outlet(random: &mut Random) -> String {
    if random.once_in(3) { String::new() } else { format!("{}{}", random.of(&[" ", " ", "  "]), port(random)) }
}

fn port(random: &mut Random) -> String {
    let index = if random.once_in(6) { random.of(&INDEXES) } else { "" };
    format!("{}{index}", random.of(&["IN", "OUT", "out.x", "Pin", "a", "b", "In_1"]))
}

fn node(random: &mut Random) -> String {
    let name = if random.once_in(6) { "" } else { random.of(&NAMES) };
    if !name.is_empty() && random.once_in(2) {
        return name.to_owned();
    }
    let metadata = if random.once_in(4) { random.of(&METADATA) } else { "" };
    format!("{name}({}{metadata})", random.of(&COMPONENTS))
}

fn data(random: &mut Random) -> String {
    match random.below(3) {
        0 => json(random, 0),
        _ => format!("'{}'", random.of(&PLAIN_DATA)),
    }
}

fn json(random: &mut Random, depth: usize) -> String {
    let space = random.of(&["", "", " ", "\n", "\t"]);
    let items = |random: &mut Random, item: fn(&mut Random, usize) -> String| {
        let items: Vec<String> = (0..random.below(4)).map(|_| item(random, depth + 1)).collect();
        items.join(&format!("{space},"))
    };
    match random.below(if depth < 4 { 5 } else { 3 }) {
        0 => random.of(&NUMBERS).to_owned(),
        1 => format!("\"{}\"", random.of(&STRINGS)),
        2 => random.of(&["\ttrue", "\tfalse", "\tnull"])[usize::from(depth > 0)..].to_owned(),
        3 => format!("[{space}{}{space}]", items(random, json)),
        _ => format!("{{{space}{}{space}}}", items(random, member)),
    }
}

fn member(random: &mut Random, depth: usize) -> String {
    format!("\"{}\"{}:{}", random.of(&STRINGS), random.of(&["", " "]), json(random, depth))
}

/// The text with one to three places changed.
pub(crate) fn mutate(random: &mut Random, text: &str) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..1 + random.below(3) {
        let at = random.below(chars.len() + 1);
        let end = (at + 1 + random.below(4)).min(chars.len());
        match random.below(5) {
            0 => drop(chars.drain(at..end)),
            1 | 2 => drop(chars.splice(at..at, random.of(&CRUMBS).chars())),
            3 => drop(chars.splice(at..end, random.of(&CRUMBS).chars())),
            _ => {
                let copy: Vec<char> = chars[at..end].to_vec();
                let to = random.below(chars.len() + 1);
                drop(chars.splice(to..to, copy));
            }
        }
    }
    chars.into_iter().collect()
}

#[test]
fn language_reads_or_refuses_whatever_comes() {
    let mut random = Random(1);
    let mut graphs = 0;
    for _ in 0..5_000 {
        let text = graph(&mut random);
        let mutation = mutate(&mut random, &text);
        for case in CASES {
            graphs += u32::from(parse(&text, case).is_ok());
            let _ = parse(&mutation, case);
        }
    }
    assert!(graphs > 4_000, "only {graphs} of 10000 are graphs");
}
