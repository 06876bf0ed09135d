#!/usr/bin/env bash
# Builds the Debian package and looks it over: units, rules, lintian, installing, upgrading and purging in a fresh Debian.
# Exits with 77 and the reason where that cannot be done.
#   udev/check.sh [FILE.deb]
set -euo pipefail
cd "$(dirname "$0")/.."

# What `systemd-analyze security` may find at most, in tenths.
MOST_EXPOSED=20
# The Debian that the package is installed in: a newer one than it is built on, with `udevadm verify`.
SUITE=trixie

skip() {
    echo "skipped: $*"
    exit 77
}

install_missing() {
    local missing=()
    command -v systemd-analyze >/dev/null || missing+=(systemd)
    command -v lintian >/dev/null || missing+=(lintian)
    command -v debootstrap >/dev/null || missing+=(debootstrap)
    command -v shellcheck >/dev/null || missing+=(shellcheck)
    [ ${#missing[@]} -gt 0 ] || return 0
    apt-get update -q && apt-get install -yq --no-remove --no-install-recommends -o DPkg::Lock::Timeout=300 "${missing[@]}"
}

# A fresh Debian, made once.
fresh_root() {
    local mirror
    [ -e "$base/made" ] && return 0
    mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep -v security | head -n 1)
    rm -rf "$base"
    mkdir -p "$base"
    debootstrap --variant=minbase --include=systemd,udev "$SUITE" "$base/root" "$mirror" >"$base/log" 2>&1 ||
        skip "debootstrap cannot make a $SUITE (log: $base/log)"
    touch "$base/made"
}

# Every file that a package may leave behind.
files() {
    (cd "$root" && find . -xdev \( -path ./proc -o -path ./var/lib/dpkg -o -path ./var/cache -o -path ./var/log \) -prune -o -print | sort)
}

check_units() {
    local unpacked=$work/unpacked
    dpkg-deb -x "$deb" "$unpacked"
    systemd-analyze security --offline=true --threshold=$MOST_EXPOSED --no-pager \
        "$unpacked/usr/lib/systemd/system/microflo-bridge.service" | tail -n 1
    echo
    cp -r "$unpacked/usr/lib/systemd/system" "$work/units"
    # The program is where the package was unpacked, not installed.
    sed -i "s|^ExecStart=|&$unpacked|" "$work/units/microflo-bridge.service"
    local said
    said=$(systemd-analyze verify --man=no "$work"/units/* 2>&1) || true
    # What it only warns of is wrong as well.
    [ -z "$said" ] || { echo "systemd-analyze verify: $said"; return 1; }
    echo "systemd-analyze verify: clean"
}

check_installing() {
    mkdir -p "$root"
    cp -a --reflink=auto "$base/root/." "$root"
    cp "$deb" "$root/package.deb"
    files >"$work/before"
    chroot "$root" dpkg -i package.deb >"$work/dpkg.log" 2>&1 || { cat "$work/dpkg.log"; return 1; }
    chroot "$root" udevadm verify --resolve-names=never /usr/lib/udev/rules.d/70-microflo-bridge.rules
    chroot "$root" microflo-bridge --version
    chroot "$root" microflo-bridge config show >"$work/config"
    grep -q '^listen .*default$' "$work/config"
    [ -L "$root/etc/systemd/system/multi-user.target.wants/microflo-bridge.service" ]
    [ -L "$root/etc/systemd/system/sockets.target.wants/microflo-bridge.socket" ]

    echo '# changed here' >>"$root/etc/microflo-bridge/config.toml"
    chroot "$root" dpkg -i package.deb >"$work/dpkg.log" 2>&1 || { cat "$work/dpkg.log"; return 1; }
    grep -q '^# changed here' "$root/etc/microflo-bridge/config.toml"
    echo "installing and upgrading: what was configured stays"

    # What the service would have written.
    mkdir -p "$root/var/lib/private/microflo-bridge" "$root/etc/microflo-bridge/conf.d" "$root/etc/credstore"
    ln -s private/microflo-bridge "$root/var/lib/microflo-bridge"
    touch "$root/var/lib/private/microflo-bridge/state.db" "$root/etc/credstore/microflo-bridge.registry_token"
    chroot "$root" dpkg --purge microflo-bridge >"$work/dpkg.log" 2>&1 || { cat "$work/dpkg.log"; return 1; }
    # The directories are the system's, whoever makes them first.
    files | grep -vxF -e ./var/lib/private -e ./etc/credstore >"$work/after"
    grep -vxF -e ./var/lib/private -e ./etc/credstore "$work/before" | diff - "$work/after"
    echo "purging: nothing is left"
}

command -v apt-get >/dev/null || skip "this is not Debian or Ubuntu"
[ "$(id -u)" = 0 ] || skip "only root can install what it needs, and install the package in a root directory of its own"
install_missing
base=${MICROFLO_RIG_DIR:-$PWD/target/rig}/debian-$SUITE
work=$(mktemp -d)
root=$work/root
trap 'rm -rf "$work"' EXIT
deb=${1:-$(udev/build-deb.sh)}

shellcheck --severity=warning udev/*.sh udev/debian/{postinst,prerm,postrm}
check_units
# Overrides, each with its reason: udev/debian/lintian-overrides.
lintian --fail-on error,warning "$deb"
echo "lintian: neither errors nor warnings"
fresh_root
check_installing
