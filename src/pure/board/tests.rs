//! FBP and raw clients on one board, and what goes over the wire in which order.

use std::time::Instant;

use firmware_proto::{Body, Command, Dialect, Edge, Event, Framed, Framing, Message, Packet, PortRef, Response};
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::pure::introduction::BoardMemory;
use crate::pure::model::library::Library;

const EDITOR: ClientId = ClientId(1);
const RAW: ClientId = ClientId(2);
const SECRET: &str = "s3cret";
const NOWHERE: PortRef = PortRef { node: 40, port: 0 };

/// An 8-byte board that answers when it is told to, all at once.
struct Bench {
    board: Board,
    now: Now,
    framing: Framing,
    /// Commands that it has not answered.
    waiting: Vec<Command>,
    carried_out: Vec<Command>,
    nodes: u8,
}

impl Bench {
    fn new() -> Bench {
        let identity =
            fbp::Identity { id: Uuid::nil(), label: "board".into(), secret: SECRET.into(), read_secret: String::new() };
        let library = Library::from_json(include_str!("../../../tests/fbp/components.json")).unwrap();
        let mut board = Board::new(identity, Some(Build::of(library, "a test")));
        let now = Now { monotonic: Instant::now(), unix_millis: 0 };
        let config = session::Config { bauds: vec![9600], dialect: Some(Dialect::Flo01), ..session::Config::default() };
        board.port_opened(config, now);
        board.handle_time(now);
        let (waiting, carried_out) = (Vec::new(), Vec::new());
        let mut bench = Bench { board, now, framing: Framing::new(Dialect::Flo01), waiting, carried_out, nodes: 0 };
        bench.collect();
        while !bench.waiting.is_empty() {
            bench.answer();
        }
        assert!(bench.board.firmware().is_some());
        bench.board.connect_fbp(EDITOR);
        assert!(bench.board.connect_raw(RAW));
        bench.board.handle_binary(RAW, Dialect::Flo01.opening(0).as_bytes(), now);
        bench.say("graph:clear", json!({ "id": "main" }));
        bench.answer();
        bench
    }

    fn say(&mut self, what: &str, mut payload: serde_json::Value) {
        payload["graph"] = json!("main");
        let (protocol, command) = what.split_once(':').unwrap();
        let message = json!({ "protocol": protocol, "command": command, "payload": payload, "secret": SECRET });
        self.board.handle_text(EDITOR, &message.to_string(), self.now);
        self.collect();
    }

    fn raw(&mut self, commands: &[Command]) {
        let bytes = commands.iter().flat_map(|it| it.encode(Dialect::Flo01, 0).as_bytes().to_vec());
        self.board.handle_binary(RAW, &bytes.collect::<Vec<_>>(), self.now);
        self.collect();
    }

    fn collect(&mut self) {
        while let Some(output) = self.board.poll(self.now) {
            let Output::Transmit(bytes) = output else { continue };
            for byte in bytes {
                let Some(framed) = self.framing.feed(byte) else { continue };
                match framed {
                    Framed::Command { command, .. } => self.waiting.push(command),
                    Framed::Magic { .. } => self.hear(&[Response::CommunicationOpen]),
                    other => panic!("{other:?}"),
                }
            }
        }
    }

    /// The board answers all that waits, in one piece.
    fn answer(&mut self) {
        let mut commands = std::mem::take(&mut self.waiting);
        // Built without debug messages, stock firmware says nothing to that.
        commands.retain(|command| !matches!(command, Command::Describe(_)));
        let responses: Vec<Response> = commands.iter().map(|command| self.carry_out(command)).collect();
        self.carried_out.extend(commands);
        self.hear(&responses);
        self.collect();
    }

