//! Scripts: what happens, and what the machine wants then. The clock jumps.

use super::*;
use crate::pure::secret::Secret;

const TIMING: Timing = Timing {
    ping: Duration::from_secs(60),
    backoff: Backoff { base: Duration::from_secs(2), max: Duration::from_secs(120) },
};
/// Draws the longest of every wait: backoff as configured, pings a tenth late.
const RANDOM: u32 = u32::MAX;
const PING: Duration = Duration::from_secs(66);

struct Bench {
    now: Instant,
    machine: Registration,
}

impl Bench {
    fn new(can_delete: bool) -> Bench {
        let now = Instant::now();
        Bench { now, machine: Registration::new(TIMING, can_delete, now) }
    }

    fn leftover(can_delete: bool) -> Bench {
        let now = Instant::now();
        Bench { now, machine: Registration::leftover(TIMING, can_delete, LINGER, now) }
    }

    /// A bench whose board is ready and registered.
    fn registered(can_delete: bool) -> Bench {
        let mut bench = Bench::new(can_delete);
        bench.see(ready("Blinky"));
        assert_eq!(bench.start(), Some(put("Blinky")));
        bench.answer(Answer::Accepted);
        bench
    }

    fn see(&mut self, presence: Presence) {
        self.machine.sighted(&Sighting { presence, linger: LINGER, registries: None }, self.now);
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
    }

    fn start(&mut self) -> Option<Action> {
        self.machine.start(self.now)
    }

    fn answer(&mut self, answer: Answer) {
        self.machine.answered(answer, self.now, RANDOM);
    }

    /// Nothing more is to be done, and a record may or may not be left.
    fn finished(&self, remains: bool) {
        assert_eq!((self.machine.due(), self.machine.may_remain()), (Due::Finished, remains));
    }

    /// How long until something is due.
    fn due_in(&self) -> Duration {
        match self.machine.due() {
            Due::At(at) => at.saturating_duration_since(self.now),
            other => panic!("nothing is due, but {other:?}"),
        }
    }
}

fn wanted(label: &str) -> Wanted {
    let address = "ws://localhost:3569/x".to_owned();
    Wanted { address, label: label.to_owned(), description: String::new(), user: None, secret: None }
}

fn ready(label: &str) -> Presence {
    Presence::Ready(wanted(label))
}

fn put(label: &str) -> Action {
    Action::Put(wanted(label))
}

fn failed() -> Answer {
    Answer::Failed("no answer".to_owned())
}

fn forbidden() -> Answer {
    Answer::Forbidden("another secret".to_owned())
}

#[test]
fn a_ready_board_is_put_at_once_and_then_pinged() {
    let mut bench = Bench::new(true);
    assert_eq!(bench.machine.due(), Due::Never);
    bench.see(ready("Blinky"));
    assert_eq!(bench.start(), Some(put("Blinky")));
    assert_eq!((bench.start(), bench.machine.due()), (None, Due::Never), "one request at a time");
    bench.answer(Answer::Accepted);
    assert!(bench.machine.registered());
    assert_eq!(bench.machine.detail(), "registered");
    for _ in 0..3 {
        assert_eq!(bench.due_in(), PING);
        bench.pass(PING);
        assert_eq!(bench.start(), Some(Action::Ping));
        bench.answer(Answer::Accepted);
    }
}

#[test]
fn a_changed_label_is_put_at_once_also_when_it_changes_during_a_put() {
    let mut bench = Bench::registered(true);
    bench.see(ready("Lamp"));
    assert_eq!(bench.start(), Some(put("Lamp")));
    bench.see(ready("Fan"));
    bench.answer(Answer::Accepted);
    assert_eq!(bench.start(), Some(put("Fan")));
    bench.answer(Answer::Accepted);
    assert_eq!(bench.start(), None);
}

#[test]
fn a_changed_secret_is_put_at_once() {
    let mut bench = Bench::registered(true);
    for secret in [Some("first"), Some("second"), None] {
        let changed = Wanted { secret: secret.map(Secret::new), ..wanted("Blinky") };
        bench.see(Presence::Ready(changed.clone()));
        assert_eq!(bench.start(), Some(Action::Put(changed)));
        bench.answer(Answer::Accepted);
        assert_eq!(bench.start(), None);
    }
}

#[test]
fn a_gone_board_is_deleted_after_the_debounce() {
    let mut bench = Bench::registered(true);
    bench.see(Presence::Away);
    assert_eq!(bench.due_in(), LINGER);
    bench.pass(LINGER / 2);
    bench.machine.vanished(bench.now);
    assert_eq!(bench.due_in(), LINGER / 2, "the debounce does not start again");
    bench.pass(LINGER / 2);
    assert_eq!(bench.start(), Some(Action::Delete));
    bench.answer(Answer::Accepted);
    bench.finished(false);
}

