"""What the package does to a system, and what it leaves when it goes."""

from harness.bridge import PACKAGE, SERVICE
from harness.devices import Gadget
from harness.errors import check, same
from harness.far_end import linux_firmware
from harness.states import INSTALL_SECONDS

#: Of `systemd-analyze security`, where 10 is the worst.
MOST_EXPOSED = 2.0
#: Everything that the system writes by itself.
NOT_OURS = (
    "/proc",
    "/sys",
    "/dev",
    "/run",
    "/tmp",
    "/var/tmp",
    "/var/log",
    "/var/cache",
    "/var/lib/dpkg",
    "/var/lib/systemd",
    "/opt/vmtest",
)


def files(guest):
    """All files that could be left behind."""
    pruned = " -o ".join(f"-path {path}" for path in NOT_OURS)
    return set(guest.sh(f"find / \\( {pruned} \\) -prune -o -print").splitlines())


def accounts(guest):
    return guest.sh("cat /etc/passwd /etc/group /etc/shadow")


def test_the_package_is_installed_used_and_purged_without_a_trace(context):
    with context.states.blank() as guest:
        guest.sh("modprobe -a libcomposite dummy_hcd")
        before, accounts_before = files(guest), accounts(guest)
        context.states.install(guest)
        guest.until_active()
        with Gadget(guest, "uno", serial="75437303", far_end=linux_firmware) as uno:
            uno.plug()
            board, pid = guest.until_registered(serial="75437303"), guest.pid()
            guest.sh("microflo-bridge label /dev/ttyACM0 Greenhouse")
            # An upgrade while it is in use.
            context.states.install_again(guest)
            same("after the upgrade", guest.until_registered(label="Greenhouse")["id"], board["id"])
            check(guest.pid() != pid, "the old program still runs")
            guest.sh(f"dpkg --purge {PACKAGE}", INSTALL_SECONDS)
            # udev remembers the tags of a device until it is unplugged, and the names of tags until the next start.
            uno.unplug()
            guest.sh("udevadm settle")
        same("left behind", sorted(files(guest) - before), [])
        same("missing", sorted(before - files(guest)), [])
        same("accounts", accounts(guest), accounts_before)
        same("units", guest.try_sh("systemctl list-units --all --no-legend --plain 'microflo*'")[1], "")
        same("in /run", guest.sh("find /run -name '*microflo*' -not -path '/run/udev/tags/*'"), "")
        same("processes", guest.try_sh(f"pgrep -x {PACKAGE}")[1], "")
        check("microflo" not in guest.sh("udevadm info --export-db"), "udev still has the package's tags")


def test_the_service_is_unprivileged(context):
    with context.states.running() as guest:
        pid = guest.pid()
        status = dict(line.split(":", 1) for line in guest.sh(f"cat /proc/{pid}/status").splitlines() if ":" in line)
        check(status["Uid"].split()[0] != "0", "it runs as root")
        for capabilities in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            same(capabilities, int(status[capabilities], 16), 0)
        same("NoNewPrivs", status["NoNewPrivs"].strip(), "1")
        last = guest.sh(f"systemd-analyze security {SERVICE} --no-pager").splitlines()[-1]
        score = float(last.split(": ")[1].split()[0])
        context.say(f"systemd-analyze security: {score}")
        check(score <= MOST_EXPOSED, last)
        units = guest.sh(f"dpkg -L {PACKAGE} | grep -E '/systemd/system/.*[.](service|socket)$'").split()
        check(len(units) >= 2, f"units: {units}")
        code, words = guest.try_sh(f"systemd-analyze verify --man=no {' '.join(units)}")
        same("systemd-analyze verify", (code, words), (0, ""))


def test_users_in_dialout_may_and_others_are_told_what_to_do(context):
    with context.states.running() as guest:
        guest.sh("modprobe -a libcomposite dummy_hcd; useradd -m ann -G dialout; useradd -m bob")
        with Gadget(guest, "uno", serial="75437303", far_end=linux_firmware) as uno:
            uno.plug()
            board = guest.until_registered(serial="75437303")
            listed = guest.sh("setpriv --reuid ann --regid ann --init-groups microflo-bridge list")
            check(board["label"] in listed, listed)
            guest.sh("setpriv --reuid ann --regid ann --init-groups microflo-bridge label /dev/ttyACM0 Greenhouse")
            same("label", guest.until_board(state="ready")["label"], "Greenhouse")
            code, words = guest.try_sh("setpriv --reuid bob --regid bob --init-groups microflo-bridge list")
            check(code != 0, "somebody who is not in dialout may use the bridge")
            check("usermod -aG dialout" in words, f"it does not say what to do: {words}")
            context.say(f"bob is told: {words}")
