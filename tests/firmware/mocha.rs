//! What mocha, the runner of npm's suites, says about its tests.

use std::process::Command;

use serde_json::Value;

/// The full titles of tests, in their order.
pub(crate) struct Report {
    pub(crate) tests: Vec<String>,
    pub(crate) passes: Vec<String>,
    /// Also of hooks.
    pub(crate) failures: Vec<String>,
    pub(crate) pending: Vec<String>,
}

/// Runs a command that ends in mocha, and prints the counts and what failed.
pub(crate) fn run(command: &mut Command) -> Report {
    let output = command.args(["--reporter", "json"]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    // Tests may print something first.
    let at = said.find("{\n  \"stats\"");
    let at = at.unwrap_or_else(|| panic!("no report: {said}\n{}", String::from_utf8_lossy(&output.stderr)));
    let report: Value = serde_json::from_str(&said[at..]).unwrap();
    println!("{}", report["stats"]);
    for failure in report["failures"].as_array().unwrap() {
        println!("{}: {}", failure["fullTitle"], failure["err"]["message"]);
    }
    let titles = |key: &str| -> Vec<String> {
        report[key].as_array().unwrap().iter().map(|test| test["fullTitle"].as_str().unwrap().to_owned()).collect()
    };
    Report {
        tests: titles("tests"),
        passes: titles("passes"),
        failures: titles("failures"),
        pending: titles("pending"),
    }
}
