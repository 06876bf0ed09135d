"""Boards that come and go."""

from harness.devices import Gadget
from harness.errors import check, same
from harness.far_end import linux_firmware
from harness.timeline import Timeline, percentiles

CYCLES = 50
#: Cycles after which everything has been used once: caches are full, and tasks that stay have started.
WARM_UP_CYCLES = 10
SERIAL = "75437303"
#: What the allocator may keep beside, in kilobytes. A leak of one board's buffers in each cycle would be more.
RSS_GROWTH_KB = 1024
#: Threads for calls that block are started when that many block at once for the first time, at any cycle. A leak would be one in each.
POOL_THREADS = 2
#: A registry entry stays for three seconds, so that a loose plug is no news.
ENTRY_LINGERS_SECONDS = 3


def test_first_board_after_a_cold_boot_is_registered_and_removed(context):
    with context.states.cold() as guest:
        guest.until_active()
        kernel_log = guest.sh("dmesg")
        check("ttyACM" not in kernel_log and "ttyUSB" not in kernel_log, "a serial port was there before")
        same(
            "serial drivers with a device",
            guest.sh("ls /sys/bus/usb-serial/drivers 2>/dev/null | grep -v generic || true"),
            "",
        )
        guest.sh("modprobe -a dummy_hcd libcomposite")
        with Gadget(guest, "uno", serial=SERIAL, far_end=linux_firmware) as uno:
            uno.plug()
            board = guest.until_registered(serial=SERIAL)
            same("device", board["device"], "/dev/ttyACM0")
            same("what the id is made of", board["rung"], "serial")
            check(board["id"] in guest.sh("microflo-bridge registry list"), "the registry does not show it")
            uno.unplug()
            guest.until_none()
            guest.until(
                "its registry entry is deleted",
                lambda: board["id"] not in guest.sh("microflo-bridge registry list"),
                ENTRY_LINGERS_SECONDS + 5,
            )


def test_fifty_plugs_give_one_id_and_leave_nothing_behind(context):
    with context.states.running() as guest:
        guest.sh("modprobe -a dummy_hcd libcomposite")
        timeline, pid = Timeline(guest), guest.pid()
        registered, ready, gone, ids, usage = [], [], [], set(), []
        with Gadget(guest, "uno", serial=SERIAL, far_end=linux_firmware) as uno:
            for cycle in range(CYCLES):
                timeline.mark()
                uno.plug()
                appears = timeline.device("kernel", "add")
                registered.append(timeline.registered() - appears)
                ready.append(timeline.ready() - appears)
                ids.add(guest.board(state="ready")["id"])
                timeline.mark()
                uno.unplug()
                gone.append(timeline.gone() - timeline.device("kernel", "remove"))
                if cycle >= WARM_UP_CYCLES - 1:
                    usage.append(guest.usage())
        context.say(percentiles("tty appears → ready", ready))
        context.say(percentiles("tty appears → registered", registered))
        context.say(percentiles("unplug → gone", gone))
        context.say(f"after {WARM_UP_CYCLES} cycles {usage[0]}, after {CYCLES} {usage[-1]}")
        same("ids in all cycles", len(ids), 1)
        same("the service's process", guest.pid(), pid)
        for what, more in (("fds", 0), ("threads", POOL_THREADS), ("tasks", POOL_THREADS)):
            check(usage[-1][what] <= usage[0][what] + more, f"{what} have grown: {[use[what] for use in usage]}")
        check(
            usage[-1]["rss_kb"] <= usage[0]["rss_kb"] + RSS_GROWTH_KB,
            f"memory has grown: {[use['rss_kb'] for use in usage]}",
        )
