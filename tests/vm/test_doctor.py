"""`doctor` on a system with planted faults: each is named, with the line to type."""

import json
import re

from harness.bridge import SERVICE
from harness.devices import Gadget
from harness.errors import Failure, check, same
from harness.far_end import linux_firmware
from harness.network import HOST_ADDRESS, bring_up, free_port
from harness.registry import make_certificate
from harness.states import send_file

SERIAL = "75437303"
#: A board that says nothing is tried at every rate first.
SILENT_SECONDS = 120


def uno_of(guest):
    guest.sh("modprobe -a libcomposite dummy_hcd")
    return Gadget(guest, "uno", serial=SERIAL, far_end=linux_firmware)


class Patient:
    """A guest and its doctor."""

    def __init__(self, context, guest):
        self.context, self.guest = context, guest

    def findings(self, user=None):
        """What it finds, and whether it says by its exit code that something blocks boards."""
        as_user = f"setpriv --reuid {user} --regid {user} --init-groups " if user else ""
        code, output = self.guest.try_sh(f"{as_user}microflo-bridge doctor --json 2>/run/doctor.err")
        check(output.startswith("["), f"no findings: {output}{self.guest.sh('cat /run/doctor.err')}")
        found = json.loads(output)
        same("exit code", code, 1 if any(finding["blocks"] for finding in found) else 0)
        return found

    def names(self, fault, what, subject, problem, command, user=None):
        """There is such a finding; each argument is a pattern."""
        found = self.findings(user)
        for finding in found:
            fits = (
                finding["check"] == what
                and re.search(subject, finding["subject"])
                and re.search(problem, finding["problem"])
            )
            if fits and re.search(command, finding["command"] or ""):
                self.context.say(f"{fault}: {finding['subject']}: {finding['problem']}  →  {finding['command']}")
                return
        raise Failure(
            f"{fault}: no finding {what!r} with /{subject}/, /{problem}/, /{command}/ among {json.dumps(found, indent=1)}"
        )

    def until_names(self, fault, *patterns, seconds=60):
        """The same for what the bridge notices after a while."""
        last = []

        def probe():
            try:
                self.names(fault, *patterns)
                return True
            except Failure as failure:
                last[:] = [failure]
                return False

        try:
            self.guest.until(fault, probe, seconds)
        except Failure:
            raise last[0] from None


def test_doctor_finds_nothing_that_blocks_on_a_sound_system(context):
    with context.states.running() as guest, uno_of(guest) as uno:
        patient = Patient(context, guest)
        uno.plug()
        guest.until_registered(serial=SERIAL)
        same("what blocks", [finding for finding in patient.findings() if finding["blocks"]], [])
        patient.names("no component map", "board", "ttyACM0", "no component map", "microflo-bridge firmware add")
        context.say(guest.sh("microflo-bridge doctor"))


def test_doctor_names_who_may_not_and_who_is_in_the_way(context):
    with context.states.running() as guest, uno_of(guest) as uno:
        patient = Patient(context, guest)
        guest.sh("useradd -m bob")
        patient.names(
            "not in the group", "bridge", "control.sock", "may not", "sudo usermod -aG dialout bob", user="bob"
        )

        guest.sh(f"systemctl stop {SERVICE} microflo-bridge.socket")
        uno.plug()
        guest.until("its tty", lambda: guest.try_sh("test -c /dev/ttyACM0")[0] == 0)
        guest.sh("udevadm settle; systemd-run -q --unit=holder flock /dev/ttyACM0 sleep 600")
        guest.sh(f"systemctl start microflo-bridge.socket {SERVICE}")
        guest.until_board(state="busy")
        patient.names("port holder", "holder", "ttyACM0", r"(flock|sleep).*\d+|\d+.*(flock|sleep)", r"^kill \d+")

        guest.sh(
            f"systemctl stop holder {SERVICE} microflo-bridge.socket; chown root:root /dev/ttyACM0; chmod 600 /dev/ttyACM0"
        )
        guest.sh(f"systemctl start microflo-bridge.socket {SERVICE}")
        guest.until_board(state="waiting-for-permission")
        patient.names("permission", "permission", "ttyACM0", "root", r"(chgrp|chown|chmod|udevadm|usermod|setfacl)")

        guest.sh(f"systemctl stop {SERVICE} microflo-bridge.socket")
        guest.sh("systemd-run -q --unit=web python3 -m http.server --bind 127.0.0.1 3569")
        guest.until("somebody listens", lambda: guest.try_sh("ss -ltn | grep -q :3569")[0] == 0)
        patient.names("port already listening", "listen", "127.0.0.1:3569", r"python3.*listens there", r"^kill \d+")


