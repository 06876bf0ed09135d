//! One board: from start to the first answer, and memory.

use std::time::Duration;

use anyhow::Result;
use tempfile::TempDir;

use crate::process::{Firmware, Host, Memory};
use crate::stats::{HEAD, Times, ratio};

const RUNS: usize = 25;

/// Time to come to rest before memory is read.
const REST: Duration = Duration::from_secs(2);

pub(crate) fn measure() -> Result<()> {
    let dir = TempDir::new()?;
    let (mut first, mut again, mut upstream) = (Vec::new(), Vec::new(), Vec::new());
    for run in 0..RUNS {
        let state = dir.path().join(run.to_string());
        for times in [&mut first, &mut again] {
            let board = Firmware::linux("forward")?;
            times.push(Host::bridge(&state, [board.device()])?.started);
        }
        let board = Firmware::linux("forward")?;
        upstream.push(Host::upstream(&board)?.started);
    }
    let (first, again, upstream) = (Times::from_iter(first), Times::from_iter(again), Times::from_iter(upstream));
    println!("{HEAD}");
    println!("{}", again.row("bridge"));
    println!("{}", first.row("bridge, first start ever"));
    println!("{}", upstream.row("microflo runtime"));
    println!("\nmicroflo runtime takes {} times as long (medians)", ratio(upstream.median(), again.median()));
    memory(&dir)
}

fn memory(dir: &TempDir) -> Result<()> {
    let board = Firmware::linux("forward")?;
    let bridge = Host::bridge(&dir.path().join("memory"), [board.device()])?;
    bridge.wait_ready(1)?;
    let other = Firmware::linux("forward")?;
    let upstream = Host::upstream(&other)?;
    std::thread::sleep(REST);
    println!("\n| kB, one board | RSS | PSS |\n|---|--:|--:|");
    for (name, host) in [("bridge", bridge), ("microflo runtime", upstream)] {
        let Memory { rss, pss } = host.process.memory()?;
        println!("| {name} | {rss} | {pss} |");
    }
    Ok(())
}
