//! Upload of a graph of 40 nodes at 9600 baud, all sent at once: how much of the line is used.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use firmware_proto::{Command, Decoder, Edge, Packet, PortRef, Response};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::Client;
use crate::process::{Firmware, Host};
use crate::serial::{DIALECT, responses};
use crate::stats::{Times, millis};

const RUNS: usize = 5;
const NODES: u8 = 40;
/// Clear, stop, nodes, edges in a chain, two packets, start.
const COMMANDS: usize = 2 + NODES as usize + (NODES as usize - 1) + 2 + 1;
const BAUD: u32 = 9600;
/// Start bit, eight bits, stop bit.
const BITS_PER_BYTE: u32 = 10;
const COMPONENT: &str = "Forward";
const GRAPH: &str = "upload";

pub(crate) fn measure() -> Result<()> {
    let dir = TempDir::new()?;
    let board = Firmware::mega("forward")?;
    let other = Firmware::mega("forward")?;
    let bridge = Host::bridge(&dir.path().join("state"), [board.device()])?;
    bridge.wait_ready(1)?;
    let (id, secret) = bridge.only_board()?;
    let upstream = Host::upstream(&other)?;
    let component = component_id(&board)?;

    let (raw, fbp) = (format!("/{id}/raw"), format!("/{id}"));
    let mut times = [const { Vec::new() }; 4];
    for _ in 0..RUNS {
        // Nobody is connected who would want to see what flows.
        times[3].push(upload_file(&bridge, &id, dir.path())?);
        // Each on a connection of its own, which hears nothing of the others' edits.
        times[0].push(upload_raw(&mut Client::raw(bridge.port, &raw, &secret)?, component)?);
        times[1].push(upload_fbp(&mut Client::fbp(bridge.port, &fbp, &secret)?)?);
        times[2].push(upload_fbp(&mut Client::fbp(upstream.port, "/", "")?)?);
    }
    let bytes = u32::try_from(COMMANDS * DIALECT.frame_len())?;
    let line = Duration::from_secs(u64::from(bytes * BITS_PER_BYTE)) / BAUD;
    println!("{COMMANDS} commands, {bytes} bytes: {} ms of the line\n", millis(line));
    println!("| | min (ms) | median (ms) | share of the line (median) |\n|---|--:|--:|--:|");
    let names = ["bridge, raw", "bridge, FBP", "microflo runtime, FBP", "bridge, `graph upload`"];
    for (name, times) in names.into_iter().zip(times) {
        let times = Times::from_iter(times);
        let share = line.as_secs_f64() / times.median().as_secs_f64() * 100.0;
        println!("| {name} | {} | {} | {share:.1} % |", millis(times.percentile(0)), millis(times.median()));
    }
    Ok(())
}

fn component_id(board: &Firmware) -> Result<u8> {
    let map: Value = serde_json::from_str(&std::fs::read_to_string(&board.map)?)?;
    let id = map["components"][COMPONENT]["id"].as_u64().context("the firmware lacks a component")?;
    Ok(u8::try_from(id)?)
}

fn upload_fbp(client: &mut Client) -> Result<Duration> {
    let end = |node: u8, port: &str| json!({ "node": format!("n{node}"), "port": port });
    let began = Instant::now();
    client.say("graph", "clear", json!({ "id": GRAPH, "name": GRAPH, "main": true }))?;
    client.say("network", "stop", json!({ "graph": GRAPH }))?;
    for node in 1..=NODES {
        client.say("graph", "addnode", json!({ "graph": GRAPH, "id": format!("n{node}"), "component": COMPONENT }))?;
    }
    for node in 1..NODES {
        let edge = json!({ "graph": GRAPH, "src": end(node, "out"), "tgt": end(node + 1, "in") });
        client.say("graph", "addedge", edge)?;
    }
    for data in [1, 2] {
        // As text: microflo's host dies of a number.
        let initial = json!({ "graph": GRAPH, "src": { "data": data.to_string() }, "tgt": end(data, "in") });
        client.say("graph", "addinitial", initial)?;
    }
    client.say("network", "start", json!({ "graph": GRAPH }))?;
    let mut nodes = 0;
    loop {
        let message = client.hear()?;
        match message["command"].as_str() {
            Some("error") => anyhow::bail!("{message}"),
            Some("started") => break,
            Some("addnode") => nodes += 1,
            _ => {}
        }
    }
    let time = began.elapsed();
    ensure!(nodes == NODES, "{nodes} nodes were acknowledged");
    Ok(time)
}

/// The command as a user types it, from its start to its end.
fn upload_file(bridge: &Host, board: &str, dir: &Path) -> Result<Duration> {
    let nodes = (1..=NODES).map(|node| format!("n{node}({COMPONENT})\n"));
    let edges = (1..NODES).map(|node| format!("n{node} OUT -> IN n{}\n", node + 1));
    let initials = [1, 2].map(|data| format!("{data} -> IN n{data}\n"));
    let file = dir.join(format!("{GRAPH}.fbp"));
    std::fs::write(&file, nodes.chain(edges).chain(initials).collect::<String>())?;
    let began = Instant::now();
    bridge.cli(&["graph", "upload", board, &file.display().to_string()])?;
    Ok(began.elapsed())
}

fn upload_raw(client: &mut Client, component: u8) -> Result<Duration> {
    let port = |node| PortRef { node, port: 0 };
    let mut commands = vec![Command::ClearNodes, Command::StopNetwork];
    commands.extend((0..NODES).map(|_| Command::CreateComponent { component, parent: 0 }));
    commands.extend((1..NODES).map(|node| Command::ConnectNodes(Edge { src: port(node), tgt: port(node + 1) })));
    commands.extend([1, 2].map(|node| Command::SendPacket { target: port(node), packet: Packet::Integer(1) }));
    commands.push(Command::StartNetwork);
    let frames = commands.iter().flat_map(|command| command.encode(DIALECT, 0).as_bytes().to_vec());
    let bytes: Vec<u8> = DIALECT.opening(0).as_bytes().iter().copied().chain(frames).collect();

    let mut decoder = Decoder::aligned(DIALECT);
    let (mut answers, mut done) = (0, false);
    let began = Instant::now();
    client.send_bytes(&bytes)?;
    while !done {
        for response in responses(&mut decoder, &client.bytes()?) {
            answers += 1;
            done |= response == Response::NetworkStarted;
        }
    }
    let time = began.elapsed();
    ensure!(answers == COMMANDS + 1, "{answers} answers came");
    Ok(time)
}
