//! The firmware: the parser in front of the network, and the boot.

use firmware_proto::board_side::{Answer, Board, Parser};
use firmware_proto::descriptor::{Query, Reply};
use firmware_proto::{Body, Command, DebugLevel, DebugPoint, Dialect, Message, Packet, Response};

use super::component::Pins;
use super::config::Config;
use super::crash::Crash;
use super::described::Described;
use super::network::{Done, Graph, Network};

/// The level that upstream puts into embedded graphs.
const BOOT_DEBUG_LEVEL: u8 = DebugLevel::Error as u8;

/// Firmware from its reset to its crash, without the time between loops.
pub(super) struct Firmware {
    parser: Parser,
    engine: Engine,
}

/// What executes commands.
struct Engine {
    dialect: Dialect,
    network: Network,
    described: Option<Described>,
    now_ms: u32,
    crashed: Option<Crash>,
}

impl Firmware {
    /// Firmware just after its reset.
    pub(super) fn new(config: &Config) -> Self {
        let dialect = config.dialect;
        let network = Network::new(config);
        let described = config.described.clone();
        Firmware {
            parser: Parser::new(dialect),
            engine: Engine { dialect, network, described, now_ms: 0, crashed: None },
        }
    }

    /// Runs an embedded graph through the parser, as firmware does before its first loop: appends the answers to `out`.
    pub(super) fn boot(&mut self, graph: &[Command], out: &mut Vec<u8>) {
        let dialect = self.engine.dialect;
        let before: &[Command] = match dialect {
            Dialect::Flo01 => &[Command::ClearNodes],
            Dialect::Microflo1 => &[Command::StopNetwork, Command::ClearNodes],
        };
        let debug = Command::ConfigureDebug { level: BOOT_DEBUG_LEVEL };
        let after = [Command::StartNetwork, Command::End];
        let commands = before.iter().chain([&debug]).chain(graph).chain(&after);
        let frames = commands.zip(2_u8..).map(|(command, request_id)| command.encode(dialect, request_id));
        for frame in std::iter::once(dialect.opening(1)).chain(frames) {
            frame.as_bytes().iter().for_each(|byte| self.feed(*byte, 0, out));
        }
    }

    /// Takes one byte; appends what is said because of it to `out`.
    pub(super) fn feed(&mut self, byte: u8, now_ms: u32, out: &mut Vec<u8>) {
        if self.crashed().is_some() {
            return;
        }
        self.engine.now_ms = now_ms;
        let answer = self.parser.feed(byte, &mut self.engine);
        self.send_events(out);
        if let (Some(frame), None) = (answer, self.crashed()) {
            out.extend_from_slice(frame.as_bytes());
        }
    }

    /// One tick of the network; appends what is said to `out`.
    pub(super) fn tick(&mut self, now_ms: u32, out: &mut Vec<u8>) {
        if self.crashed().is_none() {
            self.engine.crashed = self.engine.network.tick(now_ms).err();
            self.send_events(out);
        }
    }

    /// In how many milliseconds a tick does something.
    pub(super) fn due_in(&self, now_ms: u32) -> Option<u32> {
        self.engine.network.due_in(now_ms)
    }

    /// Why it is silent, if it is.
    pub(super) fn crashed(&self) -> Option<Crash> {
        self.engine.crashed
    }

    /// Whether a session is open.
    pub(super) fn in_session(&self) -> bool {
        self.parser.in_session()
    }

    /// What is on the board.
    pub(super) fn graph(&self) -> Graph {
        self.engine.network.graph()
    }

    /// Packets lost because the message queue wrapped.
    pub(super) fn lost_packets(&self) -> u64 {
        self.engine.network.lost_packets()
    }

    /// The pins.
    pub(super) fn pins(&mut self) -> &mut Pins {
        &mut self.engine.network.pins
    }

    fn send_events(&mut self, out: &mut Vec<u8>) {
        for event in self.engine.network.events.drain(..) {
            let message = Message { request_id: 0, body: Body::Event(event) };
            out.extend_from_slice(message.encode(self.engine.dialect).as_bytes());
        }
    }
}

