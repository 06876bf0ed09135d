"""The guest as a person sees it: a shell, a clock, a kernel log."""

import time

from .errors import Failure
from .qemu import Qemu

BOOT_SECONDS = 400
SHELL_SECONDS = 60
#: How much longer than the command itself its answer may take.
ANSWER_SECONDS = 20
#: How long things may take where nothing else is said: an emulated machine on a busy host is slow.
UNTIL_SECONDS = 60
POLL_SECONDS = 0.1
#: How much of the console a failure shows, in characters.
CONSOLE_SHOWN = 3000


class CommandFailed(Failure):
    """A command in the guest ended with a code that is not 0."""


class Guest:
    """A booted machine."""

    def __init__(self, qemu):
        self.qemu, self.requests = qemu, 0

    @classmethod
    def boot(cls, disk, keep=False):
        """From power-on, until the system has started."""
        guest = cls(Qemu(disk, keep))
        try:
            guest.qemu.agent.receive(BOOT_SECONDS)
            guest.try_sh("systemctl is-system-running --wait", BOOT_SECONDS)
            guest.set_clock()
        except (OSError, EOFError) as error:
            console = (guest.qemu.directory / "console.log").read_text(errors="replace")
            guest.close()
            raise Failure(f"the guest did not start ({error}); its console:\n{console[-CONSOLE_SHOWN:]}") from error
        except BaseException:
            guest.close()
            raise
        return guest

    @classmethod
    def resumed(cls, disk, state):
        """From a saved state: less than a second."""
        guest = cls(Qemu(disk, state=state))
        try:
            guest.qemu.resume()
            guest.set_clock()
        except BaseException:
            guest.close()
            raise
        return guest

    def set_clock(self):
        self.sh(f"date -s @{time.time():.3f}")

    def try_sh(self, command, seconds=SHELL_SECONDS):
        """Runs a command as root; its exit code and what it printed."""
        self.requests += 1
        self.qemu.agent.send({"id": self.requests, "command": command, "timeout": seconds})
        while True:
            answer = self.qemu.agent.receive(seconds + ANSWER_SECONDS)
            if answer["id"] == self.requests:
                return answer["code"], answer["output"].rstrip()

    def sh(self, command, seconds=SHELL_SECONDS):
        """Runs a command that must succeed; what it printed."""
        code, output = self.try_sh(command, seconds)
        if code != 0:
            raise CommandFailed(f"`{command}` ended with {code}:\n{output}")
        return output

    def until(self, what, probe, seconds=UNTIL_SECONDS):
        """Asks until the probe gives something; how it all ends is an answer or a failure."""
        end = time.monotonic() + seconds
        while True:
            found = probe()
            if found:
                return found
            if time.monotonic() > end:
                raise Failure(f"not within {seconds} s: {what}")
            time.sleep(POLL_SECONDS)

    def write(self, path, text):
        """A file with this text."""
        self.sh(f"mkdir -p \"$(dirname '{path}')\" && cat >'{path}' <<'END-OF-FILE'\n{text}\nEND-OF-FILE")

    def power_off(self):
        """As a person does, so that everything is on the disk."""
        self.sh("sync; systemctl poweroff --no-block")
        self.qemu.process.wait(BOOT_SECONDS)
        self.close()

    def close(self):
        self.qemu.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
