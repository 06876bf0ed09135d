"""From an Arduino's registers to a client on another computer."""

import json
import subprocess

from harness.devices import UsbSerial
from harness.errors import same
from harness.far_end import arduino, build
from harness.network import GUEST_ADDRESS, bring_up, forward
from harness.places import FIRMWARE_SCRIPTS, RIG
from harness.registry import Registry, runtimes
from harness.states import send_file

SERIAL = "AL03QZ1K"
CLIENT_SECONDS = 60
#: What the client waits for before it stops the graph.
PACKETS = 3


def give_component_map(guest):
    """As its owner would: the names of what the board's firmware has built in."""
    build("build-avr.sh", "mega", "forward", FIRMWARE_SCRIPTS / "graphs/forward.fbp")
    send_file(guest, RIG / "avr/mega-forward/componentlib-map.json", "/root/componentlib-map.json")
    guest.sh("microflo-bridge firmware add /root/componentlib-map.json")


def program_it(context, record):
    """npm's fbp-client builds a graph that blinks, starts it, waits for its packets and stops it."""
    secret = record["secret"]
    done = subprocess.run(
        ["node", FIRMWARE_SCRIPTS / "clients/fbp-client.js", record["address"], secret],
        env={"NODE_PATH": str(RIG / "npm/node_modules"), "PATH": "/usr/local/bin:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=CLIENT_SECONDS,
        check=False,
    )
    same("the client's end", (done.returncode, done.stderr), (0, ""))
    packets = [line for line in done.stdout.splitlines() if line.startswith("data: ")]
    same("packets", len(packets), PACKETS)
    for packet in packets:
        context.say(packet)


def only_runtime(guest, ask):
    """The only record of a registry, once it is there."""
    found = guest.until("a record in the registry", ask)
    same("records", len(found), 1)
    same("type", found[0]["type"], "microflo")
    return found[0]


def test_a_client_on_the_host_programs_an_arduino_by_the_bridges_registry(context):
    with context.states.running() as guest, UsbSerial(guest, "mega", 1, serial=SERIAL, far_end=arduino) as mega:
        bring_up(guest)
        port = forward(guest, 3569)
        url = f"http://127.0.0.1:{port}"
        guest.configure(f'listen = ["127.0.0.1:3569", "{GUEST_ADDRESS}:3569"]\npublic_url = "{url}"\ngeneric = "open"')
        give_component_map(guest)
        mega.plug()
        guest.until_registered(device="/dev/ttyUSB0")
        token = json.loads(guest.sh("microflo-bridge registry user show --json"))["token"]
        program_it(context, only_runtime(guest, lambda: runtimes(url, token)))
        mega.unplug()
        guest.until("the record is deleted", lambda: not runtimes(url, token))


def test_a_client_on_the_host_programs_an_arduino_by_a_registry_over_tls(context):
    with context.states.running() as guest, UsbSerial(guest, "mega", 1, serial=SERIAL, far_end=arduino) as mega:
        registry = Registry(context.states.program(), guest.qemu.directory / "registry")
        try:
            bring_up(guest)
            url = f"http://127.0.0.1:{forward(guest, 3569)}"
            send_file(guest, registry.directory / "authority.pem", "/etc/ssl/certs/ca-certificates.crt")
            guest.configure(
                f'listen = ["127.0.0.1:3569", "{GUEST_ADDRESS}:3569"]\npublic_url = "{url}"\ngeneric = "open"\n'
                f'[[registry]]\nurl = "{registry.url}"\ntoken = "{registry.token}"\nuser = "{registry.user}"'
            )
            give_component_map(guest)
            mega.plug()
            guest.until_registered(device="/dev/ttyUSB0")
            program_it(context, only_runtime(guest, registry.runtimes))
            mega.unplug()
            guest.until("the record is deleted", lambda: not registry.runtimes())
        finally:
            registry.close()
