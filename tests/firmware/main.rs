//! The program with real firmware: MicroFlo's linux build on a PTY, and its Arduino build in an AVR emulator.
//! `tests/firmware/build-all.sh` makes both.

#[path = "../support/mod.rs"]
mod support;