#[test]
fn a_board_back_within_the_debounce_stays_registered() {
    let mut bench = Bench::registered(true);
    bench.see(Presence::Away);
    bench.pass(LINGER / 2);
    bench.see(Presence::Starting);
    bench.pass(LINGER);
    assert_eq!(bench.start(), None);
    bench.see(ready("Blinky"));
    assert_eq!(bench.start(), None, "nothing changed: no request");
    bench.see(ready("Lamp"));
    assert_eq!(bench.start(), Some(put("Lamp")));
}

#[test]
fn a_native_usb_board_has_longer_to_come_back() {
    let mut bench = Bench::registered(true);
    let away = Sighting { presence: Presence::Away, linger: LINGER_NATIVE_USB, registries: None };
    bench.machine.sighted(&away, bench.now);
    assert_eq!(bench.due_in(), LINGER_NATIVE_USB);
}

#[test]
fn a_rebooting_board_is_still_pinged_but_not_put() {
    let mut bench = Bench::registered(true);
    bench.see(Presence::Starting);
    bench.pass(PING);
    assert_eq!(bench.start(), Some(Action::Ping));
    bench.answer(Answer::NotFound);
    assert_eq!(bench.start(), None);
    bench.see(ready("Blinky"));
    assert_eq!(bench.start(), Some(put("Blinky")));
}

#[test]
fn a_ping_that_finds_nothing_registers_again() {
    let mut bench = Bench::registered(true);
    bench.pass(PING);
    bench.start();
    bench.answer(Answer::NotFound);
    assert_eq!(bench.start(), Some(put("Blinky")));
}

#[test]
fn failures_back_off_and_recovery_resets() {
    let mut bench = Bench::new(true);
    bench.see(ready("Blinky"));
    for seconds in [2, 4, 8, 16, 32, 64, 120, 120] {
        assert_eq!(bench.start(), Some(put("Blinky")));
        bench.answer(failed());
        assert_eq!(bench.due_in(), Duration::from_secs(seconds));
        assert_eq!(bench.machine.detail(), "no answer; the bridge keeps trying");
        bench.pass(Duration::from_secs(seconds));
    }
    bench.start();
    bench.answer(Answer::Accepted);
    assert_eq!(bench.due_in(), PING);
    bench.pass(PING);
    bench.start();
    bench.answer(failed());
    assert_eq!(bench.due_in(), Duration::from_secs(2));
    assert!(bench.machine.registered());
    assert_eq!(bench.machine.detail(), "registered, but the last attempt failed: no answer");
}

#[test]
fn what_will_not_get_better_by_itself_is_tried_rarely() {
    let mut bench = Bench::new(true);
    bench.see(ready("Blinky"));
    bench.start();
    bench.answer(Answer::Refused("the token is not valid".to_owned()));
    assert_eq!(bench.due_in(), TIMING.backoff.max);
    bench.see(Presence::Away);
    bench.finished(false); // nothing was ever registered
}

#[test]
fn what_changes_while_an_answer_is_awaited_counts_after_it() {
    let mut bench = Bench::new(true);
    bench.see(ready("Blinky"));
    bench.start().unwrap();
    bench.machine.reconsider(true, bench.now);
    bench.answer(Answer::Refused("moved".to_owned()));
    assert_eq!(bench.due_in(), Duration::ZERO, "it is asked by what holds now");
    bench.start().unwrap();
    bench.answer(Answer::Refused("moved".to_owned()));
    assert!(bench.due_in() > Duration::ZERO);
}

#[test]
fn a_put_without_an_answer_is_deleted_when_the_board_goes() {
    let mut bench = Bench::new(true);
    bench.see(ready("Blinky"));
    bench.start();
    bench.see(Presence::Away);
    bench.pass(LINGER);
    assert_eq!(bench.machine.due(), Due::Never, "the answer may still come");
    bench.answer(failed());
    bench.pass(Duration::from_secs(2));
    assert_eq!(bench.start(), Some(Action::Delete));
    bench.answer(failed());
    assert_eq!(bench.due_in(), Duration::from_secs(4), "deletes are retried too");
    bench.pass(Duration::from_secs(4));
    assert_eq!(bench.start(), Some(Action::Delete));
    bench.answer(Answer::NotFound);
    bench.finished(false);
}

#[test]
fn a_board_never_seen_ready_leaves_nothing_to_delete() {
    let mut bench = Bench::new(true);
    bench.see(Presence::Starting);
    bench.see(Presence::Away);
    bench.finished(false);
}

