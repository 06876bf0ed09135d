//! A raw client's virtual session: it speaks the board's binary protocol as if it were alone with the board.
//!
//! Magic and `End` are answered here, so that one client never closes the board's real session under another.
//! Bytes may come in any chunking; part of a frame dies with its client and never reaches the board.

use firmware_proto::{
    Body, Command, DebugLevel, DebugPoint, Dialect, Event, Frame, Framed, Framing, Message, Response,
};

/// What a raw client's bytes amount to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RawInput {
    /// Answered here: send this back.
    Reply(Frame),
    /// For the board. The answer goes back with that request id (0 in the 8-byte dialect).
    Command {
        /// The client's own request id.
        request_id: u8,
        /// What it asks.
        command: Command,
    },
}

/// One raw client.
#[derive(Clone, Debug)]
pub struct RawSession {
    framing: Framing,
}

impl RawSession {
    /// A client of a board that speaks `dialect`; its session is closed until it sends the magic.
    pub fn new(dialect: Dialect) -> Self {
        RawSession { framing: Framing::new(dialect) }
    }

    /// The dialect.
    pub fn dialect(&self) -> Dialect {
        self.framing.dialect()
    }

    /// Whether the client has opened its session.
    pub fn is_open(&self) -> bool {
        self.framing.in_session()
    }

    /// Takes one byte.
    pub fn feed(&mut self, byte: u8) -> Option<RawInput> {
        match self.framing.feed(byte)? {
            Framed::Magic { request_id } => {
                Some(RawInput::Reply(self.respond(request_id, Response::CommunicationOpen)))
            }
            Framed::Mismatch => Some(RawInput::Reply(self.debug(DebugPoint::MagicMismatch))),
            Framed::Resumed => Some(RawInput::Reply(self.debug(DebugPoint::ParserInvalidState))),
            Framed::Command { request_id, command: Command::End } => {
                Some(RawInput::Reply(self.respond(request_id, Response::TransmissionEnded)))
            }
            Framed::Command { request_id, command } => Some(RawInput::Command { request_id, command }),
        }
    }

    /// A response in the client's own numbering.
    pub fn respond(&self, request_id: u8, response: Response) -> Frame {
        let request_id = if self.dialect() == Dialect::Microflo1 { request_id } else { 0 };
        Message { request_id, body: Body::Response(response) }.encode(self.dialect())
    }

    /// An event.
    pub fn event(&self, event: Event) -> Frame {
        Message { request_id: 0, body: Body::Event(event) }.encode(self.dialect())
    }

    /// A refusal: `Error` where the dialect has it, else a debug message.
    pub fn refuse(&self, request_id: u8, point: DebugPoint) -> Frame {
        match self.dialect() {
            Dialect::Microflo1 => self.respond(request_id, Response::Error(point)),
            Dialect::Flo01 => self.debug(DebugPoint::ParserInvalidCommand),
        }
    }

    /// A debug message of level error.
    pub fn debug(&self, point: DebugPoint) -> Frame {
        self.event(Event::Debug { level: DebugLevel::Error as u8, point })
    }

    /// The board has restarted: the client hears that as it would on the wire, and must open its session again.
    pub fn restarted(&mut self, boot: &[Response]) -> Vec<u8> {
        self.framing = Framing::new(self.dialect());
        let responses = std::iter::once(&Response::CommunicationOpen).chain(boot);
        responses.zip(1u8..).flat_map(|(response, id)| self.respond(id, *response).as_bytes().to_vec()).collect()
    }
}
