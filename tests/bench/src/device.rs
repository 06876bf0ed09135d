//! What the bridge adds to a board's round trip: WebSocket → board → WebSocket beside the board's terminal directly.

use std::time::{Duration, Instant};

use anyhow::Result;
use firmware_proto::{Command, Decoder, Response};
use tempfile::TempDir;

use crate::client::Client;
use crate::process::{Firmware, Host};
use crate::serial::{DIALECT, Line, responses};
use crate::stats::{HEAD, Times, millis};

const CALLS: usize = 3000;
const WARM_UP: usize = 100;

pub(crate) fn measure() -> Result<()> {
    let dir = TempDir::new()?;
    // Two of the same: a terminal has one user.
    let (board, other) = (Firmware::linux("forward")?, Firmware::linux("forward")?);
    let mut line = Line::open(&other.link)?;
    let bridge = Host::bridge(&dir.path().join("state"), [board.device()])?;
    bridge.wait_ready(1)?;
    let (id, secret) = bridge.only_board()?;
    let mut client = Client::raw(bridge.port, &format!("/{id}/raw"), &secret)?;
    let mut decoder = Decoder::searching(DIALECT);
    client.send_bytes(DIALECT.opening(0).as_bytes())?;
    wait_for(&mut client, &mut decoder, &Response::CommunicationOpen)?;

    let (mut direct, mut through) = (Vec::new(), Vec::new());
    for _ in 0..CALLS + WARM_UP {
        direct.push(timed(|| line.ping())?);
        through.push(timed(|| {
            client.send_bytes(Command::Ping([0; 8]).encode(DIALECT, 0).as_bytes())?;
            wait_for(&mut client, &mut decoder, &Response::Pong([0; 8]))
        })?);
    }
    let of = |times: Vec<Duration>| Times::from_iter(times.into_iter().skip(WARM_UP));
    let (direct, through) = (of(direct), of(through));
    println!("{HEAD}\n{}\n{}", direct.row("terminal"), through.row("through the bridge"));
    let added = |percent| millis(through.percentile(percent).saturating_sub(direct.percentile(percent)));
    println!("\nadded: {} ms at the median, {} ms at p99", added(50), added(99));
    Ok(())
}

fn timed(work: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let began = Instant::now();
    work()?;
    Ok(began.elapsed())
}

fn wait_for(client: &mut Client, decoder: &mut Decoder, wanted: &Response) -> Result<()> {
    while !responses(decoder, &client.bytes()?).contains(wanted) {}
    Ok(())
}
