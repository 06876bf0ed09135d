//! One board: its session, its FBP runtime and its raw clients, put together. Sans-IO like its parts.
//!
//! ```text
//!  FBP clients ── text ──> fbp::Runtime ── requests ──┐
//!                                                     ├──> Session ── bytes ──> port
//!  raw clients ── bytes ─> RawSession ── commands ────┘
//! ```
//!
//! A reply goes to the asker, an event to everyone; both kinds of client share the session's one request table and the
//! runtime's one mirror of the board.

mod introductions;
mod notices;
mod own_record;
mod raw_clients;
mod reasons;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;

use self::own_record::Writing;
pub use self::own_record::{OwnChange, OwnChangeError};
use self::raw_clients::RawClients;
use super::fbp::{self, ClientId, UploadId, UploadStep};
use super::introduction::{Descriptors, Introduction};
use super::model::build::Build;
use super::model::device::Device;
use super::request::{Failure, Request};
use super::session::{self, Notice, Session};
use super::view::{BoardState, Firmware};

/// The time, on both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// For time limits.
    pub monotonic: Instant,
    /// Milliseconds since 1970, for what people see.
    pub unix_millis: u64,
}

/// To a client.
#[derive(Clone, Debug, PartialEq)]
pub enum ToClient {
    /// A JSON message.
    Text(Arc<str>),
    /// Whole frames of the raw protocol.
    Binary(Vec<u8>),
}

/// What the board's loop has to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Write these bytes to the port.
    Transmit(Vec<u8>),
    /// Change the line's baud rate.
    SetBaud(u32),
    /// Send this to a client.
    Send(ClientId, ToClient),
    /// How far an upload is.
    Upload(UploadId, UploadStep),
    /// Something that has happened to the board, for the log.
    Log(String),
    /// The board's state or firmware has changed.
    State(BoardState, String, Option<Firmware>),
    /// The board has said who it is. It is not up before [`Board::recognized`] or [`Board::not_recognized`].
    Introduction(Box<Introduction>),
    /// What [`Board::store`] began has ended.
    Stored(Result<(), OwnChangeError>),
}

/// A board that is attached, with or without an open port.
pub struct Board {
    runtime: fbp::Runtime,
    raw: RawClients,
    session: Option<Session>,
    bauds: Vec<u32>,
    has_library: bool,
    /// What was saved of the board and could not be read with what is known of its firmware so far.
    unread: Option<String>,
    /// What it said of itself last, once that was answered.
    introduction: Box<Introduction>,
    /// What boards have said of their firmware before.
    known: Descriptors,
    /// What it is storing, and the number of the next request for that.
    writing: Option<Writing>,
    next_write: u64,
    /// It has answered since the port was opened.
    was_up: bool,
    outputs: VecDeque<Output>,
}

impl Board {
    /// A board with its runtime; the port is not open yet.
    pub fn new(identity: fbp::Identity, build: Option<Build>) -> Self {
        let has_library = build.is_some();
        Board {
            runtime: fbp::Runtime::new(identity, build),
            raw: RawClients::default(),
            session: None,
            bauds: Vec::new(),
            has_library,
            unread: None,
            introduction: Box::default(),
            known: Descriptors::default(),
            writing: None,
            next_write: 0,
            was_up: false,
            outputs: VecDeque::new(),
        }
    }

    /// Changes the label that clients see.
    pub fn set_label(&mut self, label: String) {
        self.runtime.set_label(label);
    }

    /// Says what the board's firmware is made of.
    pub fn set_build(&mut self, build: Option<Build>) {
        self.has_library = build.is_some();
        self.runtime.set_build(build);
        if let Some(firmware) = self.firmware() {
            self.say(BoardState::Ready, reasons::ready(firmware, self.has_library));
        }
    }

    /// Whether the board is to get back, after a start, the graph that it had before.
    pub fn set_restore(&mut self, restore: bool) {
        self.runtime.set_restore(restore);
    }

    /// Takes up what was saved of the board, before its port is opened. What cannot be read yet is tried again when the board has
    /// said what its firmware is made of.
    pub fn load(&mut self, saved: String) {
        if !self.runtime.load(&saved) {
            self.unread = Some(saved);
        }
    }

    /// Whether [`Board::take_saved`] may have something.
    pub fn is_touched(&self) -> bool {
        self.runtime.is_touched()
    }

    /// Whether it must be saved at once.
    pub fn is_exposed(&self) -> bool {
        self.runtime.is_exposed()
    }

    /// What is to be saved of the board, if that has changed since the last time.
    pub fn take_saved(&mut self) -> Option<String> {
        let firmware = self.firmware();
        self.runtime.take_saved(firmware)
    }

    /// Puts a graph in FBP's JSON format in place of the board's.
    pub fn upload(&mut self, id: UploadId, graph: &Value, start: bool, now: Now) {
        self.runtime.upload(id, graph, start, now.unix_millis);
    }

    /// The port was opened.
    pub fn port_opened(&mut self, mut config: session::Config, now: Now) {
        config.left = self.runtime.left().or(config.left);
        self.bauds.clone_from(&config.bauds);
        self.was_up = false;
        let state = if config.boot_window.is_zero() {
            (BoardState::Handshaking, reasons::handshaking(&self.bauds))
        } else {
            (BoardState::Booting, reasons::booting())
        };
        self.session =
            Some(Session::new(config, now.monotonic).knowing(self.known.clone()).after((*self.introduction).clone()));
        self.say(state.0, state.1);
    }

