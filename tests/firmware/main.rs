//! The program with real firmware: MicroFlo's linux build on a PTY, and its Arduino build in an AVR emulator.
//! `tests/firmware/build-all.sh` makes both.
#![allow(clippy::disallowed_methods)] // tests may sleep

#[path = "../support/mod.rs"]
mod support;

mod avr;
mod avr_reset;
mod board;
mod client;
mod component_specs;
mod conformance;
mod described;
mod described_bridge;
mod described_build;
mod described_tap;
mod graph;
mod hostile;
mod linux;
mod linux_unplug;
mod live_edit;
mod loss;
mod lossy_line;
mod mocha;
mod noflo_ui;
mod secrets;
mod survival;
mod wire;
