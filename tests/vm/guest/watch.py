#!/usr/bin/python3
"""watch.py FILE: writes down what happens, with the times of one clock, until it is killed.

Each line is JSON: "t" in seconds (CLOCK_MONOTONIC), "what" and its data. `kernel` and `udev` are the two kinds of events of
serial ports; `boards`, `board` and `gone` are what the bridge tells those who watch its boards.
"""

import http.client
import json
import socket
import sys
import threading
import time

CONTROL = "/run/microflo-bridge/control.sock"
UEVENTS = 15
KERNEL_GROUP = 1
BOTH_GROUPS = 3
EVENT_BYTES = 65536


class Log:
    def __init__(self, path):
        self.file, self.lock = open(path, "a", buffering=1, encoding="utf-8"), threading.Lock()

    def write(self, what, **data):
        with self.lock:
            self.file.write(json.dumps({"t": time.monotonic(), "what": what, **data}) + "\n")


class Control(http.client.HTTPConnection):
    """HTTP on the control socket."""

    def __init__(self):
        super().__init__("localhost")

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(CONTROL)


def follow_bridge(log):
    connection = Control()
    connection.request("GET", "/api/events")
    answer, event = connection.getresponse(), ""
    while True:
        line = answer.readline()
        if not line:
            log.write("ended")
            return
        name, _, value = line.decode().strip().partition(": ")
        if name == "event":
            event = value
        elif name == "data" and event in ("boards", "board", "gone"):
            log.write(event, data=json.loads(value))


def follow_devices(log):
    link = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, UEVENTS)
    link.bind((0, BOTH_GROUPS))
    while True:
        message, (_, group) = link.recvfrom(EVENT_BYTES)
        if b"SUBSYSTEM=tty\0" not in message:
            continue
        fields = dict(part.split("=", 1) for part in message.decode("utf-8", "replace").split("\0") if "=" in part)
        source = "kernel" if group == KERNEL_GROUP else "udev"
        log.write(source, action=fields["ACTION"], device=fields.get("DEVNAME", ""))


def main():
    log = Log(sys.argv[1])
    threading.Thread(target=follow_bridge, args=(log,), daemon=True).start()
    follow_devices(log)


main()
