//! Another run of the bridge, with a board that an earlier one has left.

use super::*;

/// A session of another run of the bridge, with a board that it was left with.
fn come_back(mut bench: Bench, firmware: Firmware, bauds: Vec<u32>) -> Bench {
    let config = Config { bauds, left: Some(firmware), ..Config::default() };
    bench.line_baud = config.bauds[0];
    bench.session = Session::new(config, bench.now);
    bench.notices.clear();
    bench
}

fn start(bench: &Bench) -> Vec<&Start> {
    let mut starts = Vec::new();
    for notice in &bench.notices {
        if let Notice::Up { start, .. } = notice {
            starts.push(start);
        }
    }
    starts
}

#[test]
fn a_session_that_is_still_open_goes_on() {
    for dialect in Dialect::ALL {
        let bench = Bench::up(dialect);
        let firmware = bench.session.firmware().unwrap();
        let mut bench = come_back(bench, firmware, vec![115_200, 9600]);
        bench.run(Duration::from_secs(1));
        assert_eq!(start(&bench), [&Start::Continued], "{:?}", bench.notices);
        bench.submit(1, Command::StartNetwork);
        bench.run(Duration::from_secs(1));
        assert_eq!(bench.outcomes(), [(1, Ok(Response::NetworkStarted))]);
    }
}

#[test]
fn a_board_that_has_restarted_meanwhile_has_no_session() {
    for dialect in Dialect::ALL {
        let mut bench = Bench::up(dialect);
        let firmware = bench.session.firmware().unwrap();
        bench.boot_chatter();
        let mut bench = come_back(bench, firmware, vec![9600]);
        bench.run(Duration::from_secs(2));
        assert_eq!(start(&bench), [&Start::Unknown], "{:?}", bench.notices);
    }
}

#[test]
fn a_board_that_restarts_when_it_is_opened_says_so() {
    for dialect in Dialect::ALL {
        let bench = Bench::up(dialect);
        let firmware = bench.session.firmware().unwrap();
        let mut bench = come_back(bench, firmware, vec![9600]);
        bench.deaf_until = bench.now + Duration::from_millis(100);
        bench.run(Duration::from_millis(100));
        let chatter = bench.boot_chatter();
        bench.host_hears(&chatter);
        bench.run(Duration::from_secs(2));
        assert!(matches!(start(&bench)[..], [Start::Booted(_)]), "{:?}", bench.notices);
    }
}
