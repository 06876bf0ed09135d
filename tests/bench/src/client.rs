//! A WebSocket client that waits for its answers: the same for both hosts.

use std::net::{Ipv4Addr, TcpStream};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest;
use tungstenite::{Message, WebSocket};

/// An open connection.
#[derive(Debug)]
pub(crate) struct Client {
    socket: WebSocket<TcpStream>,
    secret: String,
}

impl Client {
    /// Speaks FBP.
    pub(crate) fn fbp(port: u16, path: &str, secret: &str) -> Result<Client> {
        Client::connect(port, path, secret, ("sec-websocket-protocol", "noflo".into()))
    }

    /// Speaks the board's own protocol, which only the bridge offers.
    pub(crate) fn raw(port: u16, path: &str, secret: &str) -> Result<Client> {
        Client::connect(port, path, secret, ("authorization", format!("Bearer {secret}")))
    }

    fn connect(port: u16, path: &str, secret: &str, (name, value): (&'static str, String)) -> Result<Client> {
        let mut request = format!("ws://127.0.0.1:{port}{path}").into_client_request()?;
        request.headers_mut().insert(name, value.parse()?);
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        let (socket, _) = tungstenite::client(request, stream).ok().context("the WebSocket was refused")?;
        Ok(Client { socket, secret: secret.to_owned() })
    }

    /// Sends an FBP message.
    pub(crate) fn say(&mut self, protocol: &str, command: &str, mut payload: Value) -> Result<()> {
        payload["secret"] = json!(self.secret);
        let message = json!({ "protocol": protocol, "command": command, "payload": payload });
        Ok(self.socket.send(Message::text(message.to_string()))?)
    }

    /// The next FBP message.
    pub(crate) fn hear(&mut self) -> Result<Value> {
        loop {
            match self.socket.read()? {
                Message::Text(text) => return Ok(serde_json::from_str(&text)?),
                Message::Close(frame) => bail!("closed: {frame:?}"),
                _ => {}
            }
        }
    }

    /// Sends raw bytes.
    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.socket.send(Message::binary(bytes.to_vec()))?)
    }

    /// The next raw bytes.
    pub(crate) fn bytes(&mut self) -> Result<Vec<u8>> {
        loop {
            match self.socket.read()? {
                Message::Binary(bytes) => return Ok(bytes.to_vec()),
                Message::Close(frame) => bail!("closed: {frame:?}"),
                _ => {}
            }
        }
    }
}
