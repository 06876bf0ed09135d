//! The board's own terminal, without any bridge between.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use firmware_proto::limits::SAFE_NODES;
use firmware_proto::{Body, Command, DebugPoint, Decoded, Decoder, Dialect, Edge, Event, Packet, PortRef, Response};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::world::Kind;
use crate::lossy_line::raw_terminal;
use crate::support::PATIENCE;

const DIALECT: Dialect = Dialect::Flo01;

/// What a node sends comes within this time, on a busy machine as well.
const QUIET: Duration = Duration::from_millis(500);

/// A session with the board.
pub(super) struct Terminal {
    file: File,
    decoder: Decoder,
    bytes: Vec<u8>,
    /// That came since somebody looked.
    packets: Vec<Packet>,
}

impl Terminal {
    /// Joins the session that somebody left open.
    pub(super) fn join(link: &Path) -> Terminal {
        let decoder = Decoder::aligned(DIALECT);
        let mut terminal = Terminal { file: raw_terminal(link), decoder, bytes: Vec::new(), packets: Vec::new() };
        terminal.file.write_all(DIALECT.opening(0).as_bytes()).unwrap();
        while terminal.answer() != Ok(Response::CommunicationOpen) {}
        terminal
    }

    /// The ids that the board has, each with the number of its out ports.
    pub(super) fn nodes(&mut self) -> Vec<(u8, u8)> {
        let ids = 1..=u8::try_from(SAFE_NODES).unwrap();
        ids.filter_map(|id| self.out_ports(id).map(|ports| (id, ports))).collect()
    }

    fn out_ports(&mut self, node: u8) -> Option<u8> {
        for port in 0.. {
            match self.ask(Command::SubscribeToPort { port: PortRef { node, port }, enable: false }) {
                Ok(_) => {}
                Err(DebugPoint::SubscribePortInvalidPort) => return Some(port),
                Err(DebugPoint::SubscribePortInvalidNode) => break,
                Err(point) => panic!("node {node}: {point:?}"),
            }
        }
        None
    }

    /// What these nodes are, by what they make of `true`. Afterwards they have no edges any more.
    pub(super) fn components(&mut self, nodes: &[(u8, u8)]) -> Vec<&'static str> {
        for (node, ports) in nodes {
            for src in (0..*ports).map(|port| PortRef { node: *node, port }) {
                // Firmware looks at the out port only.
                self.ask(Command::DisconnectNodes(Edge { src, tgt: PortRef { node: *node, port: 0 } })).unwrap();
            }
        }
        self.ask(Command::StartNetwork).unwrap();
        nodes.iter().map(|(node, ports)| self.component(*node, *ports)).collect()
    }

    fn component(&mut self, node: u8, ports: u8) -> &'static str {
        let (target, out) = (PortRef { node, port: 0 }, PortRef { node, port: 0 });
        self.ask(Command::SubscribeToPort { port: out, enable: true }).unwrap();
        self.packets.clear();
        for _ in 0..2 {
            self.ask(Command::SendPacket { target, packet: Packet::Boolean(true) }).unwrap();
        }
        let sent = self.two_packets(Instant::now() + QUIET);
        self.ask(Command::SubscribeToPort { port: out, enable: false }).unwrap();
        match sent[..] {
            [Packet::Boolean(true), Packet::Boolean(true)] if usize::from(ports) == Kind::of("Split").outs.len() => {
                "Split"
            }
            [Packet::Boolean(true), Packet::Boolean(true)] => "Forward",
            [Packet::Boolean(false), Packet::Boolean(false)] => "InvertBoolean",
            [Packet::Boolean(first), Packet::Boolean(second)] if first != second => "ToggleBoolean",
            [Packet::Integer(1), Packet::Integer(1)] => "BoolToInt",
            [Packet::Integer(first), Packet::Integer(second)] if second == first + 1 => "Count",
            [] => "Timer",
            [Packet::Void, ..] => "Timer",
            ref sent => panic!("node {node} sends {sent:?}"),
        }
    }

    fn ask(&mut self, command: Command) -> Result<Response, DebugPoint> {
        self.file.write_all(command.encode(DIALECT, 0).as_bytes()).unwrap();
        self.answer()
    }

    fn answer(&mut self) -> Result<Response, DebugPoint> {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.next(until).expect("the board answers") {
                Body::Response(response) => return Ok(response),
                Body::Event(Event::Debug { point, .. }) => return Err(point),
                Body::Event(_) => {}
            }
        }
    }

    fn two_packets(&mut self, until: Instant) -> Vec<Packet> {
        while self.packets.len() < 2 && self.next(until).is_some() {}
        std::mem::take(&mut self.packets)
    }

    fn next(&mut self, until: Instant) -> Option<Body> {
        loop {
            let mut rest = self.bytes.as_slice();
            let decoded = self.decoder.next(&mut rest);
            self.bytes = rest.to_vec();
            match decoded {
                Some(Decoded::Message(message)) => {
                    if let Body::Event(Event::PacketSent { packet, .. }) = message.body {
                        self.packets.push(packet);
                    }
                    return Some(message.body);
                }
                Some(Decoded::Misaligned) => panic!("the board sent half a frame"),
                None => self.bytes = self.read(until)?,
            }
        }
    }

    fn read(&mut self, until: Instant) -> Option<Vec<u8>> {
        let left = until.checked_duration_since(Instant::now())?;
        let left = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) };
        if poll(&mut [PollFd::new(&self.file, PollFlags::IN)], Some(&left)).unwrap() == 0 {
            return None;
        }
        let mut bytes = vec![0; 4096];
        let count = self.file.read(&mut bytes).unwrap();
        bytes.truncate(count);
        Some(bytes)
    }
}