def test_doctor_names_programs_that_grab_ports(context):
    with context.states.running() as guest, uno_of(guest) as uno:
        patient = Patient(context, guest)
        guest.sh("ln -s /dev/null /etc/udev/rules.d/70-microflo-bridge.rules; udevadm control --reload")
        guest.sh("systemctl start ModemManager")
        uno.plug()
        guest.until("its tty", lambda: guest.try_sh("test -c /dev/ttyACM0")[0] == 0)
        patient.names(
            "ModemManager without the rule",
            "modem-manager",
            "ModemManager",
            "modems",
            "apt install --reinstall|systemctl stop",
        )
        patient.names("rules switched off", "udev", "udev", "not installed", "reinstall")
        guest.sh("rm /etc/udev/rules.d/70-microflo-bridge.rules; udevadm control --reload")
        patient.names(
            "ModemManager, plugged before the rule", "modem-manager", "ModemManager", "plugged in", "udevadm trigger"
        )
        guest.sh("udevadm trigger --action=add --subsystem-match=usb --subsystem-match=tty; udevadm settle")
        same("ModemManager with the rule", [f for f in patient.findings() if f["check"] == "modem-manager"], [])

        guest.sh(
            "systemctl stop ModemManager; systemd-run -q --unit=braille brltty --no-daemon --braille-driver=auto --braille-device=usb:"
        )
        guest.until("brltty runs", lambda: guest.try_sh("pgrep -x brltty")[0] == 0)
        patient.names("brltty", "brltty", "brltty", "braille", "apt remove brltty")


def test_doctor_names_what_a_board_lacks(context):
    with context.states.running() as guest:
        patient = Patient(context, guest)
        guest.sh("modprobe -a libcomposite dummy_hcd")
        with Gadget(guest, "silent", serial=SERIAL) as silent:
            silent.plug()
            patient.until_names(
                "silent board or wrong baud", "board", "ttyACM0", "baud|answer", "^microflo-bridge allow /dev/ttyACM0$", seconds=SILENT_SECONDS
            )
            silent.unplug()
        guest.until_none()
        # udev reads this again every three seconds only, or when it is told to.
        guest.sh("rmmod cdc_acm; echo 'install cdc_acm /bin/false' >/etc/modprobe.d/planted.conf; udevadm control --reload")
        with Gadget(guest, "undriven", serial=SERIAL, udc=0) as undriven:
            undriven.plug()
            patient.until_names("module not loaded", "driver", "2341:0043", "cdc_acm is not loaded", "modprobe cdc_acm")


def test_doctor_names_a_wrong_clock_and_a_registry_out_of_reach(context):
    with context.states.running() as guest:
        patient = Patient(context, guest)
        bring_up(guest)
        url = f"https://{HOST_ADDRESS}:{free_port()}"
        guest.configure(f'[[registry]]\nurl = "{url}"\ntoken = "secret-of-ann"')
        guest.until_active()
        patient.names("no CA certificates", "registry", re.escape(url), "No CA certificates", "apt install ca-certificates")
        make_certificate(guest.qemu.directory)
        send_file(guest, guest.qemu.directory / "authority.pem", "/etc/ssl/certs/ca-certificates.crt")
        patient.names("registry unreachable", "registry", re.escape(url), "refused|connect|reach", "^curl -v")
        check("secret-of-ann" not in guest.sh("microflo-bridge doctor 2>&1 || true"), "a token was printed")
        guest.sh("date -s 2020-01-01")
        patient.names("clock", "clock", "clock", "earlier", "timedatectl")
        guest.set_clock()
