#!/usr/bin/python3
"""Inside the guest: runs the commands that arrive on a virtio port, one at a time.

A request is a line of JSON, {"id", "command", "timeout"}; the answer has the same id, the exit code and the output.
"""

import json
import os
import subprocess
import time

PORT = "/dev/virtio-ports/agent"
READ_BYTES = 65536
# The port reads as ended while nobody is connected on the host.
NOBODY_THERE_SECONDS = 0.05


def answer(request):
    try:
        done = subprocess.run(
            ["/bin/bash", "-c", request["command"]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=request["timeout"],
        )
        code, output = done.returncode, done.stdout
    except subprocess.TimeoutExpired as late:
        code, output = -1, (late.output or b"") + b"\n(not finished in time)"
    return {"id": request["id"], "code": code, "output": output.decode("utf-8", "replace")}


def send(port, message):
    data = json.dumps(message).encode() + b"\n"
    while data:
        data = data[os.write(port, data) :]


def main():
    port = os.open(PORT, os.O_RDWR)
    send(port, {"id": 0})
    pending = b""
    while True:
        got = os.read(port, READ_BYTES)
        if not got:
            time.sleep(NOBODY_THERE_SECONDS)
        *lines, pending = (pending + got).split(b"\n")
        for line in lines:
            send(port, answer(json.loads(line)))


main()
