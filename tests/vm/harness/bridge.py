"""The installed bridge, asked as its users ask it."""

import json
import re

from .errors import Failure
from .guest import Guest

PACKAGE = "microflo-bridge"
SERVICE = "microflo-bridge.service"
READY_SECONDS = 60


class Installed(Guest):
    """A guest in which the package is installed."""

    def boards(self):
        """What `list` shows."""
        return json.loads(self.sh(f"{PACKAGE} list --json"))

    def board(self, **wanted):
        """The one board of which all this is true, or nothing: `state="ready"`, `serial="…"`, `device="…"`, `id="…"`."""
        found = [
            board for board in self.boards() if all(self._value(board, key) == value for key, value in wanted.items())
        ]
        if len(found) > 1:
            raise Failure(f"{len(found)} boards with {wanted}, where one was expected: {found}")
        return found[0] if found else None

    @staticmethod
    def _value(board, key):
        return board.get(key) if key in board else (board.get("usb") or {}).get(key)

    def until_board(self, **wanted):
        """Waits for it."""
        return self.until_boards(f"a board with {wanted}", lambda: self.board(**wanted))

    def until_registered(self, **wanted):
        """Waits for a ready board that has its entry in the embedded registry."""

        def probe():
            board = self.board(state="ready", **wanted)
            return board if board and is_registered(board) else None

        return self.until_boards(f"a registered board with {wanted}", probe)

    def until_boards(self, what, probe, seconds=READY_SECONDS):
        """Waits for something about boards; a failure shows them, and what the bridge and the kernel have said."""
        try:
            return self.until(what, probe, seconds)
        except Failure as failure:
            boards = json.dumps(self.boards(), indent=1)
            raise Failure(
                f"{failure}; there are {boards}\n{self.journal()}\n{self.sh('dmesg | tail -n 20')}"
            ) from failure

    def until_none(self, seconds=READY_SECONDS):
        self.until("no board", lambda: not self.boards(), seconds)

    def journal(self, lines=40):
        return self.sh(f"journalctl -u {SERVICE} -n {lines} --no-pager -o cat")

    def pid(self):
        """The service's main process."""
        return int(self.sh(f"systemctl show -p MainPID --value {SERVICE}"))

    def usage(self):
        """What the service uses: open files, threads, resident kilobytes, and what systemd counts as its tasks."""
        pid = self.pid()
        text = self.sh(
            f"ls /proc/{pid}/fd | wc -l; grep -E '^(Threads|VmRSS)' /proc/{pid}/status; "
            f"systemctl show -p TasksCurrent --value {SERVICE}"
        )
        files, rss, threads, tasks = map(int, re.findall(r"\d+", text))
        return {"fds": files, "rss_kb": rss, "threads": threads, "tasks": tasks}

    def configure(self, text):
        """Writes the system's configuration and starts the service anew with it."""
        self.write("/etc/microflo-bridge/conf.d/90-test.toml", text)
        self.restart()

    def restart(self):
        self.sh(f"systemctl restart {SERVICE}")

    def until_active(self, seconds=READY_SECONDS):
        self.until(f"{SERVICE} is active", lambda: self.try_sh(f"systemctl is-active {SERVICE}")[0] == 0, seconds)


def is_registered(board):
    """Whether it has its entry in the bridge's own registry."""
    return any(entry["registry"] == "embedded" and entry["registered"] for entry in board["registries"])
