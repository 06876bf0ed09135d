//! Boards as their clients meet them: both protocols on one board, and what happens when it goes.

use std::time::{Duration, Instant};

use firmware_proto::{Body, Command, Dialect, Event, Response};
use serde_json::{Value, json};

use crate::machine::{Machine, arduino, id, text, uno};
use crate::support::{Bridge, secret};
use crate::web::{Fbp, Raw, boards, get};

/// A board that goes is to be gone from the API within this time; tests on a busy machine allow more.
const GONE_TARGET: Duration = Duration::from_millis(300);
const GONE_LIMIT: Duration = Duration::from_secs(2);

fn end(node: &str, port: &str) -> Value {
    json!({ "node": node, "port": port })
}

/// Two simulated boards, one of each dialect.
fn simulated(dir: &tempfile::TempDir) -> (Bridge, Vec<(Dialect, Value)>) {
    let bridge = Bridge::start(&dir.path().join("state"), &["--simulate", "2"]);
    bridge.wait("both are ready", |bridge| {
        let boards = bridge.boards();
        boards.len() == 2 && boards.iter().all(|board| board["state"] == "ready")
    });
    let dialect = |board: &Value| Dialect::from_name(text(&board["firmware"], "dialect")).unwrap();
    let boards = bridge.boards().into_iter().map(|board| (dialect(&board), board)).collect();
    (bridge, boards)
}

/// Timer → ToggleBoolean → Forward, running.
async fn build(client: &mut Fbp) {
    client.ask("graph", "clear", json!({ "id": "main", "name": "main", "main": true })).await;
    for (node, component) in [("timer", "Timer"), ("toggle", "ToggleBoolean"), ("forward", "Forward")] {
        let added =
            client.ask("graph", "addnode", json!({ "id": node, "component": component, "graph": "main" })).await;
        assert_eq!(added["command"], "addnode", "{added}");
    }
    for (src, tgt) in [("timer", "toggle"), ("toggle", "forward")] {
        let edge = json!({ "src": end(src, "out"), "tgt": end(tgt, "in"), "graph": "main" });
        let added = client.ask("graph", "addedge", edge).await;
        assert_eq!(added["command"], "addedge", "{added}");
    }
    let initial = json!({ "src": { "data": 20 }, "tgt": end("timer", "interval"), "graph": "main" });
    assert_eq!(client.ask("graph", "addinitial", initial).await["command"], "addinitial");
    let started = client.ask("network", "start", json!({ "graph": "main" })).await;
    assert_eq!(started["command"], "started", "the answer comes before the packets");
}

fn is_pong(body: &Body) -> bool {
    matches!(body, Body::Response(Response::Pong(_)))
}

fn is_packet(body: &Body) -> bool {
    matches!(body, Body::Event(Event::PacketSent { .. }))
}

#[tokio::test(flavor = "multi_thread")]
async fn two_raw_clients_and_an_fbp_client_share_a_board_of_each_dialect() {
    let dir = tempfile::tempdir().unwrap();
    let (bridge, found) = simulated(&dir);
    for (dialect, board) in &found {
        let (dialect, secret) = (*dialect, secret(board));
        let mut fbp = Fbp::connect(text(board, "url"), &secret).await.unwrap();
        let mut asker = Raw::open(text(board, "rawUrl"), &secret, dialect).await;
        let mut other = Raw::open(text(board, "rawUrl"), &secret, dialect).await;
        bridge.wait("three clients are counted", |bridge| {
            bridge.boards().iter().any(|seen| seen["id"] == board["id"] && seen["clients"] == 3)
        });
        fbp.ask("runtime", "getruntime", json!({})).await;
        build(&mut fbp).await;
        // Events go to everybody.
        asker.until(|frame| is_packet(&frame.body)).await;
        other.until(|frame| is_packet(&frame.body)).await;
        let data =
            fbp.until(|message| message["command"] == "data" && message["payload"]["src"]["node"] == "timer").await;
        println!("{}: {}", dialect.name(), data["payload"]);
        // An answer goes to the asker, in its own numbering.
        asker.command(Command::Ping([1, 2, 3, 4, 5, 6, 7, 8]), 77).await;
        let pong = asker.until(|frame| is_pong(&frame.body)).await;
        if dialect == Dialect::Microflo1 {
            assert_eq!(pong.request_id, 77);
            assert_eq!(pong.body, Body::Response(Response::Pong([1, 2, 3, 4, 5, 6, 7, 8])));
        }
        // The other sees no answer up to its own, which comes later; events do not count.
        other.command(Command::SubscribeToPort { port: port(1), enable: true }, 5).await;
        let answer = other.until(|frame| matches!(frame.body, Body::Response(_))).await;
        assert!(matches!(answer.body, Body::Response(Response::PortSubscriptionChanged { .. })), "{answer:?}");
        // Part of a frame dies with its client.
        let frame = Command::Ping([0; 8]).encode(dialect, 3);
        asker.send(&frame.as_bytes()[..dialect.frame_len() - 1]).await;
        drop(asker);
        bridge.wait("it has left", |bridge| {
            bridge.boards().iter().any(|seen| seen["id"] == board["id"] && seen["clients"] == 2)
        });
        other.command(Command::Ping([0; 8]), 6).await;
        other.until(|frame| is_pong(&frame.body)).await;
        fbp.until(|message| message["command"] == "data").await;
        // One client's End ends its own session, not the board's.
        other.command(Command::End, 7).await;
        other.until(|frame| frame.body == Body::Response(Response::TransmissionEnded)).await;
        fbp.until(|message| message["command"] == "data").await;
        fbp.ask("network", "stop", json!({ "graph": "main" })).await;
    }
    assert!(bridge.boards().iter().all(|board| board["state"] == "ready"));
    assert_eq!(bridge.log().matches("ready").count(), 2, "no session was lost: {}", bridge.log());
}

