//! Scripts against the board's half of the protocol, with time that jumps.

mod describing;
mod resume;
mod setbacks;

use std::time::{Duration, Instant};

use firmware_proto::board_side::{Answer, Board, Parser};
use firmware_proto::descriptor::serve::STORE_BYTES;
use firmware_proto::descriptor::{Firmware as Described, Identity, Query, Reply};
use firmware_proto::{Command, DebugPoint, Dialect, Event, Message, PacketTarget, PortRef, Response};

use super::config::NOISE_SHOWN_BYTES;
use super::*;
use crate::pure::introduction::Introduction;
use crate::pure::request::{Failure, Request, Ticket};

/// The engine behind the parser: gives node ids, refuses component 99.
#[derive(Default)]
struct Engine {
    nodes: u8,
    /// What a self-describing board has to say.
    story: Option<Story>,
    /// What it was asked of that.
    queries: Vec<Query>,
    /// How many answers of its own record get a bit flipped on the way.
    flips: usize,
}

struct Story {
    content: Vec<u8>,
    identity: Identity,
    memory: Option<[u8; STORE_BYTES]>,
}

impl Board for Engine {
    fn execute(&mut self, command: Command) -> Answer {
        Answer::Done(match command {
            Command::CreateComponent { component: 99, .. } => {
                return Answer::Refused(DebugPoint::AddNodeInvalidInstance);
            }
            Command::CreateComponent { component, parent } => {
                self.nodes += 1;
                Response::NodeAdded { component, node: self.nodes, parent }
            }
            Command::ClearNodes => {
                self.nodes = 0;
                Response::NodesCleared
            }
            Command::ConnectNodes(edge) => Response::NodesConnected(edge),
            Command::StartNetwork => Response::NetworkStarted,
            Command::StopNetwork => Response::NetworkStopped,
            Command::SetIoValue(_) => return Answer::RefusedSilently(DebugPoint::IoOperationNotImplemented),
            _ => return Answer::Refused(DebugPoint::NotSupported),
        })
    }

    fn describe(&mut self, query: Query) -> Option<Reply> {
        self.queries.push(query);
        let Story { content, identity, memory } = self.story.as_mut()?;
        let mut reply = Described::claiming(content, *identity).answer(query, memory.as_mut());
        if let Reply::Own { block: 2, bytes } = &mut reply
            && let Some(fewer) = self.flips.checked_sub(1)
        {
            self.flips = fewer;
            bytes[3] ^= 4;
        }
        Some(reply)
    }
}

/// A session, a board and the line between them.
struct Bench {
    session: Session,
    parser: Parser,
    engine: Engine,
    dialect: Dialect,
    now: Instant,
    /// The baud that the board runs at, and the line's.
    board_baud: u32,
    line_baud: u32,
    deaf_until: Instant,
    /// Bytes to swallow on the way to the board, and back.
    lose_to_board: usize,
    lose_to_host: usize,
    /// Events of a flooding board that come with every answer.
    flood: usize,
    /// Firmware that loses its session over a question that it does not know.
    chokes: bool,
    /// Firmware that restarts when it is asked what it says of itself.
    restarts: bool,
    notices: Vec<Notice>,
    /// What the board has said of itself.
    said: Vec<Introduction>,
    most_unanswered: usize,
    unanswered: usize,
}

const LATENCY: Duration = Duration::from_millis(1);

impl Bench {
    fn new(dialect: Dialect, config: Config) -> Self {
        let now = Instant::now();
        Bench {
            line_baud: config.bauds[0],
            session: Session::new(config, now),
            parser: Parser::new(dialect),
            engine: Engine::default(),
            dialect,
            now,
            board_baud: 9600,
            deaf_until: now,
            lose_to_board: 0,
            lose_to_host: 0,
            flood: 0,
            chokes: false,
            restarts: false,
            notices: Vec::new(),
            said: Vec::new(),
            most_unanswered: 0,
            unanswered: 0,
        }
    }

