#!/usr/bin/env bash
# build-avr.sh [--described LABEL] uno|mega NAME GRAPH.fbp: upstream's Arduino firmware, as the ELF file that avrboard runs.
# Leaves $RIG/avr/BOARD-NAME/{fw.elf, componentlib-map.json, main.json} and, once, $RIG/avrboard. --described: a self-describing board.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
main=arduino_main.hpp
described=()
if [ "${1:-}" = --described ]; then
  main=$arduino_dir/described_arduino_main.hpp described=(--label "$2")
  shift 2
fi
[ $# = 3 ] || usage '[--described LABEL] uno|mega NAME GRAPH.fbp'
board=$1 name=$2 graph=$(realpath "$3")

# What the Arduino IDE knows about a board; the defaults for nodes and messages do not fit into an Uno's 2 kB of RAM.
case $board in
  uno)
    mcu=atmega328p variant=standard define=ARDUINO_AVR_UNO limits=(-DMICROFLO_NODE_LIMIT=20 -DMICROFLO_MESSAGE_LIMIT=30)
    [ ${#described[@]} = 0 ] || described+=(--node-limit 20 --message-limit 30)
    ;;
  mega) mcu=atmega2560 variant=mega define=ARDUINO_AVR_MEGA2560 limits=() ;;
  *) usage '[--described LABEL] uno|mega NAME GRAPH.fbp' ;;
esac
require_setup

arduino=/usr/share/arduino/hardware/arduino/avr
common=(-c -Os -w -ffunction-sections -fdata-sections -flto -fno-fat-lto-objects "-mmcu=$mcu"
  -DF_CPU=16000000L -DARDUINO=10819 "-D$define" -DARDUINO_ARCH_AVR
  -I "$arduino/cores/arduino" -I "$arduino/variants/$variant")
# Debian's gcc-avr is 5.4, whose <float.h> has no DECIMAL_DIG in C++; the Arduino core expects it.
cxx=("${common[@]}" -DDECIMAL_DIG=__DECIMAL_DIG__ -std=gnu++11 -fpermissive -fno-exceptions -fno-threadsafe-statics)

# build_dir: results are moved from here into place when complete, so that an interrupted build leaves no half of one.
build_dir() { mkdir -p "$rig/avr" && mktemp -d "$rig/avr/.build.XXXXXX"; }
work=
trap '[ -z "$work" ] || rm -rf "$work"' EXIT

build_emulator() {
  local wanted
  wanted=$(digest "$here/avrboard.c")
  ! fresh "$rig/avrboard.built" "$wanted" || return 0
  work=$(build_dir)
  gcc -O2 -Wall -Wextra -I /usr/include/simavr "$here/avrboard.c" -o "$work/avrboard" -lsimavr -lutil
  mv "$work/avrboard" "$rig/avrboard"
  printf '%s\n' "$wanted" >"$rig/avrboard.built"
  rm -rf "$work"
}

# The Arduino core, once per board.
core=$rig/avr/core-$board.a
build_core() {
  [ ! -f "$core" ] || return 0
  work=$(build_dir)
  local source
  for source in "$arduino"/cores/arduino/*.c; do
    avr-gcc "${common[@]}" -std=gnu11 "$source" -o "$work/$(basename "$source").o"
  done
  for source in "$arduino"/cores/arduino/*.S; do
    avr-gcc "${common[@]}" -x assembler-with-cpp "$source" -o "$work/$(basename "$source").o"
  done
  for source in "$arduino"/cores/arduino/*.cpp; do
    avr-g++ "${cxx[@]}" "$source" -o "$work/$(basename "$source").o"
  done
  avr-gcc-ar rcs "$work/core.a" "$work"/*.o
  mv "$work/core.a" "$core"
  rm -rf "$work"
}

build_firmware() {
  local out=$rig/avr/$board-$name wanted
  wanted=$(digest "$graph" "$here/package-lock.json" "${BASH_SOURCE[0]}" "$here/lib.sh")
  [ ${#described[@]} = 0 ] || wanted+=" ${described[*]} $(described_digest)"
  ! fresh "$out/.built" "$wanted" || return 0
  work=$(build_dir)
  # Plain `arduino` would generate a sketch that never loads its embedded graph.
  generate arduino:avr "$main" "$graph" "$modules/microflo-core/components/arduino-standard.json" "$work"
  [ ${#described[@]} = 0 ] || describe "$work" "${described[@]}"
  avr-g++ "${cxx[@]}" "${limits[@]}" -include Arduino.h \
    -I "$work" -I "$modules/microflo/microflo" -I "$modules/microflo-core/components" "$work/main.cpp" -o "$work/sketch.o"
  avr-gcc -w -Os -flto -fuse-linker-plugin -Wl,--gc-sections "-mmcu=$mcu" -o "$work/fw.elf" "$work/sketch.o" "$core" -lm
  printf '%s\n' "$wanted" >"$work/.built"
  rm -rf "$out"
  mv "$work" "$out"
}

lock avr
build_emulator
build_core
lock "avr-$board-$name"
build_firmware
