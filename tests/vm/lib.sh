# Sourced by the VM suite's scripts: where things are, and the words they print.
# shellcheck shell=bash

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$here/../.." && pwd)

# Everything that the suite downloads or builds lives here; deleting it is always safe.
mkdir -p "${MICROFLO_VM_DIR:-$repo/target/vm}"
vm=$(cd "${MICROFLO_VM_DIR:-$repo/target/vm}" && pwd)

say() { printf '%s\n' "$*"; }
fail() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

# The suite cannot run here. Whoever sees 77 reports the reason instead of passing.
skip() { printf 'skipped: %s\n' "$*"; exit 77; }

# fresh STAMP VALUE: has this exact thing been built already?
fresh() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }

# digest FILE...: one hash over the contents.
digest() { cat -- "$@" | sha256sum | cut -d' ' -f1; }

# lock NAME: two runs may want the same thing built; held until the script ends.
lock() { exec 9>"$vm/.lock-$1"; flock 9; }

export DEBIAN_FRONTEND=noninteractive
apt() { apt-get -q -o DPkg::Lock::Timeout=300 -o APT::Sandbox::User=root "$@"; }