fn port(node: u8) -> firmware_proto::PortRef {
    firmware_proto::PortRef { node, port: 0 }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_root_is_the_only_boards_socket_and_names_the_paths_of_several() {
    let dir = tempfile::tempdir().unwrap();
    let one = Bridge::start(&dir.path().join("one"), &["--simulate", "1"]);
    let board = one.board_in_state("ready");
    let url = one.http().replacen("http", "ws", 1);
    let mut client = Fbp::connect(&format!("{url}/"), &secret(&board)).await.unwrap();
    assert_eq!(client.ask("runtime", "getruntime", json!({})).await["payload"]["id"], board["id"]);
    let (several, found) = simulated(&dir);
    let url = several.http().replacen("http", "ws", 1);
    let (status, words) = Fbp::connect(&format!("{url}/"), "").await.err().unwrap();
    println!("{status}: {words}");
    assert_eq!(status, 409);
    assert!(found.iter().all(|(_, board)| words.contains(&format!("/{}", id(board)))));
    let none = Bridge::start(&dir.path().join("none"), &[]);
    let url = none.http().replacen("http", "ws", 1);
    assert_eq!(Fbp::connect(&format!("{url}/"), "").await.err().unwrap().0, 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_board_that_is_unplugged_is_gone_at_once_and_comes_back_as_the_same() {
    let mut machine = Machine::new();
    let bridge = machine.start(&[]);
    let base = bridge.http();
    let pty = arduino();
    let device = uno("1", Some("75835353038351F0B1A1"), "ttyACM0", pty.path());
    machine.plug(&device);
    bridge.wait("it is registered", |_| {
        boards(&base).first().is_some_and(|board| board["registries"][0]["registered"] == true)
    });
    let board = bridge.board_in_state("ready");
    let user = bridge.json(&["registry", "user", "show", "--json"]);
    let token = text(&user, "token");
    let registered = || get(&base, &format!("/runtimes/{}", id(&board)), Some(token)).0;
    assert_eq!(registered(), 200);
    let fbp = Fbp::connect(text(&board, "url"), &secret(&board)).await.unwrap();
    let raw = Raw::open(text(&board, "rawUrl"), &secret(&board), Dialect::Flo01).await;

    let pulled = Instant::now();
    drop(pty);
    machine.unplug(&device);
    while !boards(&base).is_empty() {
        assert!(pulled.elapsed() < GONE_LIMIT, "still in the API");
        std::thread::park_timeout(Duration::from_millis(2));
    }
    let gone = pulled.elapsed();
    for (code, words) in [fbp.closed().await, raw.closed().await] {
        assert_eq!((code, words.as_str()), (4001, "the board is unplugged"));
    }
    let closed = pulled.elapsed();
    assert_eq!(registered(), 200, "its record stays a while");
    bridge.wait("its record is deleted", |_| registered() == 404);
    let deleted = pulled.elapsed();
    println!(
        "gone from the API after {gone:?} (target {GONE_TARGET:?}), sockets closed {closed:?}, record {deleted:?}"
    );
    assert!(deleted > Duration::from_millis(2500) && deleted < Duration::from_secs(8), "{deleted:?}");
    assert_eq!(bridge.json(&["list", "--json", "--all"])[0]["state"], "gone");

    let pty = arduino();
    machine.plug(&uno("1", Some("75835353038351F0B1A1"), "ttyACM0", pty.path()));
    let back = bridge.board_in_state("ready");
    assert_eq!((id(&back), &back["label"], secret(&back)), (id(&board), &board["label"], secret(&board)));
    bridge.wait("it is registered again", |_| registered() == 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_terminal_that_ends_is_gone_and_a_new_one_behind_its_link_is_the_same_board() {
    let machine = Machine::new();
    let link = machine.path("board");
    let serve = || {
        let link = link.clone();
        let config = microflo_bridge::sim::Config::new(Dialect::Microflo1);
        let opening = microflo_bridge::sim::Opening::Joins;
        tokio::spawn(async move { microflo_bridge::sim::serve_pty(&link, config, opening).await })
    };
    let pty = serve();
    let bridge = machine.start(&["--device", link.to_str().unwrap()]);
    let base = bridge.http();
    let board = bridge.board_in_state("ready");
    let raw = Raw::open(text(&board, "rawUrl"), &secret(&board), Dialect::Microflo1).await;
    let pulled = Instant::now();
    pty.abort();
    while !boards(&base).is_empty() {
        assert!(pulled.elapsed() < GONE_LIMIT, "still in the API");
        std::thread::park_timeout(Duration::from_millis(2));
    }
    println!("gone from the API after {:?} (target {GONE_TARGET:?})", pulled.elapsed());
    assert_eq!(raw.closed().await.0, 4001);
    let again = Instant::now();
    let pty = serve();
    let back = bridge.board_in_state("ready");
    println!("ready again after {:?}", again.elapsed());
    assert_eq!(id(&back), id(&board));
    pty.abort();
}
