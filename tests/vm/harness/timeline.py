"""The times of what happens in the guest, and the percentiles of many."""

import json

from .bridge import is_registered
from .errors import Failure

FILE = "/run/timeline.jsonl"


class Timeline:
    """Watches from now on, with the guest's own clock."""

    def __init__(self, guest):
        self.guest, self.seen = guest, 0
        guest.sh(f"rm -f {FILE}; systemd-run -q --unit=timeline /opt/vmtest/watch.py {FILE}")
        guest.until("the watch sees the boards", lambda: any(event["what"] == "boards" for event in self.all()))
        self.mark()

    def all(self):
        text = self.guest.try_sh(f"cat {FILE}")[1]
        return [json.loads(line) for line in text.splitlines() if line.endswith("}")]

    def mark(self):
        """What has happened so far is of no more interest."""
        self.seen = len(self.all())

    def since_mark(self):
        return self.all()[self.seen :]

    def first(self, matches, what):
        """The time of the first event since the mark that matches."""

        def probe():
            return next((event for event in self.since_mark() if matches(event)), None)

        try:
            return self.guest.until(what, probe)["t"]
        except Failure as failure:
            raise Failure(f"{failure}; since then:\n" + "\n".join(map(brief, self.since_mark()))) from failure

    def device(self, source, action):
        """When the kernel or udev said that a serial port came or went."""
        return self.first(lambda event: event["what"] == source and event["action"] == action, f"{source}: {action}")

    def ready(self):
        return self.first(
            lambda event: event["what"] == "board" and event["data"]["state"] == "ready", what="a ready board"
        )

    def registered(self):
        return self.first(
            lambda event: (
                event["what"] == "board" and event["data"]["state"] == "ready" and is_registered(event["data"])
            ),
            what="a registered board",
        )

    def gone(self):
        return self.first(lambda event: event["what"] == "gone", what="a board that is gone")


def brief(event):
    data = event.get("data")
    words = {key: data[key] for key in ("state", "reason", "device", "registries")} if isinstance(data, dict) else data
    return f"{event['t']:.3f} {event['what']} {event.get('action', '')} {event.get('device', '')} {words or ''}"


def percentiles(name, seconds):
    """One line: how the times are spread, in milliseconds."""
    ordered = sorted(seconds)

    def at(share):
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    return f"{name}: p50 {at(0.5):.0f} ms, p90 {at(0.9):.0f} ms, p99 {at(0.99):.0f} ms, longest {at(1):.0f} ms ({len(ordered)} times)"