    /// The board answers for that long.
    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            if self.exchange() {
                continue;
            }
            let wake = self.session.wake_at();
            if wake > end {
                self.now = end;
                return;
            }
            self.now = self.now.max(wake);
            self.session.handle_time(self.now);
        }
    }

    /// What the session wants done now, and the board's answer to it. False if there is none.
    fn exchange(&mut self) -> bool {
        let mut reply = Vec::new();
        while let Some(output) = self.session.poll() {
            match output {
                Output::Transmit(bytes) => reply.extend(self.board_hears(&bytes)),
                Output::SetBaud(baud) => self.line_baud = baud,
                Output::Notice(Notice::Introduction(said)) => {
                    self.said.push(*said);
                    self.session.go_on(self.now);
                }
                Output::Notice(notice) => self.notices.push(notice),
            }
        }
        if reply.is_empty() {
            return false;
        }
        self.now += LATENCY;
        let mut heard = event_frames(self.dialect, self.flood);
        heard.extend(reply);
        self.host_hears(&heard);
        true
    }

    fn board_hears(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        if self.now < self.deaf_until || self.line_baud != self.board_baud {
            return out;
        }
        self.unanswered += bytes.len();
        self.most_unanswered = self.most_unanswered.max(self.unanswered);
        for &byte in bytes {
            if self.lose_to_board > 0 {
                self.lose_to_board -= 1;
            } else if let Some(frame) = self.parser.feed(byte, &mut self.engine) {
                out.extend_from_slice(frame.as_bytes());
            }
            if self.restarts && self.engine.queries.pop().is_some() {
                return self.boot_chatter();
            }
            if self.chokes && self.engine.queries.pop().is_some() {
                self.parser = Parser::new(self.dialect);
                out.clear();
            }
        }
        out
    }

    fn host_hears(&mut self, bytes: &[u8]) {
        self.unanswered = self.unanswered.saturating_sub(bytes.len());
        let lost = self.lose_to_host.min(bytes.len());
        self.lose_to_host -= lost;
        self.session.handle_bytes(&bytes[lost..], self.now);
    }

    /// What a board with an embedded graph says after a reset.
    fn boot_chatter(&mut self) -> Vec<u8> {
        self.parser = Parser::new(self.dialect);
        self.engine.nodes = 1;
        let stop = (self.dialect == Dialect::Microflo1).then_some(Response::NetworkStopped);
        let added = Response::NodeAdded { component: 11, node: 1, parent: 0 };
        let responses = [Some(Response::CommunicationOpen), stop, Some(Response::NodesCleared), Some(added)];
        let end = [Some(Response::NetworkStarted), Some(Response::TransmissionEnded)];
        let mut bytes = Vec::new();
        for (index, response) in responses.into_iter().chain(end).flatten().enumerate() {
            let request_id = if self.dialect == Dialect::Microflo1 { index as u8 + 1 } else { 0 };
            let message = Message { request_id, body: Body::Response(response) };
            bytes.extend_from_slice(message.encode(self.dialect).as_bytes());
        }
        bytes
    }

    fn submit(&mut self, ticket: u64, command: Command) {
        self.session.submit(Request { ticket: Ticket(ticket), command }, self.now);
    }

    fn outcomes(&self) -> Vec<(u64, Outcome)> {
        let done = |notice: &Notice| match notice {
            Notice::Done(ticket, outcome) => Some((ticket.0, *outcome)),
            _ => None,
        };
        self.notices.iter().filter_map(done).collect()
    }

    fn ups(&self) -> Vec<(Firmware, Option<Vec<Response>>)> {
        let up = |notice: &Notice| match notice {
            Notice::Up { firmware, start: Start::Booted(chatter) } => Some((*firmware, Some(chatter.clone()))),
            Notice::Up { firmware, .. } => Some((*firmware, None)),
            _ => None,
        };
        self.notices.iter().filter_map(up).collect()
    }

    fn up(dialect: Dialect) -> Self {
        let mut bench = Bench::new(dialect, Config::default());
        bench.run(Duration::from_secs(2));
        assert_eq!(bench.ups().len(), 1, "{:?}", bench.notices);
        bench
    }
}

/// Debug messages of a board that has much to say.
fn event_frames(dialect: Dialect, count: usize) -> Vec<u8> {
    let event = Event::Debug { level: 3, point: DebugPoint::ProgramStart };
    let frame = Message { request_id: 0, body: Body::Event(event) }.encode(dialect);
    frame.as_bytes().repeat(count)
}

const CREATE: Command = Command::CreateComponent { component: 11, parent: 0 };

#[test]
fn both_dialects_are_found_at_both_bauds() {
    for dialect in Dialect::ALL {
        for baud in [9600, 115_200] {
            let mut bench = Bench::new(dialect, Config::default());
            bench.board_baud = baud;
            bench.run(Duration::from_secs(3));
            assert_eq!(bench.ups(), [(Firmware { dialect, baud }, None)]);
            assert_eq!(bench.line_baud, baud);
        }
    }
}

