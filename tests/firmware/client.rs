//! Clients as users have them: FBP and raw WebSockets, and HTTP.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use firmware_proto::{Body, Command, Decoded, Decoder, Dialect, Message, Response};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{self, WebSocket, client};

use crate::support::{Bridge, PATIENCE, secret};

/// A WebSocket that is read with patience.
struct Socket {
    ws: WebSocket<TcpStream>,
    closed: Option<CloseFrame>,
}

impl Socket {
    fn connect(url: &str, header: (&'static str, &str)) -> Socket {
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().insert(header.0, header.1.parse().unwrap());
        let host = request.uri().authority().unwrap().as_str().to_owned();
        let stream = TcpStream::connect(host).unwrap();
        stream.set_nodelay(true).unwrap();
        let (ws, _) = client(request, stream).unwrap();
        Socket { ws, closed: None }
    }

    /// The next message; `None` if there is none until then, or the socket was closed.
    fn next(&mut self, until: Instant) -> Option<tungstenite::Message> {
        while self.closed.is_none() {
            let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            self.ws.get_ref().set_read_timeout(Some(left)).unwrap();
            match self.ws.read() {
                Ok(tungstenite::Message::Close(frame)) => self.closed = Some(frame.expect("a close frame with a code")),
                Ok(tungstenite::Message::Ping(_) | tungstenite::Message::Pong(_)) => {}
                Ok(message) => return Some(message),
                Err(tungstenite::Error::Io(error))
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    if Instant::now() >= until {
                        return None;
                    }
                }
                Err(error) => panic!("the socket broke: {error}"),
            }
        }
        None
    }

    /// The code with which the other side closed it.
    fn close_code(&mut self) -> u16 {
        let until = Instant::now() + PATIENCE;
        while self.closed.is_none() && Instant::now() < until {
            self.next(until);
        }
        self.closed.as_ref().expect("the socket is closed").code.into()
    }
}

/// A client that speaks FBP.
pub(crate) struct Fbp {
    socket: Socket,
    secret: String,
    requests: u32,
    /// What came unasked and has not been looked at yet.
    pub(crate) told: Vec<Value>,
}

impl Fbp {
    /// Connects with what the live URL says.
    pub(crate) fn connect(board: &Value) -> Fbp {
        Fbp::with_secret(board, &secret(board))
    }

    /// The same with another secret.
    pub(crate) fn with_secret(board: &Value, secret: &str) -> Fbp {
        let url = board["url"].as_str().unwrap();
        let socket = Socket::connect(url, ("Sec-WebSocket-Protocol", "noflo"));
        Fbp { socket, secret: secret.to_owned(), requests: 0, told: Vec::new() }
    }

    /// Sends `protocol:command` and returns the request's id.
    pub(crate) fn send(&mut self, what: &str, payload: Value) -> String {
        let (protocol, command) = what.split_once(':').unwrap();
        self.requests += 1;
        let id = self.requests.to_string();
        let message = json!({ "protocol": protocol, "command": command, "payload": payload, "secret": self.secret, "requestId": id });
        self.send_text(&message.to_string());
        id
    }

    /// Sends text as it is.
    pub(crate) fn send_text(&mut self, text: &str) {
        self.socket.ws.send(tungstenite::Message::text(text)).unwrap();
    }

    /// The next message of any kind; `None` if none comes until then.
    pub(crate) fn next(&mut self, until: Instant) -> Option<Value> {
        let message = self.socket.next(until)?;
        Some(serde_json::from_str(message.to_text().unwrap()).unwrap())
    }

    /// Sends a request and waits for its answer.
    pub(crate) fn ask(&mut self, what: &str, payload: Value) -> Value {
        let id = self.send(what, payload);
        self.answer(&id)
    }

    /// The same; an error fails the test.
    pub(crate) fn order(&mut self, what: &str, payload: Value) -> Value {
        let answer = self.ask(what, payload);
        assert_ne!(answer["command"], "error", "{what}: {answer}");
        answer["payload"].clone()
    }

    /// The answer to a request.
    pub(crate) fn answer(&mut self, id: &str) -> Value {
        let until = Instant::now() + PATIENCE;
        loop {
            let message = self.next(until).unwrap_or_else(|| panic!("no answer to {id}; told: {:?}", self.told));
            if message["responseTo"] == id {
                return message;
            }
            self.told.push(message);
        }
    }

