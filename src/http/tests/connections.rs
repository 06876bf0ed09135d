//! Connections: limits and the end.

use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::bench::{Bench, closed};
use crate::http::Listeners;
use crate::http::server::BindError;

#[tokio::test]
async fn stopping_closes_idle_connections_and_tells_sockets() {
    let mut bench = Bench::new().await;
    let (mut client, _end) = bench.fbp().await;
    let mut idle = TcpStream::connect(bench.address).await.unwrap();
    let stopped = bench.lifecycle.finish(Duration::from_secs(5));
    let told = async {
        assert_eq!(closed(&mut client).await, (1001, "the bridge is shutting down".into()));
        assert_eq!(idle.read(&mut [0; 1]).await.unwrap(), 0);
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
