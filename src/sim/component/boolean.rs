//! Components that compute booleans.

use firmware_proto::{Dialect, Packet};

use super::{Io, Logic, value};

/// Changes its mind with every packet.
pub(super) struct ToggleBoolean {
    state: bool,
}

impl ToggleBoolean {
    pub(super) fn new(dialect: Dialect) -> Self {
        // The newer library's first output is false, the older one's true.
        ToggleBoolean { state: dialect == Dialect::Microflo1 }
    }
}

impl Logic for ToggleBoolean {
    fn setup(&mut self, _io: &mut Io<'_>) {
        self.state = false;
    }

    fn packet(&mut self, port: u8, _packet: Packet, io: &mut Io<'_>) {
        match port {
            0 => self.state = !self.state,
            1 => self.state = false,
            _ => return,
        }
        io.send(Packet::Boolean(self.state));
    }
}

/// Logical not.
pub(super) struct InvertBoolean;

impl Logic for InvertBoolean {
    fn packet(&mut self, _port: u8, packet: Packet, io: &mut Io<'_>) {
        io.send(Packet::Boolean(!value::boolean(packet)));
    }
}

/// 1 for true, 0 for false; other packets are ignored.
pub(super) struct BoolToInt;

impl Logic for BoolToInt {
    fn packet(&mut self, _port: u8, packet: Packet, io: &mut Io<'_>) {
        if let Packet::Boolean(value) = packet {
            io.send(Packet::Integer(i32::from(value)));
        }
    }
}

/// A function of two booleans, computed anew whenever either arrives.
pub(super) struct Pair {
    inputs: [bool; 2],
    function: fn(bool, bool) -> bool,
}

impl Pair {
    pub(super) fn new(function: fn(bool, bool) -> bool) -> Self {
        Pair { inputs: [false; 2], function }
    }
}

impl Logic for Pair {
    fn packet(&mut self, port: u8, packet: Packet, io: &mut Io<'_>) {
        if let Some(input) = self.inputs.get_mut(usize::from(port)) {
            *input = value::boolean(packet);
        }
        let [a, b] = self.inputs;
        io.send(Packet::Boolean((self.function)(a, b)));
    }
}

/// Switches two outputs so that never both are on; each is monitored before the other is switched. Input in between is ignored.
#[derive(Default)]
pub(super) struct BreakBeforeMake {
    state: Switch,
}

#[derive(Clone, Copy, Default)]
enum Switch {
    #[default]
    SettledOff,
    WaitFor1Off,
    WaitFor2On,
    SettledOn,
    WaitFor2Off,
    WaitFor1On,
}

impl Logic for BreakBeforeMake {
    fn packet(&mut self, port: u8, packet: Packet, io: &mut Io<'_>) {
        const IN: u8 = 0;
        const MONITOR_1: u8 = 1;
        const MONITOR_2: u8 = 2;
        let (next, switched) = match (self.state, port, value::boolean(packet)) {
            (Switch::SettledOff, IN, true) => (Switch::WaitFor1Off, Some((0, false))),
            (Switch::WaitFor1Off, MONITOR_1, false) => (Switch::WaitFor2On, Some((1, true))),
            (Switch::WaitFor2On, MONITOR_2, true) => (Switch::SettledOn, None),
            (Switch::SettledOn, IN, false) => (Switch::WaitFor2Off, Some((1, false))),
            (Switch::WaitFor2Off, MONITOR_2, false) => (Switch::WaitFor1On, Some((0, true))),
            (Switch::WaitFor1On, MONITOR_1, true) => (Switch::SettledOff, None),
            _ => return,
        };
        self.state = next;
        if let Some((port, on)) = switched {
            io.send_from(port, Packet::Boolean(on));
        }
    }
}
