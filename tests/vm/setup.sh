#!/usr/bin/env bash
# What the VM suite needs on the host: a few tools from apt, and QEMU. Where QEMU is not installed its packages are only
# unpacked into the cache directory, so that nothing on the host is replaced by them.
# Exit 77 with "skipped: why" where that is impossible. The last line tells how to start QEMU.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
lock setup

[ "$(id -u)" = 0 ] || skip "not root, which making the guest's root file system needs"
command -v apt-get >/dev/null || skip "no apt-get to build the guest from"
[ "$(dpkg --print-architecture)" = amd64 ] || skip "the guest is built for amd64 only"

missing=()
need() { command -v "$1" >/dev/null || missing+=("$2"); }
need debootstrap debootstrap
need modprobe kmod
need cpio cpio
need mke2fs e2fsprogs
need python3 python3
need gcc gcc
if [ ${#missing[@]} -gt 0 ]; then
  say "installing ${missing[*]}"
  install() { apt install -y --no-remove --no-install-recommends "${missing[@]}" libc6-dev >"$vm/apt.log" 2>&1; }
  # A fresh image has no package lists; a running one needs no new ones.
  install || { apt update >"$vm/apt.log" 2>&1 || true; install; } ||
    { tail -n 5 "$vm/apt.log" >&2; skip "apt-get cannot install ${missing[*]} (log: $vm/apt.log)"; }
fi

# qemu_packages: QEMU and those of the packages it depends on that the host lacks.
qemu_packages() { apt -s --no-install-recommends install qemu-system-x86 | awk '$1 == "Inst" { print $2 }'; }

unpack_qemu() {
  local packages work=$vm/.qemu
  if ! packages=$(qemu_packages) || [ -z "$packages" ]; then
    apt update >"$vm/apt.log" 2>&1 || return 1
    packages=$(qemu_packages)
  fi
  rm -rf "$work" && mkdir -p "$work/debs" "$work/root"
  # shellcheck disable=SC2086
  (cd "$work/debs" && apt download $packages >"$vm/apt.log" 2>&1) || return 1
  local deb
  for deb in "$work"/debs/*.deb; do dpkg -x "$deb" "$work/root"; done
  rm -rf "$vm/qemu" && mv "$work/root" "$vm/qemu" && rm -rf "$work"
}

if ! command -v qemu-system-x86_64 >/dev/null && [ ! -x "$vm/qemu/usr/bin/qemu-system-x86_64" ]; then
  say "unpacking QEMU"
  unpack_qemu || { tail -n 5 "$vm/apt.log" >&2; skip "QEMU's packages cannot be fetched (log: $vm/apt.log)"; }
fi
