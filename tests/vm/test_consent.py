"""What is opened, and what is left alone."""

from harness.devices import LEONARDO, LEONARDO_BOOTLOADER, STRANGER, Gadget, UsbSerial
from harness.errors import check, same
from harness.far_end import linux_firmware
from harness.usbmon import Usbmon

SERIAL = "75437303"
#: How long a device that must be left alone is watched: several times what opening one takes.
WATCH_SECONDS = 8


def test_a_generic_chip_is_opened_once_it_is_allowed(context):
    with (
        context.states.running() as guest,
        UsbSerial(guest, "clone", 1, serial="AL03QZ1K", far_end=linux_firmware) as clone,
    ):
        usbmon = Usbmon(guest)
        clone.plug()
        asked = guest.until_board(state="not-allowed", device="/dev/ttyUSB0")
        check("microflo-bridge allow" in asked["reason"], f"the reason does not say how: {asked['reason']}")
        guest.sh(f"sleep {WATCH_SECONDS}")
        same("bytes before the yes", bytes(clone.line.to_board), b"")
        same("line states before the yes", usbmon.line_states(), [])

        guest.sh("microflo-bridge allow /dev/ttyUSB0")
        board = guest.until_registered(device="/dev/ttyUSB0")
        check(any(state.dtr for state in usbmon.line_states()), "its opening was not seen on the bus")
        same("latency timer", latency(guest), "1")
        clone.unplug()
        guest.until_none()
        clone.plug()
        same("id after replug", guest.until_registered(device="/dev/ttyUSB0")["id"], board["id"])
        same("latency timer after replug", latency(guest), "1")


def latency(guest):
    return guest.sh("cat /sys/bus/usb-serial/devices/ttyUSB0/latency_timer")


def left_alone(guest, usbmon, device):
    """A plugged device gets neither a byte nor a word about its lines."""
    guest.until("its serial port", lambda: guest.try_sh("test -c /dev/ttyACM0")[0] == 0)
    guest.sh(f"udevadm settle; sleep {WATCH_SECONDS}")
    same("bytes", bytes(device.line.to_board), b"")
    same("line states", usbmon.line_states(), [])
    same(
        "boards that are open",
        [board for board in guest.boards() if board["state"] in ("opening", "booting", "ready")],
        [],
    )


def test_a_bootloader_is_never_opened_and_its_board_is(context):
    with context.states.running() as guest:
        guest.sh("modprobe -a libcomposite dummy_hcd")
        usbmon = Usbmon(guest)
        bootloader = Gadget(guest, "bootloader", LEONARDO_BOOTLOADER, SERIAL, product="Arduino Leonardo")
        sketch = Gadget(guest, "sketch", LEONARDO, SERIAL, far_end=linux_firmware, product="Arduino Leonardo")
        with bootloader, sketch:
            bootloader.plug()
            left_alone(guest, usbmon, bootloader)
            bootloader.unplug()
            sketch.plug()
            guest.until_registered(serial=SERIAL)


def test_a_stranger_gets_no_byte(context):
    with context.states.running() as guest:
        guest.sh("modprobe -a libcomposite dummy_hcd")
        usbmon = Usbmon(guest)
        with Gadget(guest, "stranger", STRANGER, "MY44012345", product="Function Generator") as stranger:
            stranger.plug()
            left_alone(guest, usbmon, stranger)
            same("boards", guest.boards(), [])