    fn carry_out(&mut self, command: &Command) -> Response {
        match *command {
            Command::ClearNodes => {
                self.nodes = 0;
                Response::NodesCleared
            }
            Command::CreateComponent { component, parent } => {
                self.nodes += 1;
                Response::NodeAdded { component, node: self.nodes, parent }
            }
            Command::SendPacket { target, packet } => {
                assert!(target.node <= self.nodes, "a packet to node {}, of which firmware dies", target.node);
                Response::SendPacketDone { target, kind: packet.kind() }
            }
            Command::ConnectNodes(edge) => Response::NodesConnected(edge),
            Command::DisconnectNodes(edge) => Response::NodesDisconnected(edge),
            Command::StartNetwork => Response::NetworkStarted,
            Command::StopNetwork => Response::NetworkStopped,
            Command::SubscribeToPort { port, enable } => Response::PortSubscriptionChanged { port, enabled: enable },
            Command::Ping(payload) => Response::Pong(payload),
            _ => panic!("{command:?}"),
        }
    }

    fn hear(&mut self, responses: &[Response]) {
        let frames = responses.iter().map(|it| Message { request_id: 0, body: Body::Response(*it) });
        let bytes: Vec<u8> = frames.flat_map(|it| it.encode(Dialect::Flo01).as_bytes().to_vec()).collect();
        self.board.handle_bytes(&bytes, self.now);
    }
}

/// A network that runs, with an initial packet at its only node.
fn running() -> Bench {
    let mut bench = Bench::new();
    bench.say("graph:addnode", json!({ "id": "a", "component": "Forward" }));
    bench.answer();
    bench.say("graph:addinitial", json!({ "src": { "data": 1 }, "tgt": { "node": "a", "port": "in" } }));
    bench.answer();
    bench.say("network:start", json!({}));
    while !bench.waiting.is_empty() {
        bench.answer();
    }
    bench.carried_out.clear();
    bench
}

#[test]
fn a_raw_clear_does_not_come_between_the_steps_of_an_edit() {
    let mut bench = running();
    // Stop; then, answered together, what was judged before a clear and the clear itself.
    bench.say("graph:addnode", json!({ "id": "b", "component": "Forward" }));
    bench.raw(&[Command::Ping([1; 8]), Command::ClearNodes]);
    while !bench.waiting.is_empty() {
        bench.answer();
    }
    let at = |wanted: Command| bench.carried_out.iter().position(|command| *command == wanted).unwrap();
    assert!(at(Command::StartNetwork) < at(Command::ClearNodes), "{:?}", bench.carried_out);
    assert!(bench.board.device().nodes().is_empty());
    assert_eq!(bench.board.graph_json()["processes"], json!({}));
}

#[test]
fn a_raw_clear_comes_after_what_was_judged_before_it() {
    let mut bench = running();
    // Both in one read: the raw ping's answer lets the held clear go, the other lets an initial packet go that waited.
    bench.say("network:stop", json!({}));
    bench.say("graph:addinitial", json!({ "src": { "data": 2 }, "tgt": { "node": "a", "port": "in" } }));
    bench.raw(&[
        Command::Ping([1; 8]),
        Command::SendPacket { target: NOWHERE, packet: Packet::Void },
        Command::ClearNodes,
    ]);
    while !bench.waiting.is_empty() {
        bench.answer();
    }
    assert!(bench.carried_out.contains(&Command::ClearNodes));
}

/// Three nodes, and the edges from the first to the others.
fn three_nodes() -> (Bench, [Edge; 2]) {
    let mut bench = Bench::new();
    for name in ["a", "b", "c"] {
        bench.say("graph:addnode", json!({ "id": name, "component": "Forward" }));
        bench.answer();
    }
    let port = |node| PortRef { node, port: 0 };
    (bench, [2, 3].map(|node| Edge { src: port(1), tgt: port(node) }))
}

fn add_edge(bench: &mut Bench, tgt: &str) {
    let port = |node: &str, port: &str| json!({ "node": node, "port": port });
    bench.say("graph:addedge", json!({ "src": port("a", "out"), "tgt": port(tgt, "in") }));
}

#[test]
fn an_fbp_clients_edge_is_not_lost_by_a_raw_clients_earlier_one() {
    let (mut bench, [to_b, to_c]) = three_nodes();
    bench.raw(&[Command::ConnectNodes(to_c), Command::DisconnectNodes(to_c)]);
    add_edge(&mut bench, "b");
    while !bench.waiting.is_empty() {
        bench.answer();
    }
    assert!(bench.carried_out.ends_with(&[
        Command::ConnectNodes(to_c),
        Command::DisconnectNodes(to_c),
        Command::ConnectNodes(to_b)
    ]));
    assert_eq!(bench.board.graph_json()["connections"][0]["tgt"]["process"], "b");
}

