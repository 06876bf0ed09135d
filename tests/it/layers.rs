//! The layers are as `src/lib.rs` says: imports point down only.

use std::path::{Path, PathBuf};

/// From the bottom up; a layer may use those in front of it, and itself.
const LAYERS: [&str; 10] =
    ["pure", "io", "sim", "config", "actors", "http", "daemon", "registry_server", "cli", "main"];

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => rust_files(&path),
            false => Vec::from_iter((path.extension() == Some("rs".as_ref())).then_some(path)),
        })
        .collect()
}

fn rank(layer: &str) -> Option<usize> {
    LAYERS.iter().position(|known| *known == layer)
}

#[test]
fn imports_point_down_only() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    let mut seen = 0;
    for file in rust_files(&src) {
        let place = file.strip_prefix(&src).unwrap();
        let own = place.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs");
        let Some(own_rank) = rank(own) else { continue };
        let code = std::fs::read_to_string(&file).unwrap();
        let code = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        for (line, path) in
            code.flat_map(|line| line.match_indices("crate::").map(move |(at, _)| (line, &line[at + 7..])))
        {
            let used = path.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
            seen += 1;
            if rank(used).is_some_and(|rank| rank > own_rank) {
                wrong.push(format!("{}: {}", place.display(), line.trim()));
            }
        }
    }
    assert!(seen > 100, "only {seen} imports were found: the test looks in the wrong place");
    assert!(wrong.is_empty(), "these imports point up:\n{}", wrong.join("\n"));
}

#[test]
fn pure_code_reads_no_clock_and_touches_nothing_outside() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/pure");
    let banned = ["Instant::now", "SystemTime::now", "std::fs", "std::net", "tokio::", "std::env", "std::process"];
    let mut wrong = Vec::new();
    for file in rust_files(&src).into_iter().filter(|file| !is_test(file)) {
        let code = std::fs::read_to_string(&file).unwrap();
        let code = code.split("#[cfg(test)]\nmod tests {").next().unwrap();
        for word in
            banned.iter().filter(|word| code.lines().any(|l| !l.trim_start().starts_with("//") && l.contains(**word)))
        {
            wrong.push(format!("{} uses {word}", file.strip_prefix(&src).unwrap().display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn is_test(file: &Path) -> bool {
    file.components().any(|part| part.as_os_str() == "tests") || file.to_str().unwrap().contains("tests.rs")
}
