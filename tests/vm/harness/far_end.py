"""What a serial line ends in: MicroFlo's own firmware, or nothing that answers."""

import os
import subprocess
import time
import tty
from pathlib import Path

from .errors import Failure, Skip
from .places import CACHE, FIRMWARE_SCRIPTS, RIG, SUITE

START_SECONDS = 5
#: An Uno's bootloader swallows what it gets for so long after a reset.
DEAF_MILLISECONDS = 1000
CANNOT_RUN = 77


def build(script, *arguments, program=None):
    """Runs one of the firmware rig's scripts, which only checks what is built already. `program` compiles descriptors."""
    environment = dict(os.environ, MICROFLO_BRIDGE=str(program)) if program else None
    command = [FIRMWARE_SCRIPTS / script, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode == CANNOT_RUN:
        raise Skip(done.stdout.strip().removeprefix("skipped: "))
    if done.returncode != 0:
        raise Failure(f"{script} failed: {done.stdout}{done.stderr}")


def calm_library():
    """The library that keeps the firmware for Linux from spinning."""
    source, library = SUITE / "harness/calm.c", CACHE / "calm.so"
    if not library.exists() or library.stat().st_mtime < source.stat().st_mtime:
        subprocess.run(["gcc", "-O2", "-shared", "-fPIC", source, "-o", library], check=True)
    return library


class FarEnd:
    """A process that serves a pseudo-terminal, opened here as `fd`."""

    def __init__(self, command, link, environment=None):
        link.unlink(missing_ok=True)
        self.link = link
        null = subprocess.DEVNULL
        environment = dict(os.environ, **(environment or {}))
        self.process = subprocess.Popen(command, env=environment, stdin=null, stdout=null, stderr=null)
        self.fd = self._open()

    def _open(self):
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                fd = os.open(self.link, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
                tty.setraw(fd)
                return fd
            except OSError as error:
                if time.monotonic() > end or self.process.poll() is not None:
                    self.process.kill()
                    raise Failure(f"the firmware did not start: {error}") from error
                time.sleep(0.002)

    def close(self):
        os.close(self.fd)
        self.process.kill()
        self.process.wait()
        self.link.unlink(missing_ok=True)


def linux_firmware(directory, name, graph="blink"):
    """Upstream's firmware for Linux, in the 8-byte dialect."""
    build("build-linux.sh", graph, FIRMWARE_SCRIPTS / f"graphs/{graph}.fbp")
    link = Path(directory) / f"{name}.microflo"
    return FarEnd([RIG / "linux" / graph / "firmware", link], link, {"LD_PRELOAD": str(calm_library())})


def described_firmware(program):
    """The same firmware, self-describing. A board keeps its id and label without power."""
    build("build-linux.sh", "--described", "Blinker", "described", FIRMWARE_SCRIPTS / "graphs/blink.fbp", program=program)

    def far_end(directory, name):
        link, store = (Path(directory) / f"{name}.{what}" for what in ("microflo", "store"))
        firmware = RIG / "linux/described/firmware"
        return FarEnd([firmware, link, store], link, {"LD_PRELOAD": str(calm_library())})

    return far_end


def arduino(directory, name, graph="forward", board="mega", chip="atmega2560", options=()):
    """Upstream's Arduino firmware in an emulated AVR, at the true baud rate. Opening its terminal is not a reset here."""
    build("build-avr.sh", board, graph, FIRMWARE_SCRIPTS / f"graphs/{graph}.fbp")
    link = Path(directory) / f"{name}.avr"
    elf = RIG / f"avr/{board}-{graph}/fw.elf"
    return FarEnd([RIG / "avrboard", "--mcu", chip, "--elf", elf, "--link", link, *options], link)
