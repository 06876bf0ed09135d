"""More device events than anybody reads."""

import json

from harness.bridge import SERVICE
from harness.devices import Gadget
from harness.errors import check, same
from harness.far_end import linux_firmware

EVENTS = 2000
BURST_SECONDS = 240


def setup(guest):
    """Two boards, the first plugged in."""
    # A stopped process sends no signs of life; what the watchdog does has a test of its own.
    guest.write(f"/run/systemd/system/{SERVICE}.d/patient.conf", "[Service]\nWatchdogSec=600")
    guest.sh("systemctl daemon-reload")
    guest.restart()
    guest.sh("modprobe libcomposite; modprobe dummy_hcd num=2")
    first = Gadget(guest, "first", serial="75437303", udc=0, far_end=linux_firmware).plug()
    guest.until_registered(serial="75437303")
    return first, Gadget(guest, "second", serial="85439313", udc=1, far_end=linux_firmware)


def burst(guest):
    """So many events of serial ports, and how many it really were."""
    before = int(guest.sh("cat /sys/kernel/uevent_seqnum"))
    each = int(guest.sh("udevadm trigger --dry-run --verbose --subsystem-match=tty | wc -l"))
    rounds = -(-EVENTS // each)
    guest.sh(
        f"for round in $(seq {rounds}); do udevadm trigger --action=change --subsystem-match=tty; done", BURST_SECONDS
    )
    return int(guest.sh("cat /sys/kernel/uevent_seqnum")) - before


def settle(guest):
    guest.sh(f"udevadm settle --timeout={BURST_SECONDS}", BURST_SECONDS)


def known(guest):
    """What the bridge says is there, without what changes by itself."""
    return sorted((board["id"], board["device"], board["state"], json.dumps(board["usb"])) for board in guest.boards())


def equals_a_fresh_scan(guest):
    """A new process, which has seen no event at all, finds the same."""
    seen = known(guest)
    guest.restart()
    guest.until("a fresh scan gives the same", lambda: known(guest) == seen)


def test_a_burst_of_2000_events_changes_nothing(context):
    with context.states.running() as guest:
        first, second = setup(guest)
        with first, second:
            before, pid = known(guest), guest.pid()
            events = burst(guest)
            settle(guest)
            context.say(f"{events} events")
            check(events >= EVENTS, f"only {events} events")
            same("boards after the burst", known(guest), before)
            same("the service's process", guest.pid(), pid)
            equals_a_fresh_scan(guest)


def test_lost_events_do_not_hide_what_is_plugged_in(context):
    with context.states.running() as guest:
        first, second = setup(guest)
        with first, second:
            pid = guest.pid()
            guest.sh(f"kill -STOP {pid}")
            try:
                events = burst(guest)
                first.unplug()
                second.plug()
                settle(guest)
                drops = overflow(guest, pid)
            finally:
                guest.sh(f"kill -CONT {pid}")
            context.say(f"{events} events while the bridge was stopped, {drops} of them lost in its socket")
            check(drops > 0, "no event was lost")
            guest.until_registered(serial="85439313")
            guest.until("the first board is gone", lambda: len(guest.boards()) == 1)
            same("the service's process", guest.pid(), pid)
            equals_a_fresh_scan(guest)


def overflow(guest, pid):
    """Events that did not fit into the bridge's sockets for them, as the kernel counts them."""
    drops = 0
    inodes = guest.sh(f"ls -l /proc/{pid}/fd | grep -o 'socket:\\[[0-9]*' | cut -d[ -f2 || true").split()
    for line in guest.sh("cat /proc/net/netlink").splitlines()[1:]:
        words = line.split()
        if words[-1] in inodes and words[1] == "15":
            drops += int(words[8])
    return drops
