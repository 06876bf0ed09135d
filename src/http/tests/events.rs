//! The event stream: a snapshot, then what changes, with secrets for the owner only.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::bench::{BOARD, Bench, OTHER, SECRET, TOKEN, board};
use crate::pure::view::BoardState;

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// A client that reads events.
struct Stream {
    io: TcpStream,
    text: String,
}

impl Stream {
    async fn open(bench: &Bench, header: &str) -> Stream {
        let mut io = TcpStream::connect(bench.address).await.unwrap();
        let request = format!("GET /api/events HTTP/1.1\r\nHost: {}\r\n{header}\r\n", bench.address);
        io.write_all(request.as_bytes()).await.unwrap();
        Stream { io, text: String::new() }
    }

    /// Reads on until that is there; all that has come so far.
    async fn until(&mut self, word: &str) -> &str {
        let read = async {
            while !self.text.contains(word) {
                let mut buffer = [0; 4096];
                let count = self.io.read(&mut buffer).await.unwrap();
                assert!(count > 0, "the stream ended without {word}: {}", self.text);
                self.text.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
            }
        };
        timeout(PATIENCE, read).await.unwrap_or_else(|_| panic!("{word} never came"));
        &self.text
    }

    /// The data of the first event of that name.
    async fn data(&mut self, name: &str) -> Value {
        let head = format!("event: {name}\ndata: ");
        self.until(&head).await;
        let start = self.text.find(&head).unwrap() + head.len();
        while !self.text[start..].contains("\n\n") {
            let more = self.text.len();
            let mut byte = [0; 1];
            self.io.read_exact(&mut byte).await.unwrap();
            self.text.push(char::from(byte[0]));
            assert!(more < 100_000);
        }
        serde_json::from_str(self.text[start..].split("\n\n").next().unwrap()).unwrap()
    }

    fn forget(&mut self) {
        self.text.clear();
    }
}

#[tokio::test]
async fn a_snapshot_comes_first_and_then_what_changes() {
    let bench = Bench::new().await;
    let mut stream = Stream::open(&bench, "").await;
    assert_eq!(stream.data("bridge").await["fullAccess"], false);
    let boards = stream.data("boards").await;
    assert_eq!((&boards[0]["label"], &boards[1]), (&Value::from("Blink"), &Value::Null));
    assert!(stream.text.contains("content-type: text/event-stream"), "{}", stream.text);

    stream.forget();
    let both = vec![board(BOARD, "Blink", BoardState::Ready), board(OTHER, "Door", BoardState::Opening)];
    bench.views.send_replace(Arc::new(both));
    assert_eq!(stream.data("board").await["label"], "Door");
    assert!(!stream.text.contains("Blink"), "what has not changed is not told: {}", stream.text);

    stream.forget();
    bench.views.send_replace(Arc::new(vec![board(BOARD, "Blink", BoardState::Gone)]));
    assert!(stream.data("gone").await.is_string());
    stream.until(&BOARD.to_string()).await;
    stream.until(&OTHER.to_string()).await;
}

#[tokio::test]
async fn secrets_are_for_the_token_and_a_wrong_token_is_told() {
    let bench = Bench::new().await;
    let mut owner = Stream::open(&bench, &format!("Authorization: Bearer {TOKEN}\r\n")).await;
    assert_eq!(owner.data("bridge").await["fullAccess"], true);
    assert!(owner.data("boards").await[0]["liveUrl"].as_str().unwrap().contains(SECRET));
    let mut guest = Stream::open(&bench, "").await;
    assert_eq!(guest.data("boards").await[0]["liveUrl"], Value::Null);
    assert!(!guest.text.contains(SECRET));
    let mut wrong = Stream::open(&bench, "Authorization: Bearer x\r\n").await;
    wrong.until("HTTP/1.1 401").await;
}

#[tokio::test]
async fn strangers_take_no_place_from_the_owner() {
    let bench = Bench::new().await;
    let mut guests = Vec::new();
    for _ in 0..32 {
        let mut guest = Stream::open(&bench, "").await;
        guest.data("boards").await;
        guests.push(guest);
    }
    Stream::open(&bench, "").await.until("HTTP/1.1 503").await;
    let mut owner = Stream::open(&bench, &format!("Authorization: Bearer {TOKEN}\r\n")).await;
    owner.data("boards").await;
    drop(guests);
    // Those who leave make room, as soon as it is noticed.
    let room = async {
        loop {
            let mut guest = Stream::open(&bench, "").await;
            if !guest.until("\r\n\r\n").await.contains("503") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    bench.views.send_replace(Arc::new(Vec::new()));
    timeout(PATIENCE, room).await.expect("room for one more");
}

#[tokio::test]
async fn a_stream_ends_when_the_bridge_stops() {
    let bench = Bench::new().await;
    let mut stream = Stream::open(&bench, "").await;
    stream.data("boards").await;
    assert!(bench.lifecycle.finish(PATIENCE).await, "a stream holds up the end");
}

#[tokio::test]
async fn the_link_with_the_token_is_told_over_the_control_socket_only() {
    let bench = Bench::new().await;
    let (status, answer) = bench.control("GET /api/dashboard", "").await;
    assert_eq!(status, 200);
    assert!(answer.contains(&format!("/#token={TOKEN}")), "{answer}");
    for header in ["", &format!("\nAuthorization: Bearer {TOKEN}")] {
        let (status, answer) = bench.http(&format!("GET /api/dashboard{header}"), "").await;
        assert!(status == 403 && !answer.contains(&format!("token={TOKEN}")), "{answer}");
    }
}

#[tokio::test]
async fn a_code_is_changed_for_the_token_once() {
    let bench = Bench::new().await;
    let (_, answer) = bench.control("GET /api/dashboard", "").await;
    let code = answer.split("#code=").nth(1).unwrap().split('"').next().unwrap();
    let request = "POST /api/dashboard/token\nContent-Type: application/json";
    let body = format!("{{\"code\":\"{code}\"}}");
    assert_eq!(bench.http(&format!("{request}\nOrigin: https://evil.example"), &body).await.0, 403);
    let (status, answer) = bench.http(request, &body).await;
    assert!(status == 200 && answer.contains(TOKEN), "{answer}");
    let (status, answer) = bench.http(request, &body).await;
    assert!(status == 401 && !answer.contains(TOKEN), "{answer}");
}

#[tokio::test]
async fn without_a_directory_the_ide_path_says_how_to_serve_one() {
    let bench = Bench::new().await;
    let (status, answer) = bench.http("GET /ide/", "").await;
    assert_eq!(status, 404);
    assert!(answer.contains("--ide DIR"), "{answer}");
}
