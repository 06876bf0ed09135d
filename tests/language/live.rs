//! The original itself, asked about the corpus, the exceptions and some thousand generated texts. `SEED=` repeats a run,
//! `TEXTS=` makes more of them.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use microflo_bridge::pure::language::{PortCase, parse};
use serde_json::{Value, json};

use crate::compare::{CASES, compare};
use crate::generate::{Random, graph, mutate};
use crate::{corpus, exceptions};

/// Graphs and mutations generated from each seed, unless `TEXTS` says otherwise.
const TEXTS: usize = 4_000;

/// Every run has these too.
const FIXED_SEED: u64 = 20_261_124;

/// One text, read one way.
type Case = (String, PortCase);

/// What the original answers to each: `{graph}` or `{refused}`, as text.
fn original(cases: &[Case]) -> Vec<String> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let rig = std::env::var_os("MICROFLO_RIG_DIR").map_or_else(|| root.join("target/rig"), PathBuf::from);
    let mut child = Command::new("node")
        .arg(root.join("tests/language/npm-fbp.js"))
        .env("NODE_PATH", rig.join("npm/node_modules"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node");
    let mut stdin = child.stdin.take().unwrap();
    let line = |(text, case): &Case| format!("{}\n", json!({ "text": text, "caseSensitive": *case == PortCase::Kept }));
    let texts: String = cases.iter().map(line).collect();
    let writer = std::thread::spawn(move || stdin.write_all(texts.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "npm-fbp.js failed; tests/firmware/setup.sh installs what it needs");
    let answers: Vec<String> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(answers.len(), cases.len());
    answers
}

/// Reads every text both ways here and there; how many gave each verdict. Fails at the first differences.
fn check(what: &str, texts: Vec<String>) -> [usize; 3] {
    let cases: Vec<Case> = texts.into_iter().flat_map(|text| CASES.map(|case| (text.clone(), case))).collect();
    let mut counts = [0; 3];
    let mut differences = Vec::new();
    for ((text, case), answer) in cases.iter().zip(original(&cases)) {
        let graph = graph_of(&answer);
        match compare(text, &parse(text, *case), graph.as_ref()) {
            Ok(verdict) => counts[verdict as usize] += 1,
            Err(difference) => differences.push(difference),
        }
    }
    let [same, refused, excepted] = counts;
    println!("{what}: {} compared: {same} the same graph, {refused} both refuse, {excepted} excepted", cases.len());
    let first = &differences[..differences.len().min(5)];
    assert!(differences.is_empty(), "{what}: {} differ:\n{}", differences.len(), first.join("\n\n"));
    counts
}

/// A text that is no Unicode, which this JSON reader refuses, stands for itself: no graph is equal to it.
fn graph_of(answer: &str) -> Option<Value> {
    if answer.starts_with("{\"refused\"") {
        return None;
    }
    let graph = |answer: Value| answer["graph"].clone();
    Some(serde_json::from_str(answer).map_or_else(|_| Value::from(answer), graph))
}

fn generated(seed: u64) -> [usize; 3] {
    let count = std::env::var("TEXTS").map_or(TEXTS, |count| count.parse().expect("TEXTS is a number"));
    let mut random = Random(seed);
    let graphs: Vec<String> = (0..count).map(|_| graph(&mut random)).collect();
    let mut seeds: Vec<String> =
        corpus::files().into_iter().map(|(_, text)| text).filter(|text| text.len() < 1000).collect();
    seeds.extend(graphs.iter().take(200).cloned());
    let mutation = |random: &mut Random| {
        let at = random.below(seeds.len());
        mutate(random, &seeds[at])
    };
    let mutations = (0..count).map(|_| mutation(&mut random)).collect();
    let [same, ..] = check(&format!("graphs from seed {seed}"), graphs);
    assert!(same * 3 > count, "too few of the generated texts are graphs");
    check(&format!("mutations from seed {seed}"), mutations)
}

#[test]
fn language_corpus_is_as_the_original_says_now() {
    let (files, expected) = (corpus::files(), corpus::expected());
    let cases: Vec<Case> = files.iter().flat_map(|(_, text)| CASES.map(|case| (text.clone(), case))).collect();
    let committed = expected.iter().flat_map(|line| [&line["kept"], &line["lower"]]);
    for (((text, _), answer), committed) in cases.iter().zip(original(&cases)).zip(committed) {
        assert_eq!(&graph_of(&answer).unwrap_or_default(), committed, "write expected.jsonl again: {text:?}");
    }
    check("corpus", files.into_iter().map(|(_, text)| text).collect());
}

/// An exception that is none any more would hide differences.
#[test]
fn language_exceptions_are_needed() {
    let texts = exceptions::texts();
    let count = texts.len() * CASES.len();
    assert_eq!(check("exceptions", texts), [0, 0, count]);
}

#[test]
fn language_generated_texts_are_read_as_by_the_original() {
    generated(FIXED_SEED);
}

#[test]
fn language_other_texts_are_read_as_by_the_original() {
    let seed = std::env::var("SEED")
        .map_or_else(|_| u64::from(getrandom::u32().unwrap()), |seed| seed.parse().expect("SEED is a number"));
    println!("SEED={seed}");
    generated(seed);
}