#[test]
fn a_deaf_bootloader_is_waited_out() {
    for dialect in Dialect::ALL {
        let mut bench = Bench::new(dialect, Config::default());
        bench.deaf_until = bench.now + Duration::from_secs(2);
        bench.run(Duration::from_secs(5));
        assert_eq!(bench.ups().len(), 1, "{:?}", bench.notices);
    }
}

#[test]
fn nothing_is_said_in_the_boot_window() {
    let config = Config { boot_window: Duration::from_secs(2), ..Config::default() };
    let mut bench = Bench::new(Dialect::Flo01, config);
    bench.run(Duration::from_millis(1999));
    assert_eq!((bench.most_unanswered, bench.notices.len()), (0, 0));
    bench.run(Duration::from_secs(1));
    assert_eq!(bench.notices[0], Notice::Handshaking);
    assert_eq!(bench.ups().len(), 1);
}

#[test]
fn boot_chatter_is_understood_and_ends_the_boot_window() {
    for dialect in Dialect::ALL {
        let config = Config { boot_window: Duration::from_secs(2), ..Config::default() };
        let mut bench = Bench::new(dialect, config);
        bench.run(Duration::from_millis(700));
        let chatter = bench.boot_chatter();
        bench.host_hears(&chatter);
        bench.run(Duration::from_millis(100));
        let ups = bench.ups();
        let boot = ups[0].1.as_ref().expect("the embedded graph");
        assert!(boot.contains(&Response::NodeAdded { component: 11, node: 1, parent: 0 }), "{boot:?}");
        assert!(bench.outcomes().is_empty());
    }
}

#[test]
fn boot_chatter_between_the_magic_and_its_answer_is_no_answer() {
    for dialect in Dialect::ALL {
        let mut bench = Bench::new(dialect, Config::default());
        bench.deaf_until = bench.now + Duration::from_millis(350);
        bench.run(Duration::from_millis(340));
        let chatter = bench.boot_chatter();
        bench.host_hears(&chatter[..chatter.len() / 2]);
        bench.run(Duration::from_millis(5));
        bench.host_hears(&chatter[chatter.len() / 2..]);
        bench.run(Duration::from_secs(3));
        let ups = bench.ups();
        assert_eq!(ups.len(), 1);
        assert!(ups[0].1.is_some(), "{:?}", bench.notices);
    }
}

