//! Boards and lines that get in the way of what a board has to say of itself.

use super::describing::{ID, bench, story};
use super::*;
use crate::pure::introduction::BoardMemory;
use crate::pure::session::config::{DESCRIBING_PATIENCE, QUEUE_COMMANDS};
use firmware_proto::descriptor::MAX_BYTES;

#[test]
fn a_board_that_never_comes_to_the_end_is_used_without_names() {
    let dialect = Dialect::Flo01;
    let mut board = story(dialect);
    board.content.resize(MAX_BYTES, 1);
    board.identity = Identity::of(&board.content);
    let mut bench = bench(dialect, board);
    bench.run_to_question(20);
    let mut line = Vec::new();
    let end = bench.now + 2 * DESCRIBING_PATIENCE;
    while bench.ups().is_empty() && bench.now < end {
        while let Some(output) = bench.session.poll() {
            match output {
                Output::Transmit(bytes) => line.extend(bench.board_hears(&bytes)),
                Output::Notice(Notice::Introduction(said)) => {
                    bench.said.push(*said);
                    bench.session.go_on(bench.now);
                }
                Output::Notice(notice) => bench.notices.push(notice),
                Output::SetBaud(_) => {}
            }
        }
        // A block a second: just fast enough for nobody to lose patience.
        bench.now += Duration::from_secs(1);
        let frame: Vec<u8> = line.drain(..8.min(line.len())).collect();
        bench.session.handle_bytes(&frame, bench.now);
        bench.session.handle_time(bench.now);
        assert!(bench.session.waiting() <= 1, "{} stand before what clients ask", bench.session.waiting());
    }
    let said = bench.introduction();
    assert!(said.troubles[0].contains("was not read in 60 s"), "{:?}", said.troubles);
    assert_eq!(bench.session.waiting(), 0, "nothing is asked that nobody waits for");

    // The answers that still come are not those to the next questions.
    bench.engine.story = Some(story(dialect));
    bench.introduce_again();
    bench.host_hears(&line);
    bench.run(Duration::from_secs(5));
    let again = bench.said.last().unwrap();
    assert_eq!((again.id, again.troubles.len(), again.descriptor.is_some()), (Some(ID), 0, true), "{again:?}");
}

#[test]
fn a_board_that_restarts_over_the_question_is_used_without_and_says_so() {
    for dialect in Dialect::ALL {
        let mut bench = Bench::new(dialect, Config { dialect: Some(dialect), ..Config::default() });
        bench.restarts = true;
        bench.run(Duration::from_secs(20));
        let said = bench.introduction();
        assert!(said.troubles[0].contains("the board restarted each time"), "{said:?}");
        assert_eq!((said.memory, said.descriptor.is_none()), (BoardMemory::Silent, true));
        assert!(bench.ups()[0].1.is_some(), "its embedded graph is known: {:?}", bench.notices);
    }
}

#[test]
fn a_bad_line_does_not_take_back_what_a_board_has_said() {
    for dialect in Dialect::ALL {
        let mut bench = bench(dialect, story(dialect));
        bench.run(Duration::from_secs(2));
        let first = bench.introduction().clone();
        bench.engine.queries.clear();
        (bench.chokes, bench.lose_to_board) = (true, 3);
        bench.submit(1, CREATE);
        bench.run(Duration::from_secs(30));
        assert_eq!(bench.ups().len(), 2, "{:?}", bench.notices);
        let kept = bench.said.last().unwrap();
        assert_eq!((kept.id, &kept.label, kept.memory), (first.id, &first.label, first.memory));
        assert_eq!((&kept.descriptor, kept.unread), (&first.descriptor, true));
        println!("{:?}", kept.troubles);
        assert!(kept.troubles[0].contains("bytes were lost each time"), "{:?}", kept.troubles);

        (bench.chokes, bench.lose_to_board) = (false, 3);
        bench.submit(2, CREATE);
        bench.run(Duration::from_secs(10));
        assert_eq!((bench.ups().len(), bench.said.last()), (3, Some(&first)), "the line is good again");

        (bench.engine.story, bench.lose_to_board) = (None, 3);
        bench.submit(3, CREATE);
        bench.run(Duration::from_secs(10));
        assert_eq!((bench.ups().len(), bench.said.last()), (4, Some(&Introduction::default())), "other firmware");
    }
}

#[test]
fn a_question_that_gets_lost_as_a_whole_is_asked_again() {
    for dialect in Dialect::ALL {
        let mut bench = bench(dialect, story(dialect));
        bench.run(Duration::from_secs(2));
        bench.lose_to_board = dialect.frame_len();
        bench.introduce_again();
        bench.run(Duration::from_secs(2));
        assert_eq!((bench.said.len(), &bench.said[1]), (2, &bench.said[0]));
        assert!(!bench.notices.iter().any(|notice| matches!(notice, Notice::OutOfStep(_))), "{:?}", bench.notices);
    }
}

#[test]
fn an_own_record_is_read_twice_before_it_counts_as_damaged() {
    for dialect in Dialect::ALL {
        for (flips, id) in [(1, Some(ID)), (2, None)] {
            let mut bench = bench(dialect, story(dialect));
            bench.engine.flips = flips;
            bench.run(Duration::from_secs(2));
            let said = bench.introduction();
            assert_eq!((said.id, said.memory, said.unread), (id, BoardMemory::There, id.is_none()));
            assert_eq!(said.troubles.len(), usize::from(id.is_none()), "{:?}", said.troubles);
        }
        let mut bench = bench(dialect, story(dialect));
        bench.run(Duration::from_secs(2));
        bench.engine.flips = 2;
        bench.introduce_again();
        bench.run(Duration::from_secs(2));
        let said = bench.said.last().unwrap();
        assert_eq!((said.id, said.unread, said.troubles.len()), (Some(ID), true, 1), "it is the board that it was");
    }
}

#[test]
fn a_queue_that_is_full_is_no_loss() {
    for dialect in Dialect::ALL {
        let mut bench = bench(dialect, story(dialect));
        bench.run(Duration::from_secs(2));
        while bench.session.waiting() < QUEUE_COMMANDS {
            bench.submit(1, Command::StartNetwork);
        }
        bench.introduce_again();
        bench.run(Duration::from_secs(30));
        assert!(bench.outcomes().iter().all(|(_, outcome)| outcome.is_ok()));
        assert_eq!((bench.said.len(), &bench.said[1]), (2, &bench.said[0]));
        assert!(!bench.notices.iter().any(|notice| matches!(notice, Notice::OutOfStep(_))), "{:?}", bench.notices);
    }
}

#[test]
fn what_changes_while_a_board_is_asked_is_asked_again() {
    for dialect in Dialect::ALL {
        let mut bench = bench(dialect, story(dialect));
        bench.run(Duration::from_secs(2));
        bench.engine.queries.clear();
        bench.introduce_again();
        let last = Query::ReadOwn { block: 4 };
        while !bench.engine.queries.contains(&last) {
            assert!(bench.exchange());
        }
        bench.engine.story.as_mut().unwrap().memory = Some([u8::MAX; STORE_BYTES]);
        bench.introduce_again();
        bench.run(Duration::from_secs(2));
        assert_eq!(bench.said.iter().map(|said| said.id).collect::<Vec<_>>(), [Some(ID), Some(ID), None]);
    }
}
