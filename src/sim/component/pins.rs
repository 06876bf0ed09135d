//! Pins, and the components that read and write them.

use std::collections::BTreeMap;

use firmware_proto::{Dialect, Packet};

use super::{Io, Logic, value};

/// The levels of a board's pins. A pin that nobody set is low.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pins {
    levels: BTreeMap<i8, i32>,
}

impl Pins {
    /// The level of a pin: 0 or 1 for a digital one, 0 to 1023 for an analog input, percent for a PWM output.
    pub fn level(&self, pin: i8) -> i32 {
        self.levels.get(&pin).copied().unwrap_or(0)
    }

    /// Sets the level of a pin.
    pub fn set(&mut self, pin: i8, level: i32) {
        self.levels.insert(pin, level);
    }
}

/// Writes a boolean to a pin and says so.
pub(super) struct DigitalWrite {
    pin: i8,
    state: bool,
}

impl DigitalWrite {
    pub(super) fn new(dialect: Dialect) -> Self {
        DigitalWrite { pin: if dialect == Dialect::Microflo1 { -1 } else { 0 }, state: false }
    }
}

impl Logic for DigitalWrite {
    fn setup(&mut self, _io: &mut Io<'_>) {
        *self = DigitalWrite { pin: -1, state: false };
    }

    fn packet(&mut self, port: u8, packet: Packet, io: &mut Io<'_>) {
        match (port, packet) {
            (0, Packet::Boolean(state)) => self.state = state,
            (1, packet) if value::is_number(packet) => self.pin = value::small(packet),
            _ => return,
        }
        if self.pin >= 0 {
            io.pins.set(self.pin, i32::from(self.state));
            io.send(packet);
        }
    }
}

/// Reads a pin when triggered.
pub(super) struct DigitalRead {
    pin: i8,
}

/// The pin that the older library reads unless told another.
const DEFAULT_READ_PIN: i8 = 12;

impl DigitalRead {
    pub(super) fn new(dialect: Dialect) -> Self {
        DigitalRead { pin: if dialect == Dialect::Microflo1 { -1 } else { 0 } }
    }
}

impl Logic for DigitalRead {
    fn setup(&mut self, _io: &mut Io<'_>) {
        self.pin = DEFAULT_READ_PIN;
    }

    fn packet(&mut self, port: u8, packet: Packet, io: &mut Io<'_>) {
        match port {
            0 => io.send(Packet::Boolean(io.pins.level(self.pin) != 0)),
            1 if value::is_number(packet) => self.pin = value::small(packet),
            _ => {}
        }
    }
}

/// Reads an analog value when triggered.
#[derive(Default)]
pub(super) struct AnalogRead {
    pin: i8,
}

impl Logic for AnalogRead {
    fn packet(&mut self, port: u8, packet: Packet, io: &mut Io<'_>) {
        match port {
            0 => io.send(Packet::Integer(io.pins.level(self.pin))),
            1 if value::is_number(packet) => self.pin = value::small(packet),
            _ => {}
        }
    }
}

/// Sets a PWM pin's duty cycle and says so.
#[derive(Default)]
pub(super) struct PwmWrite {
    pin: i8,
}

impl Logic for PwmWrite {
    fn packet(&mut self, port: u8, packet: Packet, io: &mut Io<'_>) {
        match port {
            0 => {
                io.pins.set(self.pin, value::integer(packet));
                io.send(packet);
            }
            1 if value::is_number(packet) => self.pin = value::small(packet),
            _ => {}
        }
    }
}

/// Says a pin's state when told which pin to watch.
pub(super) struct MonitorPin;

impl Logic for MonitorPin {
    fn packet(&mut self, port: u8, packet: Packet, io: &mut Io<'_>) {
        if port == 0 {
            let high = io.pins.level(value::small(packet)) != 0;
            io.send(Packet::Boolean(high));
        }
    }
}
