#!/usr/bin/env python3
"""extract-vmlinux.py BZIMAGE VMLINUX: the kernel as it is after unpacking itself, which takes an emulated machine seconds."""

import lzma
import struct
import sys

SETUP_SECTORS = 0x1F1
PAYLOAD_OFFSET_AND_LENGTH = 0x248
SECTOR_BYTES = 512

with open(sys.argv[1], "rb") as file:
    image = file.read()
# The length counts the size that the kernel's build appends; an xz stream knows its own end.
offset, length = struct.unpack_from("<II", image, PAYLOAD_OFFSET_AND_LENGTH)
start = ((image[SETUP_SECTORS] or 4) + 1) * SECTOR_BYTES + offset
with open(sys.argv[2], "wb") as file:
    file.write(lzma.LZMADecompressor(format=lzma.FORMAT_XZ).decompress(image[start : start + length]))
