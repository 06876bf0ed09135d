"""Which board is which, however they are plugged in."""

from harness.bridge import READY_SECONDS
from harness.devices import Gadget, Hub, UsbSerial
from harness.errors import check, same
from harness.far_end import described_firmware, linux_firmware

SERIAL = "75437303"
#: Ports of QEMU's hub: as many boards as a table of a laboratory has.
HUB_PORTS = 8


def gadgets(guest, count, serial="", far_end=linux_firmware):
    """Boards that look the same, each on a controller of its own."""
    guest.sh(f"modprobe libcomposite; modprobe dummy_hcd num={count}")
    return [Gadget(guest, f"board{n}", serial=serial, udc=n, far_end=far_end) for n in range(count)]


def by_controller(guest, count, **wanted):
    """Waits for so many ready boards of which all this is true; they, by the number of the controller that they are at."""

    def probe():
        boards = guest.boards()
        is_wanted = lambda board: all(board[key] == value for key, value in wanted.items())  # noqa: E731
        ready = [board for board in boards if board["state"] == "ready" and is_wanted(board)]
        return boards if len(ready) == len(boards) == count else None

    boards = guest.until_boards(f"{count} ready boards {wanted}", probe)
    found = {}
    for board in boards:
        controller = int(board["usb"]["path"].split("dummy_hcd.")[1].split("-")[0])
        found[controller] = board
    same("boards at different controllers", len(found), count)
    return found


def test_two_boards_with_one_serial_never_share_or_swap_ids(context):
    with context.states.running() as guest:
        first, second = gadgets(guest, 2, SERIAL)
        with first, second:
            first.plug()
            alone = guest.until_registered(serial=SERIAL)
            same("rung of the only one", alone["rung"], "serial")
            second.plug()
            both = by_controller(guest, 2)
            same("the first one keeps its id", both[0]["id"], alone["id"])
            check(both[1]["id"] != alone["id"], "two boards share an id")
            same("rung of the second", both[1]["rung"], "path")
            check(any("serial" in warning for warning in both[1]["warnings"]), f"no warning: {both[1]}")
            first.unplug()
            second.unplug()
            guest.until_none()
            second.plug()
            same("the second, alone", guest.until_registered(serial=SERIAL)["id"], both[1]["id"])
            first.plug()
            again = by_controller(guest, 2)
            same(
                "ids after plugging in the other order",
                [again[n]["id"] for n in (0, 1)],
                [both[n]["id"] for n in (0, 1)],
            )


def test_boards_without_serials_have_the_ids_of_their_ports(context):
    with context.states.running() as guest:
        first, second = gadgets(guest, 2)
        with first, second:
            first.plug()
            second.plug()
            before = by_controller(guest, 2)
            same("rungs", {board["rung"] for board in before.values()}, {"path"})
            check(before[0]["id"] != before[1]["id"], "two boards share an id")
            first.unplug()
            second.unplug()
            guest.until_none()
            second.plug(udc=0)
            first.plug(udc=1)
            after = by_controller(guest, 2)
            same("ids of the ports", [after[n]["id"] for n in (0, 1)], [before[n]["id"] for n in (0, 1)])


def test_self_describing_boards_without_serials_swap_ports_and_keep_their_ids(context):
    with context.states.running() as guest:
        first, second = gadgets(guest, 2, far_end=described_firmware(context.states.program()))
        with first, second:
            first.plug()
            second.plug()
            fresh = by_controller(guest, 2, rung="path", components="the board itself")
            for controller, label in ((0, "Left"), (1, "Right")):
                said = guest.sh(f"microflo-bridge id {fresh[controller]['id']} --on-board new")
                guest.until_board(device=fresh[controller]["device"], rung="on-board", state="ready")
                guest.sh(f"microflo-bridge label {fresh[controller]['device']} {label} --on-board")
                context.say(said)
            before = by_controller(guest, 2, rung="on-board")
            same("labels", [before[n]["label"] for n in (0, 1)], ["Left", "Right"])
            first.unplug()
            second.unplug()
            guest.until_none()
            second.plug(udc=0)
            first.plug(udc=1)
            after = by_controller(guest, 2, rung="on-board")
            same("ids after the swap", [after[n]["id"] for n in (1, 0)], [before[n]["id"] for n in (0, 1)])
            same("labels after the swap", [after[n]["label"] for n in (1, 0)], ["Left", "Right"])


