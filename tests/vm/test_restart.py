"""The service dies, is restarted, or hangs; boards go on."""

import time

from harness.bridge import SERVICE
from harness.devices import Gadget, UsbSerial
from harness.errors import check, same
from harness.far_end import linux_firmware
from harness.usbmon import Usbmon

#: What the unit says.
WATCHDOG_SECONDS = 30
#: Until the service runs again.
PATIENCE_SECONDS = 60
SETTINGS = "/etc/microflo-bridge/config.toml"
#: The thread that asks the loops for signs of life; it is spared, so that what counts is what it finds.
WATCHDOG_THREAD = "watchdog"


class Bench:
    """An Uno look-alike and a clone with an FTDI chip, both registered."""

    def __init__(self, guest):
        self.guest = guest
        guest.configure('generic = "open"')
        guest.sh("modprobe -a libcomposite dummy_hcd")
        self.uno = Gadget(guest, "uno", serial="75437303", far_end=linux_firmware).plug()
        self.clone = UsbSerial(guest, "clone", 1, serial="AL03QZ1K", far_end=linux_firmware).plug()
        self.ids = self.registered()
        self.firmware = [self.uno.line.far.process.pid, self.clone.line.far.process.pid]
        self.usbmon = Usbmon(guest)

    def registered(self):
        return {device: self.guest.until_registered(device=device)["id"] for device in ("/dev/ttyACM0", "/dev/ttyUSB0")}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.uno.close()
        self.clone.close()

    def check_back(self, old_pid):
        """A new process has the same boards, and none of them was reset by the change."""
        self.guest.until("a new process", lambda: self.guest.pid() not in (0, old_pid))
        self.guest.until_active()
        same("ids", self.registered(), self.ids)
        states = self.usbmon.line_states()
        dropped = [state for state in states if not state.dtr]
        same("times DTR was taken away, which resets boards", dropped, [])
        same("devices whose lines were set", len({(state.bus, state.device) for state in states}), len(self.ids))
        return len(states)


def caught(context, guest, pid, start):
    """Waits for the watchdog to end the service; what the service has logged."""
    guest.until("the service is killed", lambda: guest.pid() not in (0, pid), WATCHDOG_SECONDS + PATIENCE_SECONDS)
    context.say(f"caught after {time.monotonic() - start:.1f} s")
    words = guest.sh(f"journalctl --no-pager -o cat -n 200 -u {SERVICE}")
    check("Watchdog timeout" in words, f"it was not the watchdog:\n{words}")
    return words


def test_boards_come_back_after_a_kill_without_a_reset(context):
    with context.states.running() as guest, Bench(guest) as bench:
        pid, start = guest.pid(), time.monotonic()
        guest.sh(f"kill -9 {pid}")
        states = bench.check_back(pid)
        context.say(f"back after {time.monotonic() - start:.1f} s; {states} line states, DTR on in all")


def test_boards_come_back_after_a_restart_without_a_reset(context):
    with context.states.running() as guest, Bench(guest) as bench:
        pid, start = guest.pid(), time.monotonic()
        guest.restart()
        states = bench.check_back(pid)
        context.say(f"back after {time.monotonic() - start:.1f} s; {states} line states, DTR on in all")


def test_one_wedged_loop_is_caught_by_the_watchdog_and_named(context):
    with context.states.running() as guest, Bench(guest) as bench:
        pid, start = guest.pid(), time.monotonic()
        # Whoever reads the settings anew waits for a writer of this pipe for ever, also when it has another name again.
        aside = f"{SETTINGS}.aside"
        guest.sh(f"mv {SETTINGS} {aside}; mkfifo -m 644 {SETTINGS}; kill -HUP {pid}; sleep 3; mv {aside} {SETTINGS}")
        words = caught(context, guest, pid, start)
        named = {line.split("any more: ")[1] for line in words.splitlines() if "does not turn any more" in line}
        same("what the log says hangs", named, {"signals"})
        bench.check_back(pid)


def test_wedged_loops_are_caught_by_the_watchdog(context):
    with context.states.running() as guest, Bench(guest) as bench:
        pid, start = guest.pid(), time.monotonic()
        guest.sh(f"systemd-run -q --unit=wedge /opt/vmtest/wedge {pid} {WATCHDOG_THREAD}")
        words = caught(context, guest, pid, start)
        named = [line.strip() for line in words.splitlines() if "does not turn any more" in line]
        check(named, f"the log does not say what hangs:\n{words}")
        for line in named:
            context.say(line)
        bench.check_back(pid)
