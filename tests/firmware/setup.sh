#!/usr/bin/env bash
# Installs what the rig is built from: compilers, simavr and the Arduino core from apt, upstream's npm packages into
# the cache directory. Exit 77 with "skipped: why" where that is impossible.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
lock setup

# What is missing, as Debian package names. Anything already there by other means (a newer node, say) is left alone.
missing=()
need() { "${@:2}" >/dev/null 2>&1 || missing+=("$1"); }
need g++ command -v g++
need gcc command -v gcc
need make command -v make
need libc6-dev test -e /usr/include/pty.h
need gcc-avr command -v avr-g++
need binutils-avr command -v avr-objcopy
need avr-libc test -e /usr/lib/avr/include/avr/io.h
need arduino-core-avr test -e /usr/share/arduino/hardware/arduino/avr/cores/arduino/Arduino.h
need libsimavr-dev test -e /usr/include/simavr/sim_avr.h
need nodejs command -v node
need npm command -v npm

if [ ${#missing[@]} -gt 0 ]; then
  [ "$(id -u)" = 0 ] || skip "not root, and these packages are missing: ${missing[*]}"
  command -v apt-get >/dev/null || skip "no apt-get, and these packages are missing: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  say "installing ${missing[*]}"
  install() { apt-get install -y -qq --no-remove --no-install-recommends "${missing[@]}" >"$rig/apt.log" 2>&1; }
  # A fresh image has no package lists; a running one needs no new ones.
  install || { apt-get update -qq >"$rig/apt.log" 2>&1 || true; install; } ||
    { tail -n 5 "$rig/apt.log" >&2; skip "apt-get cannot install ${missing[*]} (log: $rig/apt.log)"; }
fi

stamp=$npm_dir/.installed
wanted=$(digest "$here/package.json" "$here/package-lock.json")
if ! fresh "$stamp" "$wanted"; then
  say "installing npm packages"
  mkdir -p "$npm_dir"
  cp "$here/package.json" "$here/package-lock.json" "$npm_dir"
  # No install scripts: native modules that nothing here uses would be built.
  (cd "$npm_dir" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) >"$rig/npm.log" 2>&1 ||
    { tail -n 5 "$rig/npm.log" >&2; skip "npm ci failed (log: $rig/npm.log)"; }
  printf '%s\n' "$wanted" >"$stamp"
fi
