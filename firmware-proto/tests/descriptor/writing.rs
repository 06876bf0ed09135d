//! What a host changes.

use crate::line::Line;
use crate::{ID, descriptor};
use firmware_proto::Dialect;
use firmware_proto::descriptor::serve::STORE_BYTES;
use firmware_proto::descriptor::writer::WriteStep;
use firmware_proto::descriptor::{Outcome, Own, OwnState, OwnWriter, Query, Reply, WriteOwnError, own};
#[test]
fn the_record_changes_and_a_commit_may_be_repeated() {
    let bytes = descriptor(Dialect::Flo01);
    let mut line = Line::new(Dialect::Flo01, &bytes);
    for (id, label) in
        [(Some(ID), "Fenster links"), (Some(ID), "x"), (None, "ein längerer Name von 32 Bytes."), (Some([7; 16]), "")]
    {
        let own = Own { id, label };
        line.write(&own).unwrap();
        assert_eq!(line.read(true).0.own(), Ok(OwnState::Stored(own)));
    }
    // The last was the fourth: slots alternate, and the first byte is one of two values.
    let store = line.board.store.unwrap();
    assert!(matches!(store[0], 0 | 255));
    // Asked again, as after a lost reply: nothing changes.
    let mut record = [0; own::MAX_BYTES];
    let length = Own { id: Some([7; 16]), label: "" }.write(&mut record).unwrap();
    let commit = Query::CommitOwn { length: length as u8, crc: firmware_proto::descriptor::crc32(&record[..length]) };
    let done = Reply::Written { operation: 5, echo: length as u8, outcome: Outcome::Done };
    assert_eq!(line.ask(commit), Some(done));
    assert_eq!(line.board.store.unwrap(), store);
}

#[test]
fn half_a_record_never_gets_in_force() {
    let bytes = descriptor(Dialect::Microflo1);
    let mut line = Line::new(Dialect::Microflo1, &bytes);
    let own = Own { id: Some(ID), label: "alt" };
    line.write(&own).unwrap();
    let new = Own { id: Some([9; 16]), label: "neu" };
    let mut writer = OwnWriter::new(&new).unwrap();
    let mut queries = 0;
    let refused = loop {
        match writer.step() {
            WriteStep::Ask(Query::WriteOwn { chunk: 2, .. }) => {
                queries += 1; // lost on the way, and its reply made up by a liar
                writer.handle(Reply::Written { operation: 4, echo: 2, outcome: Outcome::Done }).unwrap();
            }
            WriteStep::Ask(query) => {
                queries += 1;
                let reply = line.ask(query).unwrap();
                assert_eq!(line.read(true).0.own(), Ok(OwnState::Stored(own)), "as before, after query {queries}");
                if let Err(refused) = writer.handle(reply) {
                    break refused;
                }
            }
            step => panic!("{step:?}"),
        }
    };
    assert_eq!((refused, queries), (WriteOwnError::WrongCrc, 6));
    assert_eq!(line.read(true).0.own(), Ok(OwnState::Stored(own)));
}

#[test]
fn a_board_without_memory_says_so() {
    let bytes = descriptor(Dialect::Flo01);
    let mut line = Line::new(Dialect::Flo01, &bytes);
    line.board.store = None;
    assert_eq!(line.read(true).0.own(), Ok(OwnState::NoStore));
    assert_eq!(line.write(&Own { id: Some(ID), label: "" }), Err(WriteOwnError::NoStore));
}

#[test]
fn a_memory_full_of_zeros_is_empty_and_takes_a_record() {
    let bytes = descriptor(Dialect::Flo01);
    let mut line = Line::new(Dialect::Flo01, &bytes);
    line.board.store = Some([0; STORE_BYTES]);
    assert_eq!(line.read(true).0.own(), Ok(OwnState::Empty));
    let own = Own { id: Some(ID), label: "Gate" };
    line.write(&own).unwrap();
    assert_eq!(line.read(true).0.own(), Ok(OwnState::Stored(own)));
    line.board.store.as_mut().unwrap().fill(0);
    assert_eq!(line.read(true).0.own(), Ok(OwnState::Empty), "filled again");
}

#[test]
fn writes_beyond_the_record_are_refused() {
    let bytes = descriptor(Dialect::Flo01);
    let mut line = Line::new(Dialect::Flo01, &bytes);
    let before = line.board.store;
    let refused = |operation, echo| Some(Reply::Written { operation, echo, outcome: Outcome::OutOfRange });
    for chunk in [11, 12, 255] {
        assert_eq!(line.ask(Query::WriteOwn { chunk, bytes: [1; 5] }), refused(4, chunk));
    }
    for length in [0, 55, 255] {
        assert_eq!(line.ask(Query::CommitOwn { length, crc: 0 }), refused(5, length));
    }
    assert_eq!(line.board.store, before);
}