#[test]
fn a_leftover_is_deleted_unless_its_board_comes_back() {
    let mut bench = Bench::leftover(true);
    assert_eq!(bench.due_in(), LINGER);
    bench.pass(LINGER);
    assert_eq!(bench.start(), Some(Action::Delete));

    let mut bench = Bench::leftover(true);
    bench.pass(LINGER / 2);
    bench.see(Presence::Starting);
    bench.pass(LINGER);
    assert_eq!(bench.start(), None);
    bench.see(ready("Blinky"));
    assert_eq!(bench.start(), Some(put("Blinky")), "the address may have changed: update");
}

#[test]
fn without_a_token_a_record_stays_and_is_remembered() {
    let mut bench = Bench::registered(false);
    assert!(bench.machine.detail().contains("without a token"), "{}", bench.machine.detail());
    bench.see(Presence::Away);
    bench.finished(true);
    Bench::leftover(false).finished(true);
}

#[test]
fn a_foreign_record_is_replaced_once_with_a_token() {
    let mut bench = Bench::new(true);
    bench.see(ready("Blinky"));
    bench.start();
    bench.answer(forbidden());
    assert_eq!(bench.start(), Some(Action::Delete));
    bench.answer(Answer::Accepted);
    assert_eq!(bench.start(), Some(put("Blinky")));
    bench.answer(forbidden());
    assert_eq!(bench.due_in(), TIMING.backoff.max, "two hosts do not fight");
    bench.pass(TIMING.backoff.max);
    assert_eq!(bench.start(), Some(put("Blinky")));
}

#[test]
fn a_foreign_record_that_cannot_be_replaced_is_explained_and_left_alone() {
    for can_delete in [true, false] {
        let mut bench = Bench::new(can_delete);
        bench.see(ready("Blinky"));
        bench.start();
        bench.answer(forbidden());
        if can_delete {
            assert_eq!(bench.start(), Some(Action::Delete));
            bench.answer(Answer::Forbidden("not yours".to_owned()));
        }
        assert!(bench.machine.detail().contains("another host holds"), "{}", bench.machine.detail());
        assert!(!bench.machine.registered());
        assert_eq!(bench.due_in(), TIMING.backoff.max);
        bench.see(Presence::Away);
        bench.finished(false);
    }
}

#[test]
fn a_record_that_the_token_may_not_delete_remains_until_the_board_is_back() {
    let mut bench = Bench::registered(true);
    bench.see(Presence::Away);
    bench.pass(LINGER);
    bench.start();
    bench.answer(Answer::Refused("the token is not valid".to_owned()));
    bench.finished(true);
    bench.see(ready("Blinky"));
    bench.pass(TIMING.backoff.max);
    assert_eq!(bench.start(), Some(put("Blinky")));
}

#[test]
fn a_board_that_is_back_after_a_delete_without_answer_is_put_again() {
    let mut bench = Bench::registered(true);
    bench.see(Presence::Away);
    bench.pass(LINGER);
    bench.start();
    bench.answer(failed());
    bench.see(ready("Blinky"));
    bench.pass(Duration::from_secs(2));
    assert_eq!(bench.start(), Some(put("Blinky")));
}

#[test]
fn what_may_remain_is_what_the_next_run_has_to_know() {
    let mut bench = Bench::new(true);
    assert!(!bench.machine.may_remain());
    bench.see(ready("Blinky"));
    bench.start();
    assert!(bench.machine.may_remain(), "the bridge may be killed before the answer");
    bench.answer(forbidden());
    assert!(!bench.machine.may_remain(), "the next run must not delete another host's record");
    assert!(Bench::registered(true).machine.may_remain() && Bench::leftover(true).machine.may_remain());
}

#[test]
fn an_answer_that_nobody_waits_for_changes_nothing() {
    let mut bench = Bench::registered(true);
    bench.answer(failed());
    assert_eq!(bench.due_in(), PING);
}

#[test]
fn an_hour_of_silence_is_borne_patiently_and_ended_soon() {
    let mut bench = Bench::new(true);
    bench.see(ready("Blinky"));
    let hour = bench.now + Duration::from_secs(3600);
    let mut attempts = 0;
    while bench.now < hour {
        assert_eq!(bench.start(), Some(put("Blinky")));
        bench.answer(Answer::Failed("nobody answers".to_owned()));
        attempts += 1;
        match bench.machine.due() {
            Due::At(at) => bench.now = at,
            due => panic!("{due:?}"),
        }
    }
    assert!((3600 / 240..3600 / 30).contains(&attempts), "{attempts} attempts in an hour");
    assert!(bench.now - hour <= Timing::default().backoff.max * 2, "back {:?} late", bench.now - hour);
    assert_eq!(bench.start(), Some(put("Blinky")));
    bench.answer(Answer::Accepted);
    assert!(bench.machine.registered() && bench.machine.error().is_none());
}
