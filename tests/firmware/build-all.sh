#!/usr/bin/env bash
# build-all.sh: everything that the tests on real firmware run against; a second run only checks. Prints what took how long.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

timed() {
  local start=$EPOCHREALTIME status=0
  "${@:2}" || status=$?
  printf '%6d ms  %s\n' $(((${EPOCHREALTIME/[.,]/} - ${start/[.,]/}) / 1000)) "$1"
  return $status
}

timed setup "$here/setup.sh"

# Two lanes: native firmware, and AVR with its emulator and core first.
linux() {
  local graph
  for graph in empty forward blink flood; do
    timed "linux/$graph" "$here/build-linux.sh" "$graph" "$here/graphs/$graph.fbp"
  done
  timed linux/core "$here/build-linux.sh" core "$here/graphs/repeat.fbp" "$here/components/core.json"
  timed linux/described "$here/build-linux.sh" --described Blinker described "$here/graphs/blink.fbp"
}
avr() {
  timed avr/mega-forward "$here/build-avr.sh" mega forward "$here/graphs/forward.fbp"
  timed avr/mega-flood "$here/build-avr.sh" mega flood "$here/graphs/flood.fbp"
  timed avr/uno-led "$here/build-avr.sh" uno led "$here/graphs/led.fbp"
  timed avr/uno-described "$here/build-avr.sh" --described Lamp uno described "$here/graphs/led.fbp"
  timed avr/mega-described "$here/build-avr.sh" --described Lamp mega described "$here/graphs/led.fbp"
  timed avr/mega-led "$here/build-avr.sh" mega led "$here/graphs/led.fbp"
}
linux & native=$!
avr & emulated=$!
status=0
wait $native || status=$?
wait $emulated || status=$?
[ $status = 0 ] || exit $status
say "rig ready in $rig"
