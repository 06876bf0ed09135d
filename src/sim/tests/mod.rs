//! Facts about the simulated board, told with a bench that jumps through time.

mod commands;
mod crashes;
mod described;
mod faults;
mod golden;
mod random;
mod shells;
mod timing;

use std::time::{Duration, Instant};

use firmware_proto::{Body, Command, Decoded, Decoder, Dialect, Edge, Event, Message, Packet, PortRef, Response};

use super::{Board, Config, component_id};

/// A host's request ids in these tests are all this one.
const REQUEST: u8 = 77;

/// A board, the time, and what the host heard so far.
struct Bench {
    board: Board,
    now: Instant,
    decoder: Decoder,
}

impl Bench {
    /// A board that has booted, without a session.
    fn new(config: Config) -> Self {
        let now = Instant::now();
        let decoder = Decoder::aligned(config.dialect);
        Bench { board: Board::new(config, now), now, decoder }
    }

    /// A board without an embedded graph, in session.
    fn open(config: Config) -> Self {
        let mut bench = Bench::new(Config { embedded: None, ..config });
        let magic = bench.dialect().opening(REQUEST);
        assert_eq!(bench.bodies(magic.as_bytes()), [Body::Response(Response::CommunicationOpen)]);
        bench
    }

    fn dialect(&self) -> Dialect {
        self.board.dialect()
    }

    /// What the board says without time passing, and as time passes.
    fn wait(&mut self, time: Duration) -> Vec<Message> {
        let end = self.now + time;
        let mut heard = Vec::new();
        loop {
            let bytes = self.board.poll(self.now).unwrap_or_default();
            self.decode(&bytes, &mut heard);
            match self.board.next_wake() {
                Some(wake) if wake <= end => self.now = self.now.max(wake),
                _ if self.now < end => self.now = end,
                _ => return heard,
            }
        }
    }

    fn decode(&mut self, mut bytes: &[u8], heard: &mut Vec<Message>) {
        while let Some(decoded) = self.decoder.next(&mut bytes) {
            if let Decoded::Message(message) = decoded {
                heard.push(message);
            }
        }
    }

    /// What the board says to these bytes within a moment.
    fn bodies(&mut self, bytes: &[u8]) -> Vec<Body> {
        self.board.receive(bytes, self.now);
        self.wait(MOMENT).into_iter().map(|message| message.body).collect()
    }

    fn send(&mut self, command: Command) -> Vec<Body> {
        let frame = command.encode(self.dialect(), REQUEST);
        self.bodies(frame.as_bytes())
    }

    /// Adds a node of that component; its id.
    fn node(&mut self, name: &str) -> u8 {
        let component = component_id(self.dialect(), name).expect("component");
        match self.send(Command::CreateComponent { component, parent: 0 })[..] {
            [Body::Response(Response::NodeAdded { node, .. })] => node,
            ref other => panic!("{other:?}"),
        }
    }

    fn connect(&mut self, src: (u8, u8), tgt: (u8, u8)) -> Vec<Body> {
        self.send(Command::ConnectNodes(edge(src, tgt)))
    }

    fn subscribe(&mut self, node: u8, port: u8) {
        self.send(Command::SubscribeToPort { port: PortRef { node, port }, enable: true });
    }

    /// Sends a packet; the packets reported because of it.
    fn packet(&mut self, node: u8, port: u8, packet: Packet) -> Vec<Packet> {
        packets(&self.send(Command::SendPacket { target: PortRef { node, port }, packet }))
    }
}

/// Time for a few rounds of the firmware's loop.
const MOMENT: Duration = Duration::from_millis(2);

fn edge((src, src_port): (u8, u8), (tgt, tgt_port): (u8, u8)) -> Edge {
    Edge { src: PortRef { node: src, port: src_port }, tgt: PortRef { node: tgt, port: tgt_port } }
}

/// The packets that events report.
fn packets(bodies: &[Body]) -> Vec<Packet> {
    let packet = |body: &Body| match body {
        Body::Event(Event::PacketSent { packet, .. }) => Some(*packet),
        _ => None,
    };
    bodies.iter().filter_map(packet).collect()
}
