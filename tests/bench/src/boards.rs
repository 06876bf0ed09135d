//! Many boards: simulated ones, on terminals, in another process.

use std::time::{Duration, Instant};

use anyhow::Result;
use tempfile::TempDir;

use crate::process::{Host, simulate};

const COUNTS: [usize; 3] = [1, 100, 500];

/// Time to come to rest before memory and idle load are measured.
const REST: Duration = Duration::from_secs(5);
const IDLE: Duration = Duration::from_secs(20);

pub(crate) fn measure() -> Result<()> {
    println!("| boards | listening (s) | all ready (s) | RSS (kB) | RSS per further board (kB) | idle CPU (%) |");
    println!("|--:|--:|--:|--:|--:|--:|");
    let mut alone = None;
    for count in COUNTS {
        let dir = TempDir::new()?;
        let _boards = simulate(count, dir.path())?;
        let device = |index| format!("--device={0}/board-{index},components={0}/components.json", dir.path().display());
        let began = Instant::now();
        let bridge = Host::bridge(&dir.path().join("state"), (1..=count).map(device))?;
        bridge.wait_ready(count)?;
        let ready = began.elapsed();
        std::thread::sleep(REST);
        let (cpu, since) = (bridge.process.cpu()?, Instant::now());
        std::thread::sleep(IDLE);
        let used = (bridge.process.cpu()? - cpu).as_secs_f64() / since.elapsed().as_secs_f64() * 100.0;
        let rss = bridge.process.memory()?.rss;
        let alone = *alone.get_or_insert(rss);
        let each = rss.saturating_sub(alone).checked_div(count as u64 - 1);
        let each = each.map_or_else(|| "–".to_owned(), |each| each.to_string());
        let seconds = |time: Duration| format!("{:.2}", time.as_secs_f64());
        println!("| {count} | {} | {} | {rss} | {each} | {used:.2} |", seconds(bridge.started), seconds(ready));
    }
    Ok(())
}
