#!/usr/bin/env bash
# Builds the guest: Debian's kernel and root file system, nothing of the bridge. Leaves kernel, initrd, root.ext4 and an
# empty scratch.ext4 (what the guest writes goes there) in the cache directory; a second run only checks. About two minutes.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
"$here/setup.sh"
lock build

suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-bookworm}")
wanted="$suite $(digest "$here/build.sh" "$here/extract-vmlinux.py" "$here"/guest/*.* "$here"/guest/{init,modules,packages,masked-units})"
! fresh "$vm/image.built" "$wanted" || exit 0
rm -f "$vm/image.built"
listed() { grep -v '^#' "$here/guest/$1"; }

get_kernel() {
  [ ! -d "$vm/kernel/boot" ] || return 0
  say "fetching the kernel"
  local work=$vm/.kernel package
  # The cloud kernel has no USB serial drivers.
  package=$(apt-cache depends linux-image-amd64 2>/dev/null | awk '/Depends:/ { print $2; exit }') || true
  [ -n "$package" ] || skip "there is no package linux-image-amd64, which Debian has, for the guest's kernel"
  rm -rf "$work" && mkdir -p "$work/debs"
  (cd "$work/debs" && apt download "$package" busybox-static >"$vm/apt.log" 2>&1) || skip "the guest's kernel cannot be fetched (log: $vm/apt.log)"
  local deb
  for deb in "$work"/debs/*.deb; do dpkg -x "$deb" "$work"; done
  depmod -b "$work" "$(basename "$work"/lib/modules/*)"
  mv "$work" "$vm/kernel"
}

# The packages as debootstrap left them, kept apart, so that a change to the guest's own files costs seconds.
get_packages() {
  local key
  key="$suite $(digest "$here/guest/packages")"
  ! fresh "$vm/packages.built" "$key" || return 0
  say "installing the guest's packages"
  rm -rf "$vm/packages" "$vm/packages.built"
  mkdir -p "$vm/debs"
  debootstrap --variant=minbase --cache-dir="$vm/debs" --include="$(listed packages | paste -sd,)" "$suite" "$vm/packages" >"$vm/debootstrap.log" 2>&1 ||
    { tail -n 5 "$vm/debootstrap.log" >&2; skip "debootstrap cannot install the guest (log: $vm/debootstrap.log)"; }
  # In the guest that would take half a minute.
  systemd-hwdb --root="$vm/packages" --usr update 2>/dev/null || chroot "$vm/packages" systemd-hwdb --usr update
  rm -rf "$vm"/packages/var/cache/apt/* "$vm"/packages/var/lib/apt/lists/* "$vm"/packages/usr/share/doc/*
  printf '%s\n' "$key" >"$vm/packages.built"
}

# modules_of NAME...: their files, in the order in which they must be loaded.
modules_of() {
  local name
  for name in "$@"; do modprobe -d "$vm/kernel" -S "$release" --show-depends "$name"; done |
    awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

fill_root() {
  local file
  root=$vm/.root
  rm -rf "$root" && cp -a "$vm/packages" "$root"
  mkdir -p "$root/usr/lib/modules/$release"
  # shellcheck disable=SC2046
  modules_of $(listed modules | sed 's/^first //') | while read -r file; do
    install -D -m 644 "$file" "$root/usr/lib/modules/$release/${file#*/"$release"/}"
  done
  cp "$vm/kernel/lib/modules/$release"/modules.{builtin,builtin.modinfo,order} "$root/usr/lib/modules/$release/"
  depmod -b "$root" "$release"

  echo vmtest >"$root/etc/hostname"
  : >"$root/etc/fstab"
  echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"
  passwd -R "$root" -d root >/dev/null
  install -D -m 755 "$here/guest/agent.py" "$root/opt/vmtest/agent.py"
  install -m 755 "$here/guest/gadget.sh" "$here/guest/watch.py" "$root/opt/vmtest/"
  local tool
  for tool in wire wedge; do gcc -O2 -Wall -Wextra -static "$here/guest/$tool.c" -o "$root/opt/vmtest/$tool"; done

  local units=$root/etc/systemd/system unit
  install -D -m 644 "$here/guest/agent.service" "$units/agent.service"
  mkdir -p "$units/multi-user.target.wants"
  ln -sf ../agent.service "$units/multi-user.target.wants/agent.service"
  ln -sf /lib/systemd/system/multi-user.target "$units/default.target"
  # It is there for the tests that are about it.
  rm -f "$units"/multi-user.target.wants/ModemManager.service "$units"/dbus-org.freedesktop.ModemManager1.service
  listed masked-units | while read -r unit; do ln -sf /dev/null "$units/$unit"; done
}

fill_initrd() {
  local work=$vm/.initrd file
  rm -rf "$work" && mkdir -p "$work"/{bin,proc,sys,dev,root,modules}
  cp "$vm/kernel/bin/busybox" "$work/bin/"
  install -m 755 "$here/guest/init" "$work/init"
  # shellcheck disable=SC2046
  modules_of $(listed modules | sed -n 's/^first //p') | while read -r file; do
    cp "$file" "$work/modules/"
    basename "$file" >>"$work/modules/list"
  done
  (cd "$work" && find . | cpio -o -H newc --quiet) >"$vm/initrd"
  rm -rf "$work"
}

get_kernel
get_packages
release=$(basename "$vm"/kernel/lib/modules/*)
say "building the guest's image"
fill_root
fill_initrd
python3 "$here/extract-vmlinux.py" "$vm/kernel/boot/vmlinuz-$release" "$vm/vmlinux"
rm -f "$vm/root.ext4" "$vm/scratch.ext4"
mke2fs -q -t ext4 -O ^has_journal,^metadata_csum -E lazy_itable_init=0 -d "$root" "$vm/root.ext4" 900M
mke2fs -q -t ext4 -O ^has_journal,^metadata_csum -E lazy_itable_init=0 "$vm/scratch.ext4" 300M
rm -rf "$root"
printf '%s\n' "$wanted" >"$vm/image.built"
