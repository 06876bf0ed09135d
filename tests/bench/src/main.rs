//! Measures `microflo-bridge` from outside, as a program, beside microflo's own host on the same firmware.
//!
//! Both hosts run in the same minute, in turn, under the same client. On a busy machine the minima and medians count.

#![allow(clippy::disallowed_methods, reason = "nothing here is async: it sleeps between measurements")]

mod client;
mod process;
mod serial;
mod stats;

mod boards;
mod device;
mod getruntime;
mod registry;
mod start;
mod upload;

use std::process::ExitCode;

use anyhow::{Context, Result, bail};

type Measure = fn() -> Result<()>;

/// What can be measured.
const PARTS: [(&str, Measure); 6] = [
    ("start", start::measure),
    ("getruntime", getruntime::measure),
    ("device", device::measure),
    ("boards", boards::measure),
    ("upload", upload::measure),
    ("registry", registry::measure),
];

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let names = PARTS.map(|(name, _)| name);
    if let Some(unknown) = wanted.iter().find(|name| !names.contains(&name.as_str())) {
        bail!("there is no part {unknown}; the parts are {}", names.join(", "));
    }
    for (name, measure) in PARTS {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            println!("\n## {name}\n");
            measure().context(name)?;
        }
    }
    Ok(())
}
