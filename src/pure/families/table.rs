//! The tables: which USB ids are boards, bootloaders and chips, as the boards' own Arduino cores list them.

use super::Family;

/// A board's USB ids.
pub(super) struct Board {
    pub(super) vid: u16,
    /// While the sketch runs.
    pub(super) pid: u16,
    /// While it waits to be flashed, where that has an id of its own.
    pub(super) bootloader: Option<u16>,
    pub(super) family: Family,
}

/// A chip; without a PID every product of the vendor.
pub(super) struct Chip {
    pub(super) vid: u16,
    pub(super) pid: Option<u16>,
    pub(super) family: Family,
}

const fn board(vid: u16, pid: u16, family: Family) -> Board {
    Board { vid, pid, bootloader: None, family }
}

const fn flashable(vid: u16, pid: u16, bootloader: u16, family: Family) -> Board {
    Board { vid, pid, bootloader: Some(bootloader), family }
}

const fn chip(vid: u16, pid: u16, name: &'static str) -> Chip {
    Chip { vid, pid: Some(pid), family: Family::bridged(name) }
}

const fn vendor(vid: u16, name: &'static str) -> Chip {
    Chip { vid, pid: None, family: Family::bridged(name) }
}

/// Boards, by exact VID:PID.
#[rustfmt::skip]
pub(super) const BOARDS: &[Board] = &[
    board(0x2341, 0x0043, Family::bridged("Arduino Uno")),
    board(0x2341, 0x0001, Family::bridged("Arduino Uno")),
    board(0x2341, 0x0243, Family::bridged("Arduino Uno")),
    board(0x2341, 0x006a, Family::bridged("Arduino Uno")),
    board(0x2a03, 0x0043, Family::bridged("Arduino Uno")),
    board(0x2341, 0x0062, Family::bridged("Arduino Uno Mini")),
    board(0x2a03, 0x0057, Family::bridged("Arduino Uno WiFi")),
    board(0x2341, 0x0010, Family::bridged("Arduino Mega")),
    board(0x2341, 0x0042, Family::bridged("Arduino Mega")),
    board(0x2341, 0x0210, Family::bridged("Arduino Mega")),
    board(0x2341, 0x0242, Family::bridged("Arduino Mega")),
    board(0x2a03, 0x0010, Family::bridged("Arduino Mega")),
    board(0x2a03, 0x0042, Family::bridged("Arduino Mega")),
    board(0x2341, 0x003f, Family::bridged("Arduino Mega ADK")),
    board(0x2341, 0x0044, Family::bridged("Arduino Mega ADK")),
    board(0x2a03, 0x003f, Family::bridged("Arduino Mega ADK")),
    board(0x2a03, 0x0044, Family::bridged("Arduino Mega ADK")),
    board(0x2341, 0x003d, Family::bridged("Arduino Due")),
    board(0x2a03, 0x003d, Family::bridged("Arduino Due")),
    board(0x2341, 0x0058, Family::companion("Arduino Nano Every")),
    board(0x2341, 0x1002, Family::companion("Arduino Uno R4 WiFi")),
    flashable(0x2341, 0x8036, 0x0036, Family::native("Arduino Leonardo")),
    flashable(0x2341, 0x8037, 0x0037, Family::native("Arduino Micro")),
    flashable(0x2341, 0x803c, 0x003c, Family::native("Arduino Esplora")),
    flashable(0x2341, 0x8041, 0x0041, Family::native("Arduino Yún")),
    flashable(0x2341, 0x8038, 0x0038, Family::native("Arduino Robot Control")),
    flashable(0x2341, 0x8039, 0x0039, Family::native("Arduino Robot Motor")),
    flashable(0x2a03, 0x8036, 0x0036, Family::native("Arduino Leonardo")),
    flashable(0x2a03, 0x8037, 0x0037, Family::native("Arduino Micro")),
    flashable(0x2a03, 0x803c, 0x003c, Family::native("Arduino Esplora")),
    flashable(0x2a03, 0x8041, 0x0041, Family::native("Arduino Yún")),
    flashable(0x2a03, 0x8038, 0x0038, Family::native("Arduino Robot Control")),
    flashable(0x2a03, 0x8039, 0x0039, Family::native("Arduino Robot Motor")),
    flashable(0x2341, 0x8237, 0x0237, Family::native("Arduino Micro")),
    flashable(0x2a03, 0x8040, 0x0040, Family::native("Arduino Leonardo ETH")),
    flashable(0x2a03, 0x8050, 0x0050, Family::native("Arduino Yún Mini")),
    flashable(0x2a03, 0x8056, 0x0056, Family::native("Arduino Industrial 101")),
    board(0x2341, 0x003e, Family::native("Arduino Due")),
    board(0x2a03, 0x003e, Family::native("Arduino Due")),
    flashable(0x2341, 0x804d, 0x004d, Family::native("Arduino Zero")),
    flashable(0x2341, 0x824d, 0x024d, Family::native("Arduino Zero")),
    flashable(0x2341, 0x804e, 0x004e, Family::native("Arduino MKR1000")),
    flashable(0x2341, 0x824e, 0x024e, Family::native("Arduino MKR1000")),
    flashable(0x2341, 0x804f, 0x004f, Family::native("Arduino MKR Zero")),
    flashable(0x2341, 0x8050, 0x0050, Family::native("Arduino MKR FOX 1200")),
    flashable(0x2341, 0x8052, 0x0052, Family::native("Arduino MKR GSM 1400")),
    flashable(0x2341, 0x8053, 0x0053, Family::native("Arduino MKR WAN 1300")),
    flashable(0x2341, 0x8054, 0x0054, Family::native("Arduino MKR WiFi 1010")),
    flashable(0x2341, 0x8055, 0x0055, Family::native("Arduino MKR NB 1500")),
    flashable(0x2341, 0x8056, 0x0056, Family::native("Arduino MKR Vidor 4000")),
    flashable(0x2341, 0x8057, 0x0057, Family::native("Arduino Nano 33 IoT")),
    flashable(0x2341, 0x8059, 0x0059, Family::native("Arduino MKR WAN 1310")),
    flashable(0x2341, 0x805a, 0x005a, Family::native("Arduino Nano 33 BLE")),
    flashable(0x2a03, 0x804d, 0x004d, Family::native("Arduino M0")),
    flashable(0x2a03, 0x804e, 0x004e, Family::native("Arduino M0")),
    flashable(0x2a03, 0x804f, 0x004f, Family::native("Arduino M0 Pro")),
    board(0x2341, 0x005e, Family::native("Arduino Nano RP2040 Connect")),
    flashable(0x2341, 0x025b, 0x035b, Family::native("Arduino Portenta H7")),
    flashable(0x2341, 0x0266, 0x0366, Family::native("Arduino Giga R1")),
    flashable(0x2341, 0x0068, 0x0368, Family::native("Arduino Portenta C33")),
    flashable(0x2341, 0x0069, 0x0369, Family::native("Arduino Uno R4 Minima")),
    board(0x2341, 0x006d, Family::native("Arduino Uno R4 WiFi")),
    flashable(0x2341, 0x0074, 0x0374, Family::native("Arduino Nano R4")),
    board(0x2341, 0x0070, Family::native("Arduino Nano ESP32")),
    flashable(0x1b4f, 0x9204, 0x9203, Family::native("SparkFun Pro Micro 3.3 V")),
    flashable(0x1b4f, 0x9206, 0x9205, Family::native("SparkFun Pro Micro 5 V")),
    flashable(0x1b4f, 0x9208, 0x9207, Family::native("LilyPad Arduino USB")),
    flashable(0x1b4f, 0xf101, 0xf100, Family::native("SparkFun Fio v3")),
    flashable(0x1b4f, 0x2b75, 0x2b74, Family::native("SparkFun MaKey MaKey")),
    flashable(0x1b4f, 0x516d, 0x516c, Family::native("Qduino Mini")),
    flashable(0x1b4f, 0x8d21, 0x0d21, Family::native("SparkFun SAMD21")),
    flashable(0x1b4f, 0xf015, 0x0015, Family::native("SparkFun RedBoard Turbo")),
    flashable(0x1b4f, 0xf016, 0x0016, Family::native("SparkFun SAMD51 Thing Plus")),
    flashable(0x239a, 0x8004, 0x0004, Family::native("Adafruit Flora")),
    flashable(0x239a, 0x800c, 0x000c, Family::native("Adafruit Feather 32u4")),
    flashable(0x239a, 0x800d, 0x000d, Family::native("Adafruit ItsyBitsy 32u4 3 V")),
    flashable(0x239a, 0x800e, 0x000e, Family::native("Adafruit ItsyBitsy 32u4 5 V")),
    flashable(0x239a, 0x8011, 0x0011, Family::native("Adafruit Circuit Playground")),
    flashable(0x239a, 0x800b, 0x000b, Family::native("Adafruit Feather M0")),
    flashable(0x239a, 0x801b, 0x001b, Family::native("Adafruit Feather M0 Express")),
    flashable(0x239a, 0x8013, 0x0013, Family::native("Adafruit Metro M0 Express")),
    flashable(0x239a, 0x8018, 0x0018, Family::native("Adafruit Circuit Playground Express")),
    flashable(0x239a, 0x801c, 0x001c, Family::native("Adafruit Gemma M0")),
    flashable(0x239a, 0x801e, 0x001e, Family::native("Adafruit Trinket M0")),
    flashable(0x239a, 0x80cb, 0x00cb, Family::native("Adafruit QT Py M0")),
    flashable(0x239a, 0x800f, 0x000f, Family::native("Adafruit ItsyBitsy M0 Express")),
    flashable(0x239a, 0x8020, 0x0020, Family::native("Adafruit Metro M4")),
    flashable(0x239a, 0x8031, 0x0031, Family::native("Adafruit Grand Central M4")),
    flashable(0x239a, 0x802b, 0x002b, Family::native("Adafruit ItsyBitsy M4")),
    flashable(0x239a, 0x8022, 0x0022, Family::native("Adafruit Feather M4 Express")),
    flashable(0x239a, 0x80cd, 0x00cd, Family::native("Adafruit Feather M4 CAN")),
    flashable(0x239a, 0x8037, 0x0037, Family::native("Adafruit Metro M4 AirLift Lite")),
    board(0x239a, 0x80f1, Family::native("Adafruit Feather RP2040")),
    board(0x239a, 0x80f7, Family::native("Adafruit QT Py RP2040")),
    board(0x239a, 0x80fd, Family::native("Adafruit ItsyBitsy RP2040")),
    board(0x16c0, 0x0483, Family::native("Teensy")),
    board(0x16c0, 0x0487, Family::native("Teensy")),
    board(0x16c0, 0x0489, Family::native("Teensy")),
    board(0x16c0, 0x048b, Family::native("Teensy")),
    board(0x16c0, 0x048c, Family::native("Teensy")),
    board(0x2e8a, 0x000a, Family::native("Raspberry Pi Pico")),
    board(0x2e8a, 0xf00a, Family::native("Raspberry Pi Pico W")),
    board(0x2e8a, 0x000f, Family::native("Raspberry Pi Pico 2")),
    board(0x2e8a, 0xf00f, Family::native("Raspberry Pi Pico 2 W")),
    flashable(0x1eaf, 0x0004, 0x0003, Family::native("Maple")),
];

