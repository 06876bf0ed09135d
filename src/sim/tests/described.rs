//! Self-describing boards.

use firmware_proto::descriptor::reader::Step;
use firmware_proto::descriptor::writer::WriteStep;
use firmware_proto::descriptor::{Own, OwnState, OwnWriter, ReadError, Reader, Reply};
use firmware_proto::{Body, Command, DebugPoint, Dialect, Event, Response};

use super::Bench;
use crate::pure::descriptor::{Options, compile};
use crate::pure::model::build::Build;
use crate::sim::{Config, Described, Eeprom, component_map};

/// What the simulated board of that dialect has to tell.
fn content(dialect: Dialect) -> Vec<u8> {
    let build = Build::read(&component_map(dialect).to_string(), None, "").unwrap();
    compile(&build, &Options { dialect, node_limit: 50, message_limit: 50, label: String::new() }).unwrap()
}

impl Bench {
    fn describe(&mut self, query: firmware_proto::descriptor::Query) -> Reply {
        match self.send(Command::Describe(query))[..] {
            [Body::Response(Response::Describe(reply))] => reply,
            ref other => panic!("{other:?}"),
        }
    }

    fn read(&mut self) -> Reader {
        let mut reader = Reader::new(self.dialect());
        loop {
            match reader.step() {
                Step::Ask(query) => reader.handle(self.describe(query)).unwrap(),
                Step::Identified(_) => reader.fetch(),
                Step::Done => return reader,
                Step::Wait => panic!("nothing is under way"),
            }
        }
    }

    fn write(&mut self, own: &Own<'_>) {
        let mut writer = OwnWriter::new(own).unwrap();
        while let WriteStep::Ask(query) = writer.step() {
            writer.handle(self.describe(query)).unwrap();
        }
    }
}

#[test]
fn a_board_tells_what_it_is_in_both_dialects() {
    for dialect in Dialect::ALL {
        let content = content(dialect);
        println!("{}: the simulated board's library takes {} bytes", dialect.name(), content.len());
        let mut bench =
            Bench::open(Config { described: Some(Described::new(content.clone())), ..Config::new(dialect) });
        assert_eq!(bench.read().content(), Ok(&content[..]));
    }
}

#[test]
fn id_and_label_survive_a_reset_and_go_with_the_chip() {
    let described = Described::new(content(Dialect::Flo01));
    let eeprom = described.eeprom.clone().unwrap();
    let config = Config { described: Some(described), ..Config::new(Dialect::Flo01) };
    let own = Own { id: Some([7; 16]), label: "Ampel" };
    let mut bench = Bench::open(config.clone());
    assert_eq!(bench.read().own(), Ok(OwnState::Empty));
    bench.write(&own);
    let wear = eeprom.wear();
    bench.board.reset(bench.now);
    bench.bodies(Dialect::Flo01.opening(0).as_bytes());
    assert_eq!(bench.read().own(), Ok(OwnState::Stored(own)));
    assert_eq!((wear, eeprom.wear()), (31, 31), "six chunks and which slot; reading wears nothing");
    assert_eq!(Bench::open(config).read().own(), Ok(OwnState::Stored(own)), "another board with the same chip");
}

#[test]
fn a_board_may_lie_or_have_no_memory() {
    let honest = Described::new(content(Dialect::Flo01));
    let read = |described| {
        let described = Some(described);
        let reader = Bench::open(Config { described, ..Config::new(Dialect::Flo01) }).read();
        (reader.content().err(), reader.own() == Ok(OwnState::NoStore))
    };
    let mut cut = honest.clone();
    cut.content = cut.content[..cut.content.len() - 20].into();
    cut.eeprom = None;
    assert_eq!(read(cut), (Some(ReadError::Damaged), true));
    let mut newer = honest.clone();
    newer.identity.version = 2;
    assert_eq!(read(newer), (Some(ReadError::Newer { version: 2 }), false));
    let mut endless = honest;
    endless.identity.length = u16::MAX;
    endless.eeprom = Some(Eeprom::default().copied());
    assert_eq!(read(endless), (Some(ReadError::Impossible { length: u16::MAX, version: 1 }), false));
}

#[test]
fn a_stock_board_does_not_know_the_command() {
    for dialect in Dialect::ALL {
        let mut bench = Bench::open(Config::new(dialect));
        let answer = bench.send(Command::Describe(firmware_proto::descriptor::Query::Identify));
        let unknown = Event::Debug { level: 1, point: DebugPoint::ParserUnknownCommand };
        assert_eq!(answer, [Body::Event(unknown)]);
    }
}
