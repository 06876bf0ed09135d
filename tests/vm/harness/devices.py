"""Devices that tests plug in: gadgets made inside the guest, and QEMU's USB serial adapter."""

import shlex
import time

from .errors import Failure
from .line import Line
from .qemu import WIRES, connect

GADGET = "/opt/vmtest/gadget.sh"
REMOVE_SECONDS = 5

UNO = "2341:0043"
LEONARDO = "2341:8036"
LEONARDO_BOOTLOADER = "2341:0036"
#: Not a board's: an instrument's maker.
STRANGER = "0957:0407"


class Device:
    """Something with a serial port. `far_end` makes what its line ends in, at each plug: a board has no memory without power."""

    def __init__(self, guest, name, far_end=None):
        self.guest, self.name, self.far_end, self.line = guest, name, far_end, None

    def _join(self, socket):
        far = self.far_end(self.guest.qemu.directory, self.name) if self.far_end else None
        self.line = Line(socket, far)

    def close(self):
        """The far end has no more use; the device itself ends with the guest."""
        if self.line:
            self.line.close()
            self.line = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Gadget(Device):
    """A CDC-ACM device as the kernel's gadget framework makes it, on a controller of its own (dummy_hcd)."""

    def __init__(self, guest, name, ids=UNO, serial="", udc=0, far_end=None, product="Arduino Uno"):
        super().__init__(guest, name, far_end)
        self.udc = udc
        if udc >= WIRES:
            raise ValueError(f"{WIRES} wires only")
        words = [name, ids, "Arduino (www.arduino.cc)", product, serial]
        guest.sh(f"{GADGET} make {' '.join(shlex.quote(word) for word in words)}")

    def plug(self, udc=None):
        """Into the port that it had before, or another."""
        if udc is not None:
            self.udc = udc
        self._join(connect(self.guest.qemu.directory / f"wire{self.udc}"))
        self.guest.sh(f"{GADGET} plug {self.name} dummy_udc.{self.udc} wire{self.udc}")
        return self

    def unplug(self):
        self.guest.sh(f"{GADGET} unplug {self.name}")
        self.close()


class UsbSerial(Device):
    """QEMU's adapter with an FTDI chip (0403:6001). Without a serial QEMU invents one."""

    def __init__(self, guest, name, port, serial=None, far_end=None):
        super().__init__(guest, name, far_end)
        self.port, self.serial = str(port), serial

    def plug(self, port=None):
        if port is not None:
            self.port = str(port)
        qemu, path = self.guest.qemu, self.guest.qemu.directory / self.name
        address = {"type": "unix", "data": {"path": str(path)}}
        backend = {"type": "socket", "data": {"addr": address, "server": True, "wait": False}}
        qemu.qmp("chardev-add", id=f"line-{self.name}", backend=backend)
        # The adapter is plugged in only while somebody is at the other end.
        self._join(connect(path))
        properties = {"serial": self.serial} if self.serial else {}
        qemu.qmp(
            "device_add",
            driver="usb-serial",
            id=self.name,
            bus="xhci.0",
            port=self.port,
            chardev=f"line-{self.name}",
            **properties,
        )
        return self

    def unplug(self):
        qemu = self.guest.qemu
        qemu.qmp("device_del", id=self.name)
        end = time.monotonic() + REMOVE_SECONDS
        while True:
            try:
                qemu.qmp("chardev-remove", id=f"line-{self.name}")
                break
            except RuntimeError as error:
                if time.monotonic() > end:
                    raise Failure(f"{self.name} cannot be unplugged: {error}") from error
                time.sleep(0.02)
        (qemu.directory / self.name).unlink(missing_ok=True)
        self.close()


class Hub:
    """QEMU's hub; a device's port behind it is "PORT.N"."""

    def __init__(self, guest, port):
        guest.qemu.qmp("device_add", driver="usb-hub", id=f"hub{port}", bus="xhci.0", port=str(port))
