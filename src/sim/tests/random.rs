//! Whatever comes, the engine neither panics nor runs away.

use std::time::{Duration, Instant};

use firmware_proto::{Command, Dialect, Frame};
use proptest::prelude::*;

use super::Config;
use crate::sim::{Board, Line};

/// Wakes within a second of board time that no honest board needs.
const TOO_MANY_WAKES: usize = 100_000;

fn run(board: &mut Board, now: &mut Instant, time: Duration) -> usize {
    let end = *now + time;
    let mut said = 0;
    for _ in 0..TOO_MANY_WAKES {
        said += board.poll(*now).map_or(0, |bytes| bytes.len());
        match board.next_wake().filter(|wake| *wake <= end) {
            Some(wake) => *now = wake.max(*now),
            None => {
                *now = end;
                return said;
            }
        }
    }
    panic!("the board does not come to rest");
}

fn config(dialect: bool, line: bool) -> Config {
    let dialect = if dialect { Dialect::Flo01 } else { Dialect::Microflo1 };
    Config { line: line.then(|| Line::arduino(9600)), ..Config::new(dialect) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_survived(
        dialect: bool,
        line: bool,
        chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..80), 0..12),
    ) {
        let mut now = Instant::now();
        let mut board = Board::new(config(dialect, line), now);
        board.receive(board.dialect().opening(0).as_bytes(), now);
        for chunk in chunks {
            board.receive(&chunk, now);
            run(&mut board, &mut now, Duration::from_millis(50));
        }
    }

    #[test]
    fn any_commands_are_survived_with_whole_frames(
        dialect: bool,
        commands in proptest::collection::vec((10_u8..26, proptest::array::uniform8(0_u8..35)), 0..60),
    ) {
        let mut now = Instant::now();
        let mut board = Board::new(config(dialect, false), now);
        let dialect = board.dialect();
        board.receive(dialect.opening(0).as_bytes(), now);
        let mut said = 0;
        for (id, payload) in commands {
            let frame: Frame = Command::Unknown { id, payload }.encode(dialect, 5);
            board.receive(frame.as_bytes(), now);
            said += run(&mut board, &mut now, Duration::from_millis(5));
        }
        prop_assert_eq!(said % dialect.frame_len(), 0);
    }
}
