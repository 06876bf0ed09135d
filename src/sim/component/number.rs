//! Components that compute with integers.

use firmware_proto::{Dialect, Packet};

use super::{Io, Logic, value};

/// Counts packets.
pub(super) struct Count {
    dialect: Dialect,
    current: i32,
    held: bool,
}

impl Count {
    pub(super) fn new(dialect: Dialect) -> Self {
        // The newer library's first packet gives 0; the older one sends 0 at start and 1 for the first packet.
        let current = if dialect == Dialect::Microflo1 { -1 } else { 0 };
        Count { dialect, current, held: false }
    }
}

impl Logic for Count {
    fn setup(&mut self, io: &mut Io<'_>) {
        (self.current, self.held) = (0, false);
        io.send(Packet::Integer(0));
    }

    fn packet(&mut self, port: u8, packet: Packet, io: &mut Io<'_>) {
        match port {
            0 => {
                if !self.held {
                    self.current = self.current.wrapping_add(1);
                } else if self.dialect == Dialect::Flo01 {
                    return;
                }
            }
            1 => {
                if let Packet::Boolean(held) = packet {
                    self.held = held;
                }
                if !self.held && packet != Packet::Void {
                    return;
                }
                self.current = 0;
            }
            _ => return,
        }
        io.send(Packet::Integer(self.current));
    }
}

/// Keeps a number within limits.
#[derive(Default)]
pub(super) struct Constrain {
    lower: i32,
    upper: i32,
}

impl Logic for Constrain {
    fn setup(&mut self, _io: &mut Io<'_>) {
        *self = Constrain::default();
    }

    fn packet(&mut self, port: u8, packet: Packet, io: &mut Io<'_>) {
        let number = value::integer(packet);
        match port {
            0 if value::is_number(packet) => {
                // Not `clamp`: limits may arrive in any order, so lower > upper must do something.
                let within = if number > self.upper { self.upper } else { number.max(self.lower) };
                io.send(Packet::Integer(within));
            }
            1 => self.lower = number,
            2 => self.upper = number,
            _ => {}
        }
    }
}

/// Maps one range to another.
#[derive(Default)]
pub(super) struct MapLinear {
    in_min: i32,
    in_max: i32,
    out_min: i32,
    out_max: i32,
}

impl MapLinear {
    fn map(&self, input: i32) -> i32 {
        let wide = i64::from;
        let scaled = (wide(input) - wide(self.in_min)).wrapping_mul(wide(self.out_max) - wide(self.out_min));
        // An AVR divides by zero without a fault, and gets -1.
        let quotient = scaled.checked_div(wide(self.in_max) - wide(self.in_min)).unwrap_or(-1);
        quotient.wrapping_add(wide(self.out_min)) as i32
    }
}

impl Logic for MapLinear {
    fn packet(&mut self, port: u8, packet: Packet, io: &mut Io<'_>) {
        let number = value::integer(packet);
        match port {
            0 if value::is_number(packet) => io.send(Packet::Integer(self.map(number))),
            1 => self.in_min = number,
            2 => self.in_max = number,
            3 => self.out_min = number,
            4 => self.out_max = number,
            _ => {}
        }
    }
}

/// A function of two integers, computed anew whenever either arrives.
pub(super) struct Pair {
    inputs: [i32; 2],
    function: fn(i32, i32) -> Packet,
}

impl Pair {
    pub(super) fn new(function: fn(i32, i32) -> Packet) -> Self {
        Pair { inputs: [0; 2], function }
    }
}

impl Logic for Pair {
    fn packet(&mut self, port: u8, packet: Packet, io: &mut Io<'_>) {
        if let Some(input) = self.inputs.get_mut(usize::from(port)) {
            *input = value::integer(packet);
        }
        let [a, b] = self.inputs;
        io.send((self.function)(a, b));
    }
}

/// High above one threshold, low below another, as before in between.
pub(super) struct HysteresisLatch {
    low: f32,
    high: f32,
    state: Option<bool>,
}

impl HysteresisLatch {
    pub(super) fn new(dialect: Dialect) -> Self {
        let state = if dialect == Dialect::Microflo1 { None } else { Some(false) };
        HysteresisLatch { low: 0.0, high: 0.0, state }
    }
}

impl Logic for HysteresisLatch {
    fn setup(&mut self, _io: &mut Io<'_>) {
        *self = HysteresisLatch { low: 24.0, high: 30.0, state: Some(true) };
    }

    fn packet(&mut self, port: u8, packet: Packet, io: &mut Io<'_>) {
        if !value::is_number(packet) {
            return;
        }
        let number = value::float(packet);
        match port {
            0 => {
                let state = match self.state {
                    None => number >= self.low,
                    // Not a number (some negative integers) changes nothing.
                    Some(true) => number.is_nan() || number > self.low,
                    Some(false) => number >= self.high,
                };
                self.state = Some(state);
                io.send(Packet::Boolean(state));
            }
            1 => self.low = number,
            2 => self.high = number,
            _ => {}
        }
    }
}

/// The median of the latest values.
pub(super) struct RunningMedian {
    values: Vec<i32>,
    insert_at: usize,
    limit: usize,
}

/// Values that a [`RunningMedian`] holds at most.
const MEDIAN_VALUES: usize = 11;

impl Default for RunningMedian {
    fn default() -> Self {
        RunningMedian { values: Vec::new(), insert_at: 0, limit: MEDIAN_VALUES }
    }
}

impl RunningMedian {
    fn insert(&mut self, number: i32) {
        if self.insert_at >= self.limit {
            self.insert_at = 0;
        }
        match self.values.get_mut(self.insert_at) {
            Some(value) => *value = number,
            None => self.values.push(number),
        }
        self.insert_at += 1;
    }

    fn median(&self) -> Option<i32> {
        let mut sorted = self.values.clone();
        sorted.sort_unstable();
        let upper = *sorted.get(sorted.len() / 2)?;
        let even = sorted.len().is_multiple_of(2);
        Some(if even { upper.wrapping_add(sorted[sorted.len() / 2 - 1]) / 2 } else { upper })
    }
}

impl Logic for RunningMedian {
    fn packet(&mut self, port: u8, packet: Packet, io: &mut Io<'_>) {
        match port {
            0 => {
                if let Packet::Integer(number) = packet {
                    self.insert(number);
                }
                io.send(self.median().map_or(Packet::Void, Packet::Integer));
            }
            1 => (self.values, self.insert_at) = (Vec::new(), 0),
            2 => {
                let limit = usize::try_from(value::integer(packet)).unwrap_or(0);
                self.limit = limit.clamp(1, MEDIAN_VALUES);
            }
            _ => {}
        }
    }
}
