"""The guest's network card: it reaches this host's loopback and nothing else, as it has no route out."""

import socket

GUEST_ADDRESS = "10.0.2.15"
#: The host's loopback, as the guest sees it.
HOST_ADDRESS = "10.0.2.2"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def bring_up(guest):
    guest.sh(
        "modprobe virtio_net; udevadm settle; card=$(ls /sys/class/net | grep -v '^lo$'); "
        f"ip address add {GUEST_ADDRESS}/24 dev $card && ip link set $card up"
    )


def forward(guest, guest_port):
    """A port of the host's loopback that leads to this port of the guest."""
    port = free_port()
    answer = guest.qemu.qmp(
        "human-monitor-command",
        **{"command-line": f"hostfwd_add net tcp:127.0.0.1:{port}-{GUEST_ADDRESS}:{guest_port}"},
    )
    if answer:
        raise RuntimeError(f"the port cannot be forwarded: {answer}")
    return port
