"""Disks and saved machines, made once for each package and guest image."""

import fcntl
import hashlib
import os
import shutil
import subprocess
from contextlib import contextmanager

from .bridge import Installed
from .errors import same
from .places import CACHE, SUITE
from .qemu import connect

PROGRAM = "microflo-bridge"
INSTALL_SECONDS = 300


def digest(*paths):
    total = hashlib.sha256()
    for path in paths:
        total.update(path.read_bytes())
    return total.hexdigest()


def copy_sparse(source, target):
    subprocess.run(["cp", "--sparse=always", "--reflink=auto", source, target], check=True)


@contextmanager
def locked(name):
    with open(CACHE / f".lock-{name}", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class States:
    """`deb` is the package under test."""

    def __init__(self, deb):
        self.deb = deb
        guest = hashlib.sha256((CACHE / "image.built").read_bytes())
        guest.update(digest(deb, SUITE / "harness/qemu.py", SUITE / "harness/states.py").encode())
        self.directory = CACHE / f"state-{guest.hexdigest()[:16]}"

    def program(self):
        """The package's program, unpacked on the host."""
        with locked("states"):
            root = self.directory / "package"
            if not root.exists():
                self._begin()
                subprocess.run(["dpkg", "-x", self.deb, root], check=True)
            return root / "usr/bin" / PROGRAM

    def blank(self):
        """A guest from power-on that has never seen the package."""
        return Installed.boot(CACHE / "scratch.ext4")

    def install(self, guest):
        """What a person types. The file comes over the wire, as there is no network."""
        send_file(guest, self.deb, f"/var/tmp/{self.deb.name}")
        return self.install_again(guest)

    def install_again(self, guest):
        """An upgrade, with the file that is there already."""
        return guest.sh(f"dpkg -i /var/tmp/{self.deb.name}", INSTALL_SECONDS)

    def cold(self):
        """The first start after the installation."""
        self._disk()
        return Installed.boot(self.directory / "disk.ext4")

    def running(self):
        """A while after that start: the service runs, nothing was ever plugged in."""
        self._saved()
        return Installed.resumed(self.directory / "running.ext4", self.directory / "running")

    def _begin(self):
        """What is of other packages or images goes."""
        for old in CACHE.glob("state-*"):
            if old != self.directory:
                shutil.rmtree(old)
        self.directory.mkdir(exist_ok=True)

    def _disk(self):
        with locked("states"):
            disk = self.directory / "disk.ext4"
            if disk.exists():
                return
            self._begin()
            making = self.directory / "making.ext4"
            copy_sparse(CACHE / "scratch.ext4", making)
            with Installed.boot(making, keep=True) as guest:
                self.install(guest)
                guest.power_off()
            making.rename(disk)

    def _saved(self):
        self._disk()
        with locked("states"):
            if (self.directory / "running").exists():
                return
            copy_sparse(self.directory / "disk.ext4", self.directory / "running.ext4")
            with Installed.boot(self.directory / "running.ext4", keep=True) as guest:
                guest.until_active()
                # What the gadgets of the tests are made with; no driver of a board's serial port.
                guest.sh("mount -t configfs none /sys/kernel/config || true; sync")
                guest.qemu.save(self.directory / "saving")
            (self.directory / "saving").rename(self.directory / "running")


def send_file(guest, source, target):
    """Writes a file of the host's into the guest, through a virtio port of the wires."""
    size = os.path.getsize(source)
    with connect(guest.qemu.directory / "wire0") as wire, open(source, "rb") as file:
        guest.sh(f"mkdir -p $(dirname '{target}')")
        guest.sh(
            f"(timeout 60 head -c {size} /dev/virtio-ports/wire0 >'{target}.part'; mv '{target}.part' '{target}') >/dev/null 2>&1 &"
        )
        wire.sendfile(file)
        guest.until(f"{source.name} in the guest", lambda: guest.try_sh(f"test -e '{target}'")[0] == 0)
    found = guest.sh(f"sha256sum '{target}'").split()[0]
    same("the file in the guest", found, digest(source))
