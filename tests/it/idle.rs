//! An idle bridge costs next to nothing.

use std::time::{Duration, Instant};

use crate::machine::{Machine, text};
use crate::support::Bridge;
use crate::tty::{Flood, Tty};

const SPAN: Duration = Duration::from_secs(10);
const MOST_PER_CENT: f64 = 1.0;

/// Processor time that a process has used, user and system.
fn cpu_time(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_secs(1) * u32::try_from(ticks).unwrap()
        / u32::try_from(rustix::param::clock_ticks_per_second()).unwrap()
}

#[test]
fn an_idle_bridge_uses_less_than_one_per_cent_of_a_processor() {
    let (machine, silent, loud) = (Machine::new(), Tty::new(), Tty::new());
    let _flood = Flood::start(&loud);
    let device = |tty: &Tty| tty.path().to_str().unwrap().to_owned();
    let bridge = machine.start(&["--simulate", "2", "--device", &device(&silent), "--device", &device(&loud)]);
    let states = |bridge: &Bridge| {
        let mut states: Vec<_> = bridge.boards().iter().map(|board| text(board, "state").to_owned()).collect();
        states.sort();
        states
    };
    bridge.wait("all have settled", |bridge| states(bridge) == ["not-microflo", "ready", "ready", "unresponsive"]);
    let (began, before) = (Instant::now(), cpu_time(bridge.pid()));
    // The measured time itself, not a wait for something.
    std::thread::park_timeout(SPAN);
    let (span, used) = (began.elapsed(), cpu_time(bridge.pid()) - before);
    let per_cent = 100.0 * used.as_secs_f64() / span.as_secs_f64();
    println!("idle: {used:?} of {span:?} = {per_cent:.2} % with {:?}", states(&bridge));
    assert!(per_cent < MOST_PER_CENT, "{per_cent:.2} %");
}