#[test]
fn requests_are_answered_in_order_and_the_window_holds() {
    for dialect in Dialect::ALL {
        let mut bench = Bench::up(dialect);
        bench.unanswered = 0;
        bench.most_unanswered = 0;
        for ticket in 0..100 {
            bench.submit(ticket, if ticket % 2 == 0 { CREATE } else { Command::StartNetwork });
        }
        bench.run(Duration::from_secs(1));
        let outcomes = bench.outcomes();
        assert_eq!(outcomes.iter().map(|(ticket, _)| *ticket).collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
        assert!(outcomes.iter().all(|(_, outcome)| outcome.is_ok()));
        assert_eq!(bench.most_unanswered, dialect.unanswered_bytes());
    }
}

#[test]
fn an_answer_and_an_event_in_one_read_stay_in_order() {
    for dialect in Dialect::ALL {
        let mut bench = Bench::up(dialect);
        bench.notices.clear();
        bench.submit(1, Command::StartNetwork);
        let mut bytes = Vec::new();
        while let Some(output) = bench.session.poll() {
            let Output::Transmit(sent) = output else { panic!("{output:?}") };
            bytes.extend(bench.board_hears(&sent));
        }
        let event = Event::Debug { level: 1, point: DebugPoint::NotImplemented };
        bytes.extend_from_slice(Message { request_id: 0, body: Body::Event(event) }.encode(dialect).as_bytes());
        bench.host_hears(&bytes);
        bench.run(Duration::from_millis(10));
        let answer = Notice::Done(Ticket(1), Ok(Response::NetworkStarted));
        assert_eq!(bench.notices, [answer, Notice::Event(event)]);
    }
}

#[test]
fn a_refusal_fails_its_own_command_only() {
    for dialect in Dialect::ALL {
        let mut bench = Bench::up(dialect);
        bench.submit(1, CREATE);
        bench.submit(2, Command::CreateComponent { component: 99, parent: 0 });
        bench.submit(3, CREATE);
        bench.submit(4, Command::SetIoValue([2, 13, 1, 0, 0, 0, 0, 0]));
        bench.run(Duration::from_millis(100));
        let mut outcomes = bench.outcomes();
        outcomes.sort_by_key(|(ticket, _)| *ticket);
        assert!(outcomes[0].1.is_ok() && outcomes[2].1.is_ok());
        assert_eq!(outcomes[1].1, Err(Failure::Refused(DebugPoint::AddNodeInvalidInstance)));
        assert_eq!(outcomes[3].1, Err(Failure::Refused(DebugPoint::IoOperationNotImplemented)));
    }
}

#[test]
fn lost_bytes_end_in_failed_requests_and_an_open_session() {
    for dialect in Dialect::ALL {
        for lost in 1..dialect.frame_len() {
            for to_board in [true, false] {
                let mut bench = Bench::up(dialect);
                if to_board {
                    bench.lose_to_board = lost;
                } else {
                    bench.lose_to_host = lost;
                }
                for ticket in 0..30 {
                    bench.submit(ticket, CREATE);
                }
                bench.run(Duration::from_secs(3));
                assert_eq!(bench.outcomes().len(), 30, "{lost} lost: each request ends once");
                assert!(bench.notices.iter().any(|notice| matches!(notice, Notice::OutOfStep(_))));
                assert_eq!(bench.ups().len(), 2, "{lost} lost: the session is open again");
            }
        }
    }
}

#[test]
fn a_restart_is_noticed_and_its_graph_learnt() {
    for dialect in Dialect::ALL {
        let mut bench = Bench::up(dialect);
        bench.submit(1, CREATE);
        bench.deaf_until = bench.now + Duration::from_millis(50);
        bench.run(Duration::from_millis(50));
        let chatter = bench.boot_chatter();
        bench.host_hears(&chatter);
        bench.run(Duration::from_secs(1));
        assert_eq!(bench.outcomes(), [(1, Err(Failure::Gone))]);
        assert!(bench.notices.contains(&Notice::Restarted));
        assert!(bench.ups()[1].1.is_some());
    }
}

#[test]
fn a_silent_port_and_a_noisy_port_are_told_apart() {
    let mut silent = Bench::new(Dialect::Flo01, Config::default());
    silent.deaf_until = silent.now + Duration::from_secs(60);
    silent.run(Duration::from_secs(20));
    assert_eq!(silent.notices, [Notice::Handshaking, Notice::Silent]);
    silent.run(Duration::from_secs(60));
    assert_eq!(silent.ups().len(), 1, "a board that starts late is found");

    let mut noisy = Bench::new(Dialect::Flo01, Config::default());
    noisy.deaf_until = noisy.now + Duration::from_secs(60);
    for _ in 0..100 {
        noisy.host_hears(b"ok T:21.4 /0.0 B:20.9\r\n");
        noisy.run(Duration::from_millis(100));
    }
    let Some(Notice::NotMicroflo(bytes)) = noisy.notices.last() else { panic!("{:?}", noisy.notices) };
    assert_eq!(&bytes[..8], b"ok T:21.");
    assert!(bytes.len() <= NOISE_SHOWN_BYTES);
}

#[test]
fn a_running_board_is_joined_in_a_flood_of_events() {
    for dialect in Dialect::ALL {
        let mut bench = Bench::new(dialect, Config::default());
        let src = PortRef { node: 3, port: 0 };
        let target = if dialect == Dialect::Flo01 { PacketTarget::Port(src) } else { PacketTarget::Connected(false) };
        let event = Event::PacketSent { src, target, packet: firmware_proto::Packet::Void };
        let frame = Message { request_id: 0, body: Body::Event(event) }.encode(dialect);
        bench.host_hears(&frame.as_bytes()[3..]);
        for _ in 0..2000 {
            bench.host_hears(frame.as_bytes());
            bench.run(Duration::from_millis(1));
        }
        assert_eq!(bench.ups().len(), 1);
        assert!(!bench.notices.iter().any(|notice| matches!(notice, Notice::OutOfStep(_))));
    }
}

#[test]
fn a_quiet_board_is_asked_whether_it_lives() {
    let mut bench = Bench::up(Dialect::Flo01);
    bench.run(Duration::from_secs(60));
    assert!(!bench.notices.iter().any(|notice| matches!(notice, Notice::OutOfStep(_))));
    bench.deaf_until = bench.now + Duration::from_secs(600);
    bench.run(Duration::from_secs(20));
    assert_eq!(bench.notices.last(), Some(&Notice::Silent));
}

#[test]
fn without_a_session_requests_fail_at_once() {
    let mut bench = Bench::new(Dialect::Flo01, Config::default());
    bench.submit(7, CREATE);
    bench.run(Duration::from_millis(1));
    assert_eq!(bench.outcomes(), [(7, Err(Failure::Gone))]);
}