impl Board for Engine {
    fn execute(&mut self, command: Command) -> Answer {
        self.try_execute(command).unwrap_or_else(|crash| {
            self.crashed = Some(crash);
            // Never sent: a crashed board is silent.
            Answer::RefusedSilently(DebugPoint::NotSupported)
        })
    }

    fn describe(&mut self, query: Query) -> Option<Reply> {
        self.described.as_ref().map(|described| described.answer(query))
    }

    fn trace(&mut self, level: DebugLevel, point: DebugPoint) {
        self.network.debug(level, point);
    }
}

impl Engine {
    fn try_execute(&mut self, command: Command) -> Result<Answer, Crash> {
        let network = &mut self.network;
        let checked = |done: Result<(), DebugPoint>, response| match done {
            Ok(()) => Answer::Done(response),
            Err(point) => Answer::Refused(point),
        };
        let alive = |done: Done, response| Ok(checked(done?, response));
        Ok(match command {
            Command::ClearNodes => {
                network.clear();
                Answer::Done(Response::NodesCleared)
            }
            Command::CreateComponent { component, parent } => match network.add(component, parent)? {
                Ok(node) => Answer::Done(Response::NodeAdded { component, node, parent }),
                Err(point) => Answer::Refused(point),
            },
            Command::RemoveNode { node } => checked(network.remove(node), Response::NodeRemoved { node }),
            Command::ConnectNodes(edge) => alive(network.connect(edge), Response::NodesConnected(edge))?,
            Command::DisconnectNodes(edge) => alive(network.disconnect(edge), Response::NodesDisconnected(edge))?,
            Command::ConnectSubgraphPort { subgraph, child, .. } => {
                alive(network.connect_subgraph(subgraph.node, child.node), Response::SubgraphPortConnected([0; 8]))?
            }
            Command::SendPacket { target, packet } => self.send_packet(target, packet),
            Command::SubscribeToPort { port, enable } => {
                let response = Response::PortSubscriptionChanged { port, enabled: enable };
                checked(network.subscribe(port, enable), response)
            }
            Command::ConfigureDebug { level } => {
                network.configure_debug(level);
                Answer::Done(Response::DebugChanged { level })
            }
            Command::StartNetwork => {
                network.start(self.now_ms);
                Answer::Done(Response::NetworkStarted)
            }
            Command::StopNetwork => {
                network.stop();
                Answer::Done(Response::NetworkStopped)
            }
            Command::GetNetworkStatus => Answer::Done(Response::NetworkStatus { running: network.running() }),
            Command::SetIoValue(_) => Answer::RefusedSilently(DebugPoint::IoOperationNotImplemented),
            Command::End | Command::Ping(_) | Command::Describe(_) | Command::Unknown { .. } => {
                Answer::RefusedSilently(DebugPoint::ParserUnknownCommand)
            }
        })
    }

    fn send_packet(&mut self, target: firmware_proto::PortRef, sent: Packet) -> Answer {
        let packet = received(sent);
        let queued = self.network.send_to(target, packet);
        match (queued, self.dialect) {
            (Ok(()), Dialect::Microflo1) => Answer::Done(Response::SendPacketDone { target, kind: packet.kind() }),
            (Err(point), Dialect::Microflo1) => Answer::Refused(point),
            // This dialect echoes the type even where it could not carry it, and says "done" even if it was not.
            (queued, Dialect::Flo01) => {
                if let Err(point) = queued {
                    self.network.debug(DebugLevel::Error, point);
                }
                Answer::Done(Response::SendPacketDone { target, kind: sent.kind() })
            }
        }
    }
}

/// A packet as firmware reads it: what it cannot carry becomes `Void`.
fn received(packet: Packet) -> Packet {
    let data = packet.data();
    match packet.kind() {
        4 => Packet::Byte(data[0]),
        6 => Packet::Boolean(data[0] != 0),
        7 => Packet::Integer(i32::from_le_bytes(data)),
        9 => Packet::BracketStart,
        10 => Packet::BracketEnd,
        11 => Packet::Error(data[0]),
        _ => Packet::Void,
    }
}
