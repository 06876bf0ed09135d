//! The texts in `corpus/`.

use std::path::{Path, PathBuf};

use microflo_bridge::pure::language::{PortCase, parse};
use serde_json::Value;

use crate::compare::{Verdict, compare};

const EXPECTED: &str = include_str!("expected.jsonl");

/// The name and the text of each file, by name.
pub(crate) fn files() -> Vec<(String, String)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/language/corpus");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let file = |path: PathBuf| {
        (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(path).unwrap())
    };
    paths.into_iter().map(file).collect()
}

/// A line for each file: `{"file", "kept", "lower"}`, the graphs with and without `caseSensitive`, null where it is refused.
pub(crate) fn expected() -> Vec<Value> {
    EXPECTED.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn language_corpus_is_read_as_by_the_original() {
    let (files, expected) = (files(), expected());
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    let expected_names: Vec<&str> = expected.iter().map(|line| line["file"].as_str().unwrap()).collect();
    assert_eq!(names, expected_names, "write expected.jsonl again");
    let mut differences = Vec::new();
    for ((name, text), line) in files.iter().zip(&expected) {
        let verdict = match name.starts_with("wrong-") {
            true => Verdict::BothRefuse,
            false => Verdict::SameGraph,
        };
        for (key, case) in [("kept", PortCase::Kept), ("lower", PortCase::Lower)] {
            match compare(text, &parse(text, case), Some(&line[key]).filter(|graph| !graph.is_null())) {
                Ok(found) if found == verdict => {}
                Ok(found) => differences.push(format!("{name}: {found:?}, which its name does not say")),
                Err(difference) => differences.push(format!("{name}: {difference}")),
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n\n"));
}

/// Nobody mends a file whose error points nowhere.
#[test]
fn language_errors_point_into_the_text() {
    for (name, text) in files().iter().filter(|(name, _)| name.starts_with("wrong-")) {
        let error = parse(text, PortCase::Lower).unwrap_err();
        let line = text.split(['\n', '\r']).nth(error.line - 1).unwrap_or_else(|| panic!("{name}: {error}"));
        assert!(error.column <= line.chars().count() + 1, "{name}: {error}");
        println!("{name}: {error}");
    }
}
