#!/usr/bin/env bash
# upstream-runtime.sh DEVICE COMPONENT-MAP [PORT]: microflo 0.4.4's own host on a board, to compare the bridge with.
# Prints "listening PORT" once a client can connect to ws://127.0.0.1:PORT/, then runs until it is killed.
# WAIT_CONNECT (seconds) lets a board that resets when it is opened boot first.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
[ $# -ge 2 ] && [ $# -le 3 ] || usage 'DEVICE COMPONENT-MAP [PORT]'
device=$1 map=$2 port=${3:-3569}
require_setup

# One process in the end, so that the caller's signal reaches the host itself.
export MICROFLO_RIG_PORT=$device
exec node -r "$here/node/serialport.js" -r "$here/node/announce.js" "$modules/microflo/microflo.js" runtime \
  --serial "$device" --baudrate "${BAUDRATE:-9600}" --componentmap "$map" --ip 127.0.0.1 --port "$port" \
  --wait-connect "${WAIT_CONNECT:-0}" --id 00000000-0000-4000-8000-000000000000
