#!/bin/bash
# USB devices made inside the guest, on controllers of dummy_hcd. Each is a CDC-ACM port, as an Arduino Uno has.
#   gadget.sh make NAME VID:PID MAKER PRODUCT SERIAL   describes it (SERIAL may be empty: then it has none)
#   gadget.sh plug NAME UDC PORT                       joins its far end to a virtio port, then plugs it in
#   gadget.sh unplug NAME                              pulls it out; described it stays
set -euo pipefail
config=/sys/kernel/config
gadget=$config/usb_gadget/$2
wire=/run/wire-$2.pid

case $1 in
  make)
    mkdir "$gadget" && cd "$gadget"
    echo "0x${3%:*}" >idVendor
    echo "0x${3#*:}" >idProduct
    echo 0x0001 >bcdDevice
    echo 0x0200 >bcdUSB
    echo 0x02 >bDeviceClass
    mkdir strings/0x409 configs/c.1 functions/acm.0
    echo "$4" >strings/0x409/manufacturer
    echo "$5" >strings/0x409/product
    [ -z "$6" ] || echo "$6" >strings/0x409/serialnumber
    echo 100 >configs/c.1/MaxPower
    ln -s functions/acm.0 configs/c.1/
    ;;
  plug)
    if [ ! -e "$wire" ]; then
      /opt/vmtest/wire "/dev/ttyGS$(cat "$gadget/functions/acm.0/port_num")" "/dev/virtio-ports/$4" </dev/null >/dev/null 2>&1 &
      echo $! >"$wire"
    fi
    echo "$3" >"$gadget/UDC"
    ;;
  unplug)
    echo >"$gadget/UDC"
    kill "$(cat "$wire")"
    rm "$wire"
    ;;
esac
