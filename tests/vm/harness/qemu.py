"""A QEMU process: its devices, and the two sockets by which it is steered."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from .places import CACHE

MEMORY_MIB = 512
PROCESSORS = 2
#: Virtio ports that carry the far ends of boards inside the guest.
WIRES = 10
CONNECT_SECONDS = 10
QUIT_SECONDS = 5
READ_BYTES = 65536
KERNEL_WORDS = (
    # The processor's own counter is calibrated wrongly where the host is busy; this clock is slower to read, and right.
    "clocksource=hpet tsc=unstable "
    "console=ttyS0 quiet loglevel=4 mitigations=off random.trust_cpu=on panic=-1 systemd.default_timeout_start_sec=300 "
    "systemd.show_status=0 selinux=0 apparmor=0 audit=0"
)


def connect(path):
    """A unix socket that may not listen yet."""
    end = time.monotonic() + CONNECT_SECONDS
    while True:
        link = socket.socket(socket.AF_UNIX)
        try:
            link.connect(str(path))
            return link
        except OSError:
            link.close()
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


class Lines:
    """JSON, one value a line, on a socket."""

    def __init__(self, link, name):
        self.link, self.name, self.pending = link, name, b""

    def send(self, value):
        self.link.settimeout(CONNECT_SECONDS)
        self.link.sendall(json.dumps(value).encode() + b"\n")

    def receive(self, seconds):
        end = time.monotonic() + seconds
        while b"\n" not in self.pending:
            self.link.settimeout(max(0.01, end - time.monotonic()))
            got = self.link.recv(READ_BYTES)
            if not got:
                raise EOFError(f"{self.name} has closed")
            self.pending += got
        line, self.pending = self.pending.split(b"\n", 1)
        return json.loads(line)


def program():
    """How QEMU is called, and its environment: the installed one, else the unpacked one."""
    installed = shutil.which("qemu-system-x86_64")
    if installed:
        return [installed], dict(os.environ)
    root = CACHE / "qemu"
    libraries = [str(root / "usr/lib/x86_64-linux-gnu"), str(root / "lib/x86_64-linux-gnu")]
    environment = dict(os.environ, LD_LIBRARY_PATH=":".join(libraries), QEMU_MODULE_DIR=f"{libraries[0]}/qemu")
    share = root / "usr/share"
    command = [str(root / "usr/bin/qemu-system-x86_64"), "-L", str(share / "qemu"), "-L", str(share / "seabios")]
    return command, environment


class Qemu:
    """A running emulated machine. `disk` is what the guest has written so far."""

    def __init__(self, disk, keep=False, state=None):
        self.directory = Path(tempfile.mkdtemp(prefix="run-", dir=CACHE))
        command, environment = program()
        command += self._arguments(disk, keep)
        if state:
            command += ["-incoming", f"exec:cat {state}"]
        # Temporary overlays of the disks are made in TMPDIR.
        environment["TMPDIR"] = str(self.directory)
        with open(self.directory / "qemu.log", "wb") as log:
            self.process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            self.monitor = Lines(connect(self.directory / "qmp"), "QEMU's monitor")
            self.monitor.receive(CONNECT_SECONDS)
            self.qmp("qmp_capabilities")
            self.agent = Lines(connect(self.directory / "agent"), "the guest's agent")
        except OSError as error:
            raise EOFError(f"QEMU did not start ({error}): {self.log()}") from error

    def _arguments(self, disk, keep):
        def path(name):
            return self.directory / name

        arguments = [
            *("-accel", "tcg,thread=multi", "-cpu", "max", "-M", "q35", "-m", str(MEMORY_MIB), "-smp", str(PROCESSORS)),
            *("-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
            *("-kernel", CACHE / "vmlinux", "-initrd", CACHE / "initrd", "-append", KERNEL_WORDS),
            *("-serial", f"file:{path('console.log')}"),
            *("-drive", f"file={CACHE / 'root.ext4'},if=virtio,format=raw,read-only=on"),
            *("-drive", f"file={disk},if=virtio,format=raw,snapshot={'off' if keep else 'on'},cache=unsafe"),
            *("-device", "qemu-xhci,id=xhci,p2=8,p3=4", "-device", "virtio-rng-pci"),
            *("-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net,romfile="),
            *("-qmp", f"unix:{path('qmp')},server=on,wait=off", "-device", "virtio-serial-pci"),
            *("-chardev", f"socket,id=agent,path={path('agent')},server=on,wait=off"),
            *("-device", "virtserialport,chardev=agent,name=agent"),
        ]
        for wire in range(WIRES):
            arguments += ["-chardev", f"socket,id=wire{wire},path={path(f'wire{wire}')},server=on,wait=off"]
            arguments += ["-device", f"virtserialport,chardev=wire{wire},name=wire{wire}"]
        return [str(argument) for argument in arguments]

    def log(self):
        return (self.directory / "qemu.log").read_text(errors="replace").strip()

    def qmp(self, command, **arguments):
        """Asks the monitor; events in between are of no interest."""
        self.monitor.send({"execute": command, "arguments": arguments})
        while True:
            answer = self.monitor.receive(CONNECT_SECONDS)
            if "error" in answer:
                raise RuntimeError(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def save(self, path):
        """Writes the running machine to a file; this one stays stopped."""
        self.qmp("stop")
        self.qmp("migrate-set-parameters", **{"max-bandwidth": 1 << 34})
        self.qmp("migrate", uri=f"exec:cat > {path}")
        while True:
            status = self.qmp("query-migrate").get("status")
            if status == "completed":
                return
            if status == "failed":
                raise RuntimeError("the machine's state cannot be written")
            time.sleep(0.05)

    def resume(self):
        """Goes on where a saved machine was."""
        while self.qmp("query-status")["status"] == "inmigrate":
            time.sleep(0.02)
        if self.qmp("query-status")["status"] != "running":
            self.qmp("cont")

    def close(self):
        if self.process.poll() is None:
            try:
                self.qmp("quit")
                self.process.wait(QUIT_SECONDS)
            except (OSError, EOFError, RuntimeError, subprocess.TimeoutExpired):
                self.process.kill()
        self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)
