//! The round trip of `runtime:getruntime`, the first thing that every client asks.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::json;
use tempfile::TempDir;

use crate::client::Client;
use crate::process::{Firmware, Host};
use crate::stats::{HEAD, Times, ratio};

const ROUNDS: usize = 20;
const CALLS_PER_ROUND: usize = 250;

pub(crate) fn measure() -> Result<()> {
    let dir = TempDir::new()?;
    let (board, other) = (Firmware::linux("forward")?, Firmware::linux("forward")?);
    let bridge = Host::bridge(&dir.path().join("state"), [board.device()])?;
    bridge.wait_ready(1)?;
    let upstream = Host::upstream(&other)?;
    let (id, secret) = bridge.only_board()?;
    let mut ours = Client::fbp(bridge.port, &format!("/{id}"), &secret)?;
    let mut theirs = Client::fbp(upstream.port, "/", "")?;

    let (mut our_times, mut their_times) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        for (client, times) in [(&mut ours, &mut our_times), (&mut theirs, &mut their_times)] {
            let round_trips = (0..CALLS_PER_ROUND).map(|_| call(client)).collect::<Result<Vec<_>>>();
            // The first round warms up.
            times.extend(round_trips.context("getruntime")?.into_iter().filter(|_| round > 0));
        }
    }
    let (ours, theirs) = (Times::from_iter(our_times), Times::from_iter(their_times));
    println!("{HEAD}\n{}\n{}", ours.row("bridge"), theirs.row("microflo runtime"));
    println!("\nmicroflo runtime takes {} times as long (medians)", ratio(theirs.median(), ours.median()));
    Ok(())
}

fn call(client: &mut Client) -> Result<Duration> {
    let began = Instant::now();
    client.say("runtime", "getruntime", json!({}))?;
    // microflo's host asks the board each time, and answers with an error after a second; that counts as an answer.
    loop {
        // The reply is followed by one about exported ports, which nobody asked for.
        if let Some("runtime" | "error") = client.hear()?["command"].as_str() {
            return Ok(began.elapsed());
        }
    }
}
