//! Clients: plain HTTP, curl, and WebSockets of both protocols.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

use firmware_proto::{Body, Command as BoardCommand, Decoded, Decoder, Dialect, Message as Frame, Response};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream as AsyncTcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::support::PATIENCE;

/// `GET`: status and body. One quick connection, so that times can be taken with it.
pub(crate) fn get(base: &str, path: &str, token: Option<&str>) -> (u16, String) {
    let host = base.strip_prefix("http://").unwrap().trim_end_matches('/');
    let mut stream = TcpStream::connect(host).unwrap();
    let auth = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\n{auth}Connection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// The boards as the API shows them to anybody.
pub(crate) fn boards(base: &str) -> Vec<Value> {
    let (status, body) = get(base, "/api/boards", None);
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

/// Runs the real curl with these arguments; prints the command and the answer's status, and returns it with the body.
pub(crate) fn curl(args: &[&str]) -> (u16, String) {
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--max-time", "5", "--write-out", "\n%{http_code}"])
        .args(args)
        .output()
        .expect("curl is installed: apt-get install curl");
    let text = String::from_utf8(output.stdout).unwrap();
    let (body, status) = text.rsplit_once('\n').unwrap();
    println!("curl {} -> {status}", args.join(" "));
    (status.parse().unwrap(), body.to_owned())
}

type Socket = WebSocketStream<MaybeTlsStream<AsyncTcpStream>>;

/// Opens a WebSocket; a refusal gives its status and words.
async fn upgrade(url: &str, headers: &[(&'static str, String)]) -> Result<Socket, (u16, String)> {
    let mut request = url.into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    match connect_async(request).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(response)) => {
            let body = response.body().clone().unwrap_or_default();
            Err((response.status().as_u16(), String::from_utf8_lossy(&body).into_owned()))
        }
        Err(error) => panic!("{url}: {error}"),
    }
}

async fn receive(socket: &mut Socket) -> Message {
    loop {
        let message = tokio::time::timeout(PATIENCE, socket.next()).await.expect("nothing came");
        match message.expect("it ended without a close frame").unwrap() {
            Message::Ping(_) | Message::Pong(_) => {}
            message => return message,
        }
    }
}

/// Reads until the bridge closes the socket: with that code and these words.
async fn closed(mut socket: Socket) -> (u16, String) {
    loop {
        if let Message::Close(frame) = receive(&mut socket).await {
            let frame = frame.expect("a close code");
            return (frame.code.into(), frame.reason.to_string());
        }
    }
}

/// An FBP client.
pub(crate) struct Fbp {
    socket: Socket,
    secret: String,
}

impl Fbp {
    pub(crate) async fn connect(url: &str, secret: &str) -> Result<Fbp, (u16, String)> {
        let socket = upgrade(url, &[("sec-websocket-protocol", "noflo".into())]).await?;
        Ok(Fbp { socket, secret: secret.to_owned() })
    }

    /// The first message of the same protocol that comes back.
    pub(crate) async fn ask(&mut self, protocol: &str, command: &str, payload: Value) -> Value {
        let mut message = json!({ "protocol": protocol, "command": command, "payload": payload });
        if !self.secret.is_empty() {
            message["secret"] = self.secret.clone().into();
        }
        self.socket.send(Message::text(message.to_string())).await.unwrap();
        self.until(|message| message["protocol"] == protocol).await
    }

    pub(crate) async fn until(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            let message = receive(&mut self.socket).await;
            let message: Value = serde_json::from_str(message.to_text().unwrap()).expect("a JSON message");
            if fits(&message) {
                return message;
            }
        }
    }

    pub(crate) async fn closed(self) -> (u16, String) {
        closed(self.socket).await
    }
}

/// A client of the binary protocol.
pub(crate) struct Raw {
    socket: Socket,
    dialect: Dialect,
    decoder: Decoder,
    unread: Vec<u8>,
}

impl Raw {
    pub(crate) async fn connect(url: &str, secret: &str, dialect: Dialect) -> Result<Raw, (u16, String)> {
        let headers = [("authorization", format!("Bearer {secret}"))];
        let socket = upgrade(url, if secret.is_empty() { &[] } else { &headers }).await?;
        Ok(Raw { socket, dialect, decoder: Decoder::aligned(dialect), unread: Vec::new() })
    }

    /// Connects and opens the session.
    pub(crate) async fn open(url: &str, secret: &str, dialect: Dialect) -> Raw {
        let mut raw = Raw::connect(url, secret, dialect).await.unwrap();
        raw.send(dialect.opening(9).as_bytes()).await;
        let answer = raw.next().await;
        assert_eq!(answer.body, Body::Response(Response::CommunicationOpen));
        raw
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.socket.send(Message::binary(bytes.to_vec())).await.unwrap();
    }

    pub(crate) async fn command(&mut self, command: BoardCommand, request_id: u8) {
        self.send(command.encode(self.dialect, request_id).as_bytes()).await;
    }

    /// The next frame.
    pub(crate) async fn next(&mut self) -> Frame {
        loop {
            let mut input = self.unread.as_slice();
            let decoded = self.decoder.next(&mut input);
            self.unread = input.to_vec();
            match decoded {
                Some(Decoded::Message(frame)) => return frame,
                Some(Decoded::Misaligned) => panic!("bytes that are no frame"),
                None => self.unread.extend_from_slice(&receive(&mut self.socket).await.into_data()),
            }
        }
    }

    pub(crate) async fn until(&mut self, fits: impl Fn(&Frame) -> bool) -> Frame {
        loop {
            let frame = self.next().await;
            if fits(&frame) {
                return frame;
            }
        }
    }

    pub(crate) async fn closed(self) -> (u16, String) {
        closed(self.socket).await
    }
}
