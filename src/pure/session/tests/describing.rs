//! Boards that say what they are, those that lie about it, and those that say nothing.

use firmware_proto::descriptor::own::MAX_BYTES as OWN_BYTES;
use firmware_proto::descriptor::{Own, OwnWriter, writer::WriteStep};
use proptest::prelude::*;
use uuid::{Uuid, uuid};

use super::*;
use crate::pure::descriptor::{Options, compile};
use crate::pure::introduction::{BoardMemory, Descriptor};
use crate::pure::model::build::Build;
use crate::pure::session::config::{DESCRIBING_TRIES, RECOGNITION_PATIENCE};

pub(super) const ID: Uuid = uuid!("0f9a3c56-5d1e-4f0a-9b1c-2d3e4f506172");
const MAP: &str = include_str!("../../../../tests/fbp/components.json");

/// With named nodes and ports.
const GRAPH: &str = r#"{
    "properties": { "name": "Porch" },
    "inports": { "pace": { "process": "every", "port": "interval" } },
    "outports": { "lit": { "process": "lamp", "port": "out" } },
    "processes": {
        "every": { "component": "Timer" }, "flip": { "component": "ToggleBoolean" }, "lamp": { "component": "DigitalWrite" }
    },
    "connections": [
        { "src": { "process": "every", "port": "out" }, "tgt": { "process": "flip", "port": "in" } },
        { "src": { "process": "flip", "port": "out" }, "tgt": { "process": "lamp", "port": "in" } },
        { "data": 500, "tgt": { "process": "every", "port": "interval" } }
    ]
}"#;

fn content(dialect: Dialect) -> Vec<u8> {
    let build = Build::read(MAP, Some(GRAPH), "").unwrap();
    let label = "Blinker".to_owned();
    compile(&build, &Options { dialect, node_limit: 20, message_limit: 30, label }).unwrap()
}

/// A board that describes itself truly.
pub(super) fn story(dialect: Dialect) -> Story {
    let content = content(dialect);
    let (identity, mut memory) = (Identity::of(&content), [u8::MAX; STORE_BYTES]);
    let own = Own { id: Some(ID.into_bytes()), label: "Porch light" };
    let mut writer = OwnWriter::new(&own).unwrap();
    while let WriteStep::Ask(query) = writer.step() {
        writer.handle(Described::new(&content).answer(query, Some(&mut memory))).unwrap();
    }
    Story { content, identity, memory: Some(memory) }
}

pub(super) fn bench(dialect: Dialect, story: Story) -> Bench {
    let mut bench = Bench::new(dialect, Config { dialect: Some(dialect), ..Config::default() });
    bench.engine.story = Some(story);
    bench
}

/// What is wrong with a board.
type Lie = fn(&mut Story);

/// Changes a name, so that all is sound and nothing true.
fn flip(content: &mut [u8]) {
    let name = content.windows(5).position(|five| five == b"Timer").unwrap();
    content[name] = b'D';
}

impl Bench {
    /// What it has said, once; and it is up.
    pub(super) fn introduction(&self) -> &Introduction {
        assert_eq!((self.said.len(), self.ups().len()), (1, 1), "{:?} {:?}", self.said, self.notices);
        &self.said[0]
    }

    /// Until the board was asked that often.
    pub(super) fn run_to_question(&mut self, count: usize) {
        while self.engine.queries.len() < count {
            if !self.exchange() {
                self.now = self.now.max(self.session.wake_at());
                self.session.handle_time(self.now);
            }
        }
        assert!(self.said.is_empty(), "it has said all");
    }

    pub(super) fn introduce_again(&mut self) {
        self.session.introduce_again(self.now);
    }

    fn known_names(&self) -> usize {
        self.said.last().and_then(Introduction::build).map_or(0, |build| build.library.components().len())
    }
}