    /// The port was closed; the loop says the state. Open requests fail.
    pub fn port_closed(&mut self, why: &str, now: Now) {
        let Some(mut session) = self.session.take() else { return };
        session.close();
        while let Some(output) = session.poll() {
            if let session::Output::Notice(Notice::Done(ticket, outcome)) = output {
                self.done(ticket, outcome, now);
            }
        }
        if let Some(writing) = self.writing.take() {
            self.stored(&writing, Err(OwnChangeError::NotReady));
        }
        self.runtime.board_down(why, now.unix_millis);
    }

    /// A client has connected that speaks FBP.
    pub fn connect_fbp(&mut self, client: ClientId) {
        self.runtime.connect(client);
    }

    /// A client has connected that speaks the binary protocol. False while the board is not ready: there is no dialect to speak.
    pub fn connect_raw(&mut self, client: ClientId) -> bool {
        let Some(firmware) = self.firmware() else { return false };
        self.raw.connect(client, firmware.dialect);
        true
    }

    /// A client is gone; what it had asked is done all the same.
    pub fn disconnect(&mut self, client: ClientId) {
        self.runtime.disconnect(client);
        self.raw.disconnect(client);
    }

    /// A JSON message.
    pub fn handle_text(&mut self, client: ClientId, text: &str, now: Now) {
        self.runtime.handle_text(client, text, now.unix_millis);
        self.forward_requests(now);
    }

    /// Raw bytes from a client.
    pub fn handle_binary(&mut self, client: ClientId, bytes: &[u8], now: Now) {
        let requests = self.raw.handle_bytes(client, bytes, &mut self.runtime);
        self.submit_raw(requests, now);
    }

    /// Bytes from the board.
    pub fn handle_bytes(&mut self, bytes: &[u8], now: Now) {
        if let Some(session) = &mut self.session {
            session.handle_bytes(bytes, now.monotonic);
        }
    }

    /// Time has passed.
    pub fn handle_time(&mut self, now: Now) {
        if let Some(session) = &mut self.session
            && session.wake_at() <= now.monotonic
        {
            session.handle_time(now.monotonic);
        }
    }

    /// When [`Board::handle_time`] is due.
    pub fn wake_at(&self) -> Option<Instant> {
        self.session.as_ref().map(Session::wake_at)
    }

    /// How many commands wait for the wire or for earlier ones. Take no more from clients while this is high.
    pub fn waiting(&self) -> usize {
        self.session.as_ref().map_or(0, Session::waiting) + self.raw.held()
    }

    /// How the board is spoken to, while it is ready.
    pub fn firmware(&self) -> Option<Firmware> {
        self.session.as_ref().and_then(Session::firmware)
    }

    /// The mirror of what is on the board.
    pub fn device(&self) -> &Device {
        self.runtime.device()
    }

    /// The graph as clients see it, in FBP's JSON format.
    pub fn graph_json(&self) -> Value {
        self.runtime.graph_json()
    }

    /// Whether the board has answered since its port was opened.
    pub fn was_up(&self) -> bool {
        self.was_up
    }

    /// The next thing to do; call until `None` after every change.
    pub fn poll(&mut self, now: Now) -> Option<Output> {
        loop {
            if let Some(output) = self.outputs.pop_front() {
                return Some(output);
            }
            let output = self.session.as_mut().and_then(Session::poll);
            match output {
                Some(session::Output::Transmit(bytes)) => return Some(Output::Transmit(bytes)),
                Some(session::Output::SetBaud(baud)) => return Some(Output::SetBaud(baud)),
                Some(session::Output::Notice(notice)) => self.notice(notice, now),
                None => {
                    self.forward_requests(now);
                    let nothing_new = self.outputs.is_empty() && !self.session_has_output();
                    if nothing_new {
                        return self.raw.poll().map(|(client, bytes)| Output::Send(client, ToClient::Binary(bytes)));
                    }
                }
            }
        }
    }

    fn session_has_output(&self) -> bool {
        self.session.as_ref().is_some_and(Session::has_output)
    }

    /// Moves what the runtime has to say to the session and to the outputs.
    fn forward_requests(&mut self, now: Now) {
        while let Some(output) = self.runtime.poll() {
            match output {
                fbp::Output::Send { to, text } => self.outputs.push_back(Output::Send(to, ToClient::Text(text))),
                fbp::Output::Request(request) => self.submit(request, now),
                fbp::Output::Log(text) => self.outputs.push_back(Output::Log(text)),
                fbp::Output::Renumbered => self.raw.graph_lost(),
                fbp::Output::Upload(id, step) => self.outputs.push_back(Output::Upload(id, step)),
            }
        }
    }

    /// Raw requests were judged by what the board will be after all that FBP clients have asked for, so they come after it.
    fn submit_raw(&mut self, requests: Vec<Request>, now: Now) {
        self.forward_requests(now);
        for request in requests {
            self.submit(request, now);
        }
    }

    /// Every request ends once, also where there is no port.
    fn submit(&mut self, request: Request, now: Now) {
        match &mut self.session {
            Some(session) => session.submit(request, now.monotonic),
            None => self.done(request.ticket, Err(Failure::Gone), now),
        }
    }

    fn say(&mut self, state: BoardState, reason: String) {
        self.outputs.push_back(Output::State(state, reason, self.firmware()));
    }
}