def test_a_board_keeps_its_id_when_a_held_tty_gives_it_another_number(context):
    with context.states.running() as guest:
        guest.configure('generic = "open"')
        with UsbSerial(guest, "clone", 1, serial="AL03QZ1K", far_end=linux_firmware) as clone:
            clone.plug()
            before = guest.until_registered(device="/dev/ttyUSB0")
            # Not the unit's first process: that would get the terminal as its own, and be ended when it goes.
            guest.sh("systemd-run -q --unit=holder sh -c 'sleep 600 <>/dev/ttyUSB0 & wait'")
            held = "readlink /proc/$(pgrep -xn sleep)/fd/0"
            guest.until("it is held", lambda: guest.try_sh(held)[1] == "/dev/ttyUSB0")
            clone.unplug()
            guest.until_none()
            clone.plug()
            after = guest.until_registered(device="/dev/ttyUSB1")
            same("id", after["id"], before["id"])


def test_eight_boards_behind_a_hub_survive_a_bus_reset(context):
    with context.states.running() as guest:
        guest.configure('generic = "open"')
        Hub(guest, 1)
        boards = [
            UsbSerial(guest, f"board{n}", f"1.{n}", serial=f"AL03QZ{n}{n}", far_end=linux_firmware)
            for n in range(1, HUB_PORTS + 1)
        ]
        try:
            for board in boards:
                board.plug()
            before = all_ready(guest)
            for serial, board in before.items():
                check(board["usb"]["path"].endswith(f":1.{serial[-1]}"), f"{serial} is at {board['usb']['path']}")
            same("different ids", len({board["id"] for board in before.values()}), HUB_PORTS)
            pid = guest.pid()

            for what, reset in (("the hub", reset_hub), ("the controller", reset_controller)):
                reset(guest)
                after = all_ready(guest)
                for serial, board in before.items():
                    same(f"id of {serial} after a reset of {what}", after[serial]["id"], board["id"])
            same("the service's process", guest.pid(), pid)

            boards[0].unplug()
            guest.until("one board less", lambda: len(guest.boards()) == HUB_PORTS - 1)
            Hub(guest, 2)
            boards[0].plug("2.3")
            moved = all_ready(guest)
            same("its id at another hub", moved[boards[0].serial]["id"], before[boards[0].serial]["id"])
        finally:
            for board in boards:
                board.close()


def all_ready(guest):
    """All eight, ready, by their serials."""

    def probe():
        boards = {board["usb"]["serial"]: board for board in guest.boards() if board["state"] == "ready"}
        return boards if len(boards) == HUB_PORTS else None

    return guest.until_boards(f"{HUB_PORTS} ready boards", probe, 2 * READY_SECONDS)


RESET_HUB = """
import fcntl, glob
USBDEVFS_RESET = 0x5514
for device in glob.glob("/sys/bus/usb/devices/*/bDeviceClass"):
    if open(device).read().strip() == "09" and "usb" not in device.split("/")[-2]:
        folder = device.rsplit("/", 1)[0]
        bus, number = (int(open(f"{folder}/{name}").read()) for name in ("busnum", "devnum"))
        with open(f"/dev/bus/usb/{bus:03}/{number:03}", "wb") as node:
            fcntl.ioctl(node, USBDEVFS_RESET)
"""


def reset_hub(guest):
    """Everything behind the hub is gone for a moment."""
    guest.write("/run/reset.py", RESET_HUB)
    guest.sh("python3 /run/reset.py")
    until_some_came_back(guest)


def reset_controller(guest):
    """As if the whole bus had been pulled out."""
    guest.sh(
        "cd /sys/bus/pci/drivers/xhci_hcd && for device in 0000:*; do echo $device >unbind; sleep 1; echo $device >bind; done"
    )
    until_some_came_back(guest)


def until_some_came_back(guest):
    """The kernel has said that every board was gone and is back, so that the bridge is not asked about the time before."""
    guest.sh("udevadm settle")
    guest.until("all serial ports", lambda: int(guest.sh("ls /dev | grep -c ^ttyUSB || true")) == HUB_PORTS)