#[test]
fn a_board_says_who_it_is_before_it_is_up() {
    for dialect in Dialect::ALL {
        let mut bench = bench(dialect, story(dialect));
        bench.run_to_question(1);
        (bench.unanswered, bench.most_unanswered) = (0, 0);
        bench.run(Duration::from_secs(2));
        let said = bench.introduction();
        assert_eq!((said.id, said.label.as_deref(), said.memory), (Some(ID), Some("Porch light"), BoardMemory::There));
        assert_eq!(said.build().unwrap().library.by_id(27).unwrap().name, "Timer");
        assert_eq!((said.limits().nodes, said.limits().packets, said.troubles.len()), (19, 28, 0));
        assert_eq!(bench.notices[..2], [Notice::Handshaking, Notice::Reading]);
        assert!(matches!(bench.notices[2..], [Notice::Up { .. }]), "{:?}", bench.notices);
        let window = dialect.unanswered_bytes();
        let filled = window - dialect.frame_len() + 1..=window;
        assert!(filled.contains(&bench.most_unanswered), "{} bytes unanswered", bench.most_unanswered);
    }
}

#[test]
fn what_was_read_before_is_not_read_again() {
    for dialect in Dialect::ALL {
        let mut first = bench(dialect, story(dialect));
        first.run(Duration::from_secs(2));
        let mut known = Descriptors::default();
        known.add(first.introduction().descriptor.clone().unwrap());

        let mut second = bench(dialect, story(dialect));
        second.session =
            Session::new(Config { dialect: Some(dialect), ..Config::default() }, second.now).knowing(known);
        second.run(Duration::from_secs(2));
        assert_eq!(second.introduction(), first.introduction());
        assert!(!second.notices.contains(&Notice::Reading));
        let (all, few) = (first.engine.queries.len(), second.engine.queries.len());
        println!("{}: {all} frames the first time, {few} for a known one", dialect.name());
        assert!(few <= 1 + 2 + OWN_BYTES.div_ceil(6), "{few}");
        assert!(all > 4 * few);
    }
}

#[test]
fn stock_firmware_is_asked_once_and_nothing_is_told_of_it() {
    for dialect in Dialect::ALL {
        let mut bench = Bench::up(dialect);
        assert_eq!(*bench.introduction(), Introduction::default());
        assert!(matches!(bench.notices[..], [Notice::Handshaking, Notice::Up { .. }]), "{:?}", bench.notices);
        assert_eq!(bench.engine.queries, [Query::Identify]);
        bench.submit(1, CREATE);
        bench.run(Duration::from_secs(1));
        assert_eq!(bench.outcomes().len(), 1);
    }
}

#[test]
fn firmware_that_does_not_answer_what_it_does_not_know_is_known_by_its_pong() {
    let mut bench = Bench::new(Dialect::Flo01, Config::default());
    for _ in 0..20 {
        let mut heard = Vec::new();
        while let Some(output) = bench.session.poll() {
            match output {
                Output::Transmit(bytes) => heard.extend(bench.board_hears(&bytes)),
                Output::Notice(Notice::Introduction(said)) => {
                    bench.said.push(*said);
                    bench.session.go_on(bench.now);
                }
                Output::Notice(notice) => bench.notices.push(notice),
                Output::SetBaud(_) => {}
            }
        }
        let answers: Vec<u8> = heard.chunks(8).filter(|frame| frame[0] != 106).flatten().copied().collect();
        assert!(answers.len() == heard.len() || bench.engine.queries == [Query::Identify]);
        if answers.is_empty() {
            bench.now = bench.session.wake_at();
            bench.session.handle_time(bench.now);
        } else {
            bench.host_hears(&answers);
        }
    }
    assert_eq!(*bench.introduction(), Introduction::default());
}

