#!/usr/bin/env bash
# build-linux.sh [--described LABEL] NAME GRAPH.fbp [LIBRARY.json]: upstream's firmware for its linux target, which serves a PTY.
# Leaves $RIG/linux/NAME/{firmware, componentlib-map.json, main.json}; run it with the path of the link to make:
#   firmware /path/to/board.microflo
# --described: a self-describing board; its second argument is the file that keeps its id and label.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
main=linux_main.hpp
described=()
if [ "${1:-}" = --described ]; then
  main=$arduino_dir/described_linux_main.hpp described=(--label "$2")
  shift 2
fi
[ $# -ge 2 ] && [ $# -le 3 ] || usage '[--described LABEL] NAME GRAPH.fbp [LIBRARY.json]'
name=$1 graph=$(realpath "$2")
require_setup
lock "linux-$name"
library=$(realpath "${3:-$modules/microflo-core/components/linux-standard.json}") # the generator wants it absolute

out=$rig/linux/$name
wanted=$(digest "$graph" "$library" "$here/package-lock.json" "${BASH_SOURCE[0]}" "$here/lib.sh" \
  "$here/node/collection.js")
# A library of one's own names its components beside it: they count too.
[ $# -lt 3 ] || wanted+=$(digest "$(dirname "$library")"/*.hpp)
[ ${#described[@]} = 0 ] || wanted+=" ${described[*]} $(described_digest)"
! fresh "$out/.built" "$wanted" || exit 0

rm -rf "$out"
mkdir -p "$out"
generate linux "$main" "$graph" "$library" "$out"
node "$here/node/collection.js" "$library" "$out/componentlib-map.json"
[ ${#described[@]} = 0 ] || describe "$out" "${described[@]}"
g++ -O1 -w -std=c++11 -I "$out" -I "$modules/microflo/microflo" -I "$modules/microflo-core/components" \
  "$out/main.cpp" -o "$out/firmware" -lrt -lutil
printf '%s\n' "$wanted" >"$out/.built"
