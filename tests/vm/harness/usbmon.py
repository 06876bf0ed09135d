"""The requests on the guest's USB buses, as the kernel's usbmon shows them."""

from dataclasses import dataclass

FILE = "/run/usbmon.txt"
DEBUGFS = "/sys/kernel/debug"
#: bmRequestType and bRequest of CDC's SET_CONTROL_LINE_STATE, and of FTDI's SIO_SET_MODEM_CTRL.
CDC_LINE_STATE = ("21", "22")
FTDI_MODEM_CONTROL = ("40", "01")
DTR = 1
#: In FTDI's request the high byte says which lines are meant.
FTDI_DTR_MEANT = 0x0100


@dataclass(frozen=True)
class LineState:
    """A device was told what its modem lines are."""

    bus: int
    device: int
    dtr: bool


class Usbmon:
    """Writes down every request from now on."""

    def __init__(self, guest):
        self.guest = guest
        guest.sh(
            f"modprobe usbmon; mountpoint -q {DEBUGFS} || mount -t debugfs none {DEBUGFS}; "
            f"systemd-run -q --unit=usbmon sh -c 'exec cat {DEBUGFS}/usb/usbmon/0u >{FILE}'"
        )
        self.read = 0

    def _new_lines(self):
        # A mark behind it, as the end of what is printed is cut.
        text = self.guest.sh(f"tail -c +{self.read + 1} {FILE}; printf .")[:-1]
        complete = text[: text.rfind("\n") + 1]
        self.read += len(complete.encode())
        return complete.splitlines()

    def line_states(self):
        """What devices were told of their lines since the last look."""
        found = []
        for line in self._new_lines():
            # tag, time, S(ubmission), Co:bus:device:endpoint, s, bmRequestType, bRequest, wValue, …
            words = line.split()
            if len(words) < 8 or words[2] != "S" or not words[3].startswith("Co:") or words[4] != "s":
                continue
            _, bus, device, _ = words[3].split(":")
            request, value = tuple(words[5:7]), int(words[7], 16)
            if request == CDC_LINE_STATE or (request == FTDI_MODEM_CONTROL and value & FTDI_DTR_MEANT):
                found.append(LineState(int(bus), int(device), bool(value & DTR)))
        return found
