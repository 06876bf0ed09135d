//! Components that act on time.

use firmware_proto::{Dialect, Packet};

use super::{Io, Logic, value};

/// Interval of a timer that was not told one, in milliseconds.
const DEFAULT_INTERVAL_MS: u32 = 1000;

/// Sends a packet every so often.
pub(super) struct Timer {
    previous_ms: u32,
    interval_ms: u32,
}

impl Timer {
    /// With the older library the interval is 0 until Setup: a timer added to a running network sends at every tick.
    pub(super) fn new(dialect: Dialect) -> Self {
        let interval_ms = if dialect == Dialect::Microflo1 { DEFAULT_INTERVAL_MS } else { 0 };
        Timer { previous_ms: 0, interval_ms }
    }
}

impl Logic for Timer {
    fn setup(&mut self, _io: &mut Io<'_>) {
        *self = Timer { previous_ms: 0, interval_ms: DEFAULT_INTERVAL_MS };
    }

    fn packet(&mut self, port: u8, packet: Packet, io: &mut Io<'_>) {
        match port {
            0 => self.interval_ms = value::integer(packet).cast_unsigned(),
            1 => self.previous_ms = io.now_ms,
            _ => {}
        }
    }

    fn tick(&mut self, io: &mut Io<'_>) {
        if self.due_in(io.now_ms) == Some(0) {
            self.previous_ms = io.now_ms;
            io.send(Packet::Void);
        }
    }

    fn due_in(&self, now_ms: u32) -> Option<u32> {
        Some(self.interval_ms.saturating_sub(now_ms.wrapping_sub(self.previous_ms)))
    }
}

/// Alternates between two values, driven by a clock that is fed to it.
pub(super) struct ToggleAnimation {
    values: [Packet; 2],
    start: i32,
    period: i32,
    duration: i32,
    duty_percent: i8,
}

impl Default for ToggleAnimation {
    fn default() -> Self {
        let values = [Packet::Boolean(false), Packet::Boolean(true)];
        ToggleAnimation { values, start: 0, period: 0, duration: 0, duty_percent: 50 }
    }
}

impl ToggleAnimation {
    fn advance(&self, clock: i32, io: &mut Io<'_>) {
        let position = clock.wrapping_sub(self.start);
        let running = position > 0 && clock < self.start.wrapping_add(self.duration);
        let high_for = self.period.wrapping_mul(i32::from(self.duty_percent)) / 100;
        let high = running && position.checked_rem(self.period).is_some_and(|within| within < high_for);
        io.send_from(1, Packet::Boolean(running));
        io.send_from(0, self.values[usize::from(high)]);
    }
}

impl Logic for ToggleAnimation {
    fn packet(&mut self, port: u8, packet: Packet, io: &mut Io<'_>) {
        let number = value::integer(packet);
        match port {
            0 => self.advance(number, io),
            1 => self.values[0] = packet,
            2 => self.values[1] = packet,
            3 => self.start = number,
            4 => self.period = number,
            5 => self.duration = number,
            6 => self.duty_percent = value::small(packet),
            _ => {}
        }
    }
}