#[test]
fn both_kinds_of_client_get_their_turns() {
    let (mut bench, [to_b, to_c]) = three_nodes();
    add_edge(&mut bench, "b");
    bench.raw(&[Command::DisconnectNodes(to_b), Command::ConnectNodes(to_c), Command::DisconnectNodes(to_c)]);
    add_edge(&mut bench, "c");
    add_edge(&mut bench, "b");
    assert_eq!(bench.waiting, [Command::ConnectNodes(to_b)], "one at a time");
    while !bench.waiting.is_empty() {
        bench.answer();
    }
    assert_eq!(bench.board.waiting(), 0);
    let edges = bench.board.graph_json()["connections"].as_array().unwrap().len();
    assert_eq!(edges, bench.board.device().edges().len());
}

#[test]
fn a_raw_client_hears_nothing_of_what_the_bridge_asks_the_board() {
    let mut bench = Bench::new();
    while bench.board.poll(bench.now).is_some() {}
    let added = Response::NodeAdded { component: 11, node: 1, parent: 0 };
    let boot = [Response::CommunicationOpen, Response::NodesCleared, added, Response::NetworkStarted];
    bench.hear(&boot);
    bench.hear(&[Response::TransmissionEnded]);
    let (mut raw, mut asked) = (Vec::new(), 0);
    for _ in 0..20 {
        let mut answers = Vec::new();
        while let Some(output) = bench.board.poll(bench.now) {
            match output {
                Output::Send(RAW, ToClient::Binary(bytes)) => raw.extend(bytes),
                Output::Transmit(bytes) => {
                    answers.extend(bytes.iter().filter_map(|byte| bench.framing.feed(*byte)).filter_map(
                        |it| match it {
                            Framed::Magic { .. } => Some(Body::Response(Response::CommunicationOpen)),
                            Framed::Command { command: Command::Ping(_), .. } => {
                                Some(Body::Response(Response::Pong([0; 8])))
                            }
                            Framed::Command { command: Command::Describe(_), .. } => {
                                asked += 1;
                                let point = firmware_proto::DebugPoint::ParserUnknownCommand;
                                Some(Body::Event(Event::Debug { level: 1, point }))
                            }
                            _ => None,
                        },
                    ));
                }
                _ => {}
            }
        }
        let frames = answers.iter().map(|body| Message { request_id: 0, body: *body }.encode(Dialect::Flo01));
        let bytes: Vec<u8> = frames.flat_map(|frame| frame.as_bytes().to_vec()).collect();
        bench.board.handle_bytes(&bytes, bench.now);
        if bytes.is_empty() && bench.board.firmware().is_none() {
            bench.now.monotonic = bench.board.wake_at().unwrap().max(bench.now.monotonic);
            bench.board.handle_time(bench.now);
        }
    }
    assert!(bench.board.firmware().is_some());
    assert_eq!(asked, 1);
    let heard: Vec<u8> = raw.chunks(Dialect::Flo01.frame_len()).map(|frame| frame[0]).collect();
    assert_eq!(heard, [19, 115, 101, 104, 111], "its boot, and nothing else");
}

#[test]
fn a_label_alone_is_not_written_over_a_record_that_cannot_be_read() {
    let said = Introduction { memory: BoardMemory::There, unread: true, ..Introduction::default() };
    let change = |id, label: Option<&str>| OwnChange { id, label: label.map(str::to_owned) };
    let error = Writing::new(&said, &change(None, Some("Gate")), 0).unwrap_err();
    assert_eq!(error, OwnChangeError::Unreadable);
    assert!(error.to_string().contains("give it an id first"), "{error}");
    // The id that it told before may be what is to be stored anew.
    let id = Some(Uuid::from_u128(7));
    let said = Introduction { id, ..said };
    assert!(Writing::new(&said, &change(id, None), 0).unwrap().is_some());
    let said = Introduction { unread: false, ..said };
    assert!(Writing::new(&said, &change(id, None), 0).unwrap().is_none());
}