#[test]
fn a_lie_ends_in_a_reason_and_a_board_without_names() {
    for dialect in Dialect::ALL {
        let other = dialect.other();
        let lies: [(&str, Lie); 6] = [
            ("version 9", |story| story.identity.version = 9),
            ("cannot be", |story| story.identity.length = u16::MAX),
            ("checksum does not match", |story| story.identity.crc ^= 1),
            ("checksum does not match", |story| story.content.truncate(story.content.len() / 2)),
            ("checksum does not match", |story| flip(&mut story.content)),
            ("hash is not that of its content", |story| {
                flip(&mut story.content);
                story.identity = Identity::of(&story.content);
            }),
        ];
        for (word, lie) in lies {
            let mut board = story(dialect);
            lie(&mut board);
            let mut bench = bench(dialect, board);
            bench.run(Duration::from_secs(5));
            let said = bench.introduction();
            assert!(said.descriptor.is_none());
            assert_eq!(said.id, Some(ID), "that is stored elsewhere");
            let [trouble] = &said.troubles[..] else { panic!("{word}: {:?}", said.troubles) };
            println!("{trouble}");
            assert!(trouble.starts_with("it has a descriptor that cannot be used: "), "{trouble}");
            assert!(trouble.contains(word), "{word}: {trouble}");
        }
        let mut bench = bench(dialect, story(other));
        bench.run(Duration::from_secs(5));
        assert!(bench.introduction().troubles[0].contains(other.name()), "{:?}", bench.said);
    }
}

#[test]
fn a_board_without_memory_says_so_and_a_damaged_one_too() {
    let dialect = Dialect::Flo01;
    let mut without = bench(dialect, Story { memory: None, ..story(dialect) });
    without.run(Duration::from_secs(2));
    let said = without.introduction();
    assert_eq!((said.memory, said.id, said.label().map(String::as_str)), (BoardMemory::None, None, Some("Blinker")));

    let mut damaged = story(dialect);
    let memory = damaged.memory.as_mut().unwrap();
    let label = memory.windows(5).position(|five| five == b"Porch").unwrap();
    memory[label] = b'T';
    let mut damaged = bench(dialect, damaged);
    damaged.run(Duration::from_secs(2));
    let said = damaged.introduction();
    assert_eq!((said.id, said.troubles.len(), said.build().is_some()), (None, 1, true), "{:?}", said.troubles);
}

#[test]
fn lost_bytes_are_asked_for_again_and_the_boot_is_not_forgotten() {
    for dialect in Dialect::ALL {
        for (to_board, to_host) in [(1, 0), (0, 1), (9, 0), (0, 9), (dialect.frame_len(), 0), (0, dialect.frame_len())]
        {
            let mut bench = bench(dialect, story(dialect));
            let chatter = bench.boot_chatter();
            bench.host_hears(&chatter);
            bench.run_to_question(9);
            (bench.lose_to_board, bench.lose_to_host) = (to_board, to_host);
            bench.run(Duration::from_secs(10));
            assert!(bench.introduction().descriptor.is_some(), "{:?}", bench.said);
            assert!(bench.ups()[0].1.is_some(), "the embedded graph");
            assert!(matches!(bench.notices[..], [.., Notice::Up { .. }]), "{:?}", bench.notices);
        }
    }
}

#[test]
fn a_restart_in_the_middle_begins_anew() {
    for dialect in Dialect::ALL {
        let mut bench = bench(dialect, story(dialect));
        bench.run_to_question(9);
        let chatter = bench.boot_chatter();
        bench.host_hears(&chatter);
        bench.run(Duration::from_secs(3));
        assert!(bench.introduction().descriptor.is_some());
        assert!(bench.ups()[0].1.is_some(), "{:?}", bench.notices);
    }
}

#[test]
fn a_flood_of_events_comes_in_between() {
    for dialect in Dialect::ALL {
        let mut bench = bench(dialect, story(dialect));
        bench.flood = 5;
        bench.run(Duration::from_secs(5));
        assert!(bench.introduction().descriptor.is_some());
        let up = bench.notices.iter().position(|notice| matches!(notice, Notice::Up { .. })).unwrap();
        assert!(!bench.notices[..up].iter().any(|notice| matches!(notice, Notice::Event(_))), "told before it was up");
    }
}

#[test]
fn firmware_that_loses_its_session_over_the_question_is_used_without() {
    for dialect in Dialect::ALL {
        let mut bench = Bench::new(dialect, Config { dialect: Some(dialect), ..Config::default() });
        bench.chokes = true;
        bench.run(Duration::from_secs(4 * u64::from(DESCRIBING_TRIES)));
        assert_eq!(*bench.introduction(), Introduction::default());
        assert!(matches!(bench.notices[..], [Notice::Handshaking, Notice::Up { .. }]), "{:?}", bench.notices);
    }
}