/// Bootloaders that several boards share: VID, PID, name.
pub(super) const BOOTLOADERS: &[(u16, u16, &str)] = &[
    (0x03eb, 0x6124, "SAM-BA bootloader"),
    (0x239a, 0x0015, "Adafruit Feather M0 bootloader"),
    (0x239a, 0x0019, "Adafruit Circuit Playground Express bootloader"),
    (0x2e8a, 0x0003, "RP2040 bootloader"),
    (0x16c0, 0x0478, "Teensy bootloader"),
];

/// Chips and debug probes found in many products; the exact ones before their vendor.
pub(super) const CHIPS: &[Chip] = &[
    chip(0x1a86, 0x7523, "CH340 serial chip"),
    chip(0x1a86, 0x5523, "CH341 serial chip"),
    chip(0x1a86, 0x55d3, "CH343 serial chip"),
    chip(0x1a86, 0x55d4, "CH9102 serial chip"),
    vendor(0x1a86, "CH34x serial chip"),
    vendor(0x0403, "FTDI serial chip"),
    vendor(0x067b, "PL2303 serial chip"),
    chip(0x10c4, 0xea60, "CP210x serial chip"),
    chip(0x10c4, 0xea61, "CP210x serial chip"),
    chip(0x10c4, 0xea63, "CP210x serial chip"),
    chip(0x10c4, 0xea70, "CP2105 serial chip"),
    chip(0x10c4, 0xea71, "CP2108 serial chip"),
    chip(0x303a, 0x1001, "ESP32 USB serial"),
    chip(0x03eb, 0x2111, "EDBG debug probe"),
    chip(0x03eb, 0x2145, "mEDBG debug probe"),
    chip(0x03eb, 0x2157, "EDBG debug probe"),
    chip(0x0483, 0x374b, "ST-Link debug probe"),
    chip(0x0483, 0x374e, "ST-Link debug probe"),
    chip(0x0483, 0x3752, "ST-Link debug probe"),
    chip(0x0d28, 0x0204, "DAPLink debug probe"),
    chip(0x1cbe, 0x00fd, "Stellaris debug probe"),
];