    /// Waits for a message that nobody asked for.
    pub(crate) fn wait_for(&mut self, what: &str) -> Value {
        let (protocol, command) = what.split_once(':').unwrap();
        let is_it = |message: &Value| message["protocol"] == protocol && message["command"] == command;
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(at) = self.told.iter().position(is_it) {
                return self.told.remove(at);
            }
            let message = self.next(until);
            self.told.push(message.unwrap_or_else(|| panic!("no {what}; told: {:?}", self.told)));
        }
    }

    /// Reads for that long, and says how many packets on edges came.
    pub(crate) fn count_data(&mut self, time: Duration) -> usize {
        let until = Instant::now() + time;
        let mut packets = 0;
        while let Some(message) = self.next(until) {
            packets += usize::from(message["command"] == "data");
            self.told.push(message);
        }
        packets
    }

    /// The time from now until that many packets on edges have come.
    pub(crate) fn time_packets(&mut self, count: usize) -> Duration {
        self.told.retain(|message| message["command"] != "data");
        let began = Instant::now();
        (0..count).for_each(|_| drop(self.wait_for("network:data")));
        began.elapsed()
    }

    /// The main graph, as `component:getsource` tells it.
    pub(crate) fn graph(&mut self, name: &str) -> Value {
        let source = self.order("component:getsource", json!({ "name": name }));
        serde_json::from_str(source["code"].as_str().unwrap()).unwrap()
    }

    /// The close code, once the other side has closed.
    pub(crate) fn close_code(mut self) -> u16 {
        self.socket.close_code()
    }

    /// Sends a binary message, which this protocol has not.
    pub(crate) fn send_binary(&mut self, bytes: &[u8]) {
        self.socket.ws.send(tungstenite::Message::binary(bytes.to_vec())).unwrap();
    }
}

/// A client that speaks the board's binary protocol.
pub(crate) struct Raw {
    socket: Socket,
    decoder: Decoder,
    bytes: Vec<u8>,
}

impl Raw {
    /// Connects and opens a session.
    pub(crate) fn connect(board: &Value) -> Raw {
        let url = board["rawUrl"].as_str().unwrap();
        let socket = Socket::connect(url, ("Authorization", &format!("Bearer {}", secret(board))));
        let mut raw = Raw { socket, decoder: Decoder::aligned(Dialect::Flo01), bytes: Vec::new() };
        raw.open();
        raw
    }

    /// Sends the magic and waits until it is answered.
    pub(crate) fn open(&mut self) {
        self.send_bytes(Dialect::Flo01.opening(0).as_bytes());
        assert_eq!(self.response(), Some(Response::CommunicationOpen));
    }

    /// Sends commands in one message.
    pub(crate) fn send(&mut self, commands: &[Command]) {
        let bytes: Vec<u8> =
            commands.iter().flat_map(|command| command.encode(Dialect::Flo01, 0).as_bytes().to_vec()).collect();
        self.send_bytes(&bytes);
    }

    fn send_bytes(&mut self, bytes: &[u8]) {
        self.socket.ws.send(tungstenite::Message::binary(bytes.to_vec())).unwrap();
    }

    /// The next message of any kind; `None` if none comes until then.
    pub(crate) fn next(&mut self, until: Instant) -> Option<Message> {
        loop {
            let mut rest = self.bytes.as_slice();
            let decoded = self.decoder.next(&mut rest);
            self.bytes = rest.to_vec();
            match decoded {
                Some(Decoded::Message(message)) => return Some(message),
                Some(Decoded::Misaligned) => panic!("the bridge sent half a frame"),
                None => self.bytes.extend_from_slice(&self.socket.next(until)?.into_data()),
            }
        }
    }

    /// The next response; events are passed over.
    pub(crate) fn response(&mut self) -> Option<Response> {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Body::Response(response) = self.next(until)?.body {
                return Some(response);
            }
        }
    }

    /// The close code, once the other side has closed.
    pub(crate) fn close_code(mut self) -> u16 {
        self.socket.close_code()
    }
}

/// `GET path` with a token: status code and body.
pub(crate) fn get(bridge_url: &str, path: &str, token: Option<&str>) -> (u16, Value) {
    let host = bridge_url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).unwrap();
    let token = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\n{token}Connection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    (status, serde_json::from_str(body).unwrap_or_default())
}

/// The registry's entry for a board: status code and body.
pub(crate) fn registry_entry(bridge: &Bridge, url: &str, id: &str) -> (u16, Value) {
    let user = bridge.json(&["registry", "user", "show", "--json"]);
    get(url, &format!("/runtimes/{id}"), user["token"].as_str())
}
