# Sourced by the rig's scripts: where things are, and the words they print.
# shellcheck shell=bash

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$here/../.." && pwd)

# Everything the rig downloads or builds lives here; deleting it is always safe.
mkdir -p "${MICROFLO_RIG_DIR:-$repo/target/rig}"
rig=$(cd "${MICROFLO_RIG_DIR:-$repo/target/rig}" && pwd)
npm_dir=$rig/npm
modules=$npm_dir/node_modules

say() { printf '%s\n' "$*"; }
fail() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

# The rig cannot run here. A test that sees 77 reports the reason instead of passing.
skip() { printf 'skipped: %s\n' "$*"; exit 77; }

usage() { printf 'usage: %s %s\n' "$(basename "$0")" "$*" >&2; exit 2; }

# fresh STAMP VALUE: has this exact thing been built already?
fresh() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }

# lock NAME: tests run in parallel and may all want the same thing built; held until the script ends.
lock() { exec 9>"$rig/.lock-$1"; flock 9; }

# digest FILE...: one hash over the contents.
digest() { cat -- "$@" | sha256sum | cut -d' ' -f1; }

require_setup() { [ -d "$modules/microflo" ] || "$here/setup.sh" >&2; }

# The bridge itself, which makes the headers of self-describing boards.
program=${MICROFLO_BRIDGE:-$repo/target/debug/microflo-bridge}
arduino_dir=$repo/firmware-proto/arduino
described_digest() { digest "$arduino_dir"/*.hpp "$repo"/firmware-proto/src/descriptor/*.rs "$repo"/src/pure/descriptor/*.rs; }

# describe OUTDIR OPTIONS...: the header of a self-describing board, into OUTDIR.
describe() {
  [ -x "$program" ] || fail "there is no $program; run \`cargo build\` first, or set MICROFLO_BRIDGE"
  "$program" firmware descriptor "${@:2}" "$1" >"$1/descriptor.h"
}

# generate TARGET MAINFILE GRAPH LIBRARY OUTDIR: upstream's generator, with its native serialport module stubbed out. MAINFILE is one
# of upstream's, or an absolute path.
generate() {
  local main=$2
  [ "${main#/}" != "$main" ] || main=$modules/microflo/microflo/$main
  node -r "$here/node/serialport.js" "$modules/microflo/microflo.js" generate "$3" "$5/main.cpp" \
    --target "$1" --mainfile "$main" --library "$4"
  # The generator can fail and still exit 0.
  local file
  for file in main.cpp main.json componentlib-map.json; do
    [ -s "$5/$file" ] || fail "the generator wrote no $file for $3"
  done
}