#[test]
fn nobody_answering_is_waited_for_a_while() {
    let dialect = Dialect::Microflo1;
    let mut bench = bench(dialect, story(dialect));
    let end = bench.now + 2 * RECOGNITION_PATIENCE;
    let mut said = None;
    while bench.session.firmware().is_none() && bench.now < end {
        while let Some(output) = bench.session.poll() {
            match output {
                Output::Transmit(bytes) => {
                    let heard = bench.board_hears(&bytes);
                    bench.host_hears(&heard);
                }
                Output::Notice(Notice::Introduction(_)) => said = Some(bench.now),
                _ => {}
            }
        }
        bench.now = bench.session.wake_at().max(bench.now);
        bench.session.handle_time(bench.now);
    }
    let waited = bench.now - said.unwrap();
    assert!(bench.session.firmware().is_some() && waited >= RECOGNITION_PATIENCE, "{waited:?}");
}

#[test]
fn what_was_changed_is_asked_again_beside_other_requests() {
    for dialect in Dialect::ALL {
        let mut bench = bench(dialect, story(dialect));
        bench.run(Duration::from_secs(2));
        bench.notices.clear();
        bench.engine.story.as_mut().unwrap().memory = Some([u8::MAX; STORE_BYTES]);
        for ticket in 1..=20 {
            bench.submit(ticket, CREATE);
        }
        let now = bench.now;
        bench.session.introduce_again(now);
        for ticket in 21..=40 {
            bench.submit(ticket, CREATE);
        }
        bench.run(Duration::from_secs(2));
        assert_eq!(bench.outcomes().len(), 40);
        assert!(bench.outcomes().iter().all(|(_, outcome)| outcome.is_ok()));
        assert_eq!((bench.said.len(), bench.said[1].id), (2, None));
        assert!(!bench.notices.iter().any(|notice| matches!(notice, Notice::Up { .. } | Notice::OutOfStep(_))));
        assert_eq!(bench.known_names(), bench.said[0].build().unwrap().library.components().len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever is wrong with what a board says, or gets lost of it: it comes up, with the right names or none.
    #[test]
    fn no_wrong_name_is_ever_taken(
        microflo1 in any::<bool>(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), 0..8_u8), 0..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
        (version, length, crc) in (any::<Option<u8>>(), any::<Option<u16>>(), any::<Option<u32>>()),
        honest in any::<bool>(),
        (at, to_board, to_host) in (0..30_usize, 0..12_usize, 0..12_usize),
    ) {
        let dialect = if microflo1 { Dialect::Microflo1 } else { Dialect::Flo01 };
        let truth = Descriptor::of(&content(dialect), dialect).unwrap();
        let mut board = story(dialect);
        for (place, bit) in flips {
            let place = place.index(board.content.len());
            board.content[place] ^= 1 << bit;
        }
        if let Some(cut) = cut {
            board.content.truncate(cut.index(board.content.len()));
        }
        if honest {
            board.identity = Identity::of(&board.content);
        }
        let Identity { version: v, length: l, crc: c } = board.identity;
        let identity = Identity { version: version.unwrap_or(v), length: length.unwrap_or(l), crc: crc.unwrap_or(c) };
        board.identity = identity;
        let mut bench = bench(dialect, board);
        for _ in 0..at {
            if !bench.exchange() {
                bench.now = bench.now.max(bench.session.wake_at());
                bench.session.handle_time(bench.now);
            }
        }
        (bench.lose_to_board, bench.lose_to_host) = (to_board, to_host);
        bench.run(Duration::from_secs(60));
        prop_assert!(!bench.ups().is_empty(), "{:?}", bench.notices);
        prop_assert!(truth.build.graph.is_some() && !bench.said.is_empty());
        for said in &bench.said {
            match &said.descriptor {
                Some(descriptor) => prop_assert_eq!(descriptor.as_ref(), &truth),
                None => prop_assert!(!said.troubles.is_empty(), "no reason"),
            }
            prop_assert!(said.id.is_none_or(|id| id == ID));
            prop_assert!(said.label().is_none_or(|label| label == "Porch light" || label == "Blinker"));
        }
    }
}
