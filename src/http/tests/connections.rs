//! Connections: limits and the end.

use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::bench::{BOARD, Bench, board, closed};
use crate::http::Listeners;
use crate::http::server::BindError;
use crate::pure::view::BoardState;

#[tokio::test]
async fn stopping_closes_idle_connections_and_tells_sockets() {
    let mut bench = Bench::new().await;
    let (mut client, _end) = bench.fbp().await;
    let mut idle = TcpStream::connect(bench.address).await.unwrap();
    let stopped = bench.lifecycle.finish(Duration::from_secs(5));
    let told = async {
        assert_eq!(closed(&mut client).await, (1001, "the bridge is shutting down".into()));
        // A reset, if the server had not even taken it.
        assert!(matches!(idle.read(&mut [0; 1]).await, Ok(0) | Err(_)));
    };
    assert!(tokio::join!(stopped, told).0, "everything has ended");
    assert!(TcpStream::connect(bench.address).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_head_that_never_ends_is_cut_off() {
    let bench = Bench::new().await;
    let mut slow = TcpStream::connect(bench.address).await.unwrap();
    slow.try_write(b"GET / HTTP/1.1\r\nHost: ").unwrap();
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(60), slow.read_to_end(&mut answer)).await;
    assert!(read.is_ok(), "closed within a minute");
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    let bench = Bench::new().await;
    let (status, _) = bench.http(&format!("GET /healthz\nX-Long: {}", "x".repeat(20_000)), "").await;
    assert_eq!(status, 431);
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused() {
    let bench = Bench::new().await;
    let request = "POST /api/boards/11111111-1111-4111-8111-111111111111/label\nContent-Type: application/json";
    let (status, _) = bench.control(request, &format!(r#"{{"label":"{}"}}"#, "x".repeat(70_000))).await;
    assert_eq!(status, 413);
}

#[tokio::test]
async fn handlers_know_who_asks() {
    let bench = Bench::new().await;
    let (_, over_tcp) = bench.http("GET /peer", "").await;
    assert!(over_tcp.contains("Tcp {"), "{over_tcp}");
    let (_, over_control) = bench.control("GET /peer", "").await;
    assert!(over_control.ends_with("Control"), "{over_control}");
}

#[tokio::test]
async fn a_taken_port_is_named_with_what_to_do() {
    let bench = Bench::new().await;
    let taken = crate::config::ListenAddress::Exact(bench.address);
    let error = Listeners::bind(&[taken]).await.unwrap_err();
    assert!(matches!(error, BindError::InUse(address) if address == bench.address));
    assert!(error.to_string().contains("--listen"), "{error}");
}

#[tokio::test]
async fn localhost_is_one_port_on_both_addresses() {
    let listeners = Listeners::bind(&["localhost:0".parse().unwrap()]).await.unwrap();
    let addresses = listeners.addresses();
    assert!(addresses[0].ip().is_loopback() && addresses[0].port() != 0);
    assert!(addresses.iter().all(|address| address.port() == addresses[0].port()));
}

#[tokio::test]
async fn a_websocket_keeps_its_place_until_it_ends() {
    let mut bench = Bench::at_most(1, vec![board(BOARD, "Blink", BoardState::Ready)], None).await;
    let (client, _end) = bench.fbp().await;
    let waiting = bench.http("GET /healthz\nConnection: close", "");
    tokio::pin!(waiting);
    assert!(tokio::time::timeout(Duration::from_millis(100), &mut waiting).await.is_err(), "no place is free");
    drop(client);
    assert_eq!(waiting.await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_answers_no_ping_is_let_go() {
    let mut bench = Bench::new().await;
    // A client that is not polled answers nothing.
    let (mut client, mut end) = bench.fbp().await;
    assert!(end.from_client.recv().await.is_none(), "the board is told");
    assert_eq!(closed(&mut client).await, (1008, "pings were not answered".into()));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_answers_pings_may_stay_silent() {
    let mut bench = Bench::new().await;
    let (mut client, mut end) = bench.fbp().await;
    let hour = Duration::from_secs(3600);
    let reading = async { while futures_util::StreamExt::next(&mut client).await.is_some() {} };
    tokio::select! {
        () = tokio::time::sleep(hour) => {}
        () = reading => panic!("the connection ended"),
        _ = end.from_client.recv() => panic!("the link ended"),
    }
}
