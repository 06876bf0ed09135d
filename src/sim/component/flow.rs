//! Components that pass packets on, or do not.

use firmware_proto::Packet;

use super::{Io, Logic, value};

/// Sends what comes in on the out port of the same number.
pub(super) struct Forward;

impl Logic for Forward {
    fn packet(&mut self, port: u8, packet: Packet, io: &mut Io<'_>) {
        io.send_from(port, packet);
    }
}

/// Sends what comes in.
pub(super) struct Repeat;

impl Logic for Repeat {
    fn packet(&mut self, _port: u8, packet: Packet, io: &mut Io<'_>) {
        io.send(packet);
    }
}

/// Swallows what comes in.
pub(super) struct Swallow;

impl Logic for Swallow {
    fn packet(&mut self, _port: u8, _packet: Packet, _io: &mut Io<'_>) {}
}

/// Sends `true` for what is true.
pub(super) struct ForwardIf;

impl Logic for ForwardIf {
    fn packet(&mut self, _port: u8, packet: Packet, io: &mut Io<'_>) {
        if value::boolean(packet) {
            io.send(Packet::Boolean(true));
        }
    }
}

/// Sends what comes in on each of nine out ports.
pub(super) struct Split;

impl Logic for Split {
    fn packet(&mut self, _port: u8, packet: Packet, io: &mut Io<'_>) {
        for port in 0..9 {
            io.send_from(port, packet);
        }
    }
}

/// Lets packets through while enabled; the last one again when it becomes so.
#[derive(Default)]
pub(super) struct Gate {
    enabled: bool,
    last: Option<Packet>,
}

impl Logic for Gate {
    fn packet(&mut self, port: u8, packet: Packet, io: &mut Io<'_>) {
        match port {
            0 => self.last = Some(packet),
            1 => self.enabled = value::boolean(packet),
            _ => return,
        }
        if let (true, Some(last)) = (self.enabled, self.last) {
            io.send(last);
        }
    }
}

/// Passes on one of nine inputs, chosen by number; what the others got last is kept.
#[derive(Default)]
pub(super) struct Route {
    active: i8,
    last: [Option<Packet>; 10],
}

impl Logic for Route {
    fn packet(&mut self, port: u8, packet: Packet, io: &mut Io<'_>) {
        let chosen = if port == 0 {
            self.active = value::small(packet);
            // The ninth input is left out here, as in firmware.
            usize::try_from(self.active).ok().filter(|active| (1..9).contains(active))
        } else if let Some(last) = self.last.get_mut(usize::from(port)) {
            *last = Some(packet);
            (self.active == port.cast_signed()).then_some(usize::from(port))
        } else {
            None
        };
        if let Some(packet) = chosen.and_then(|port| self.last[port]) {
            io.send(packet);
        }
    }
}

/// Keeps the last packet and sends it when told to.
pub(super) struct HoldPacket {
    held: Packet,
}

impl Default for HoldPacket {
    fn default() -> Self {
        HoldPacket { held: Packet::Void }
    }
}

impl Logic for HoldPacket {
    fn packet(&mut self, port: u8, packet: Packet, io: &mut Io<'_>) {
        match port {
            0 => self.held = packet,
            1 => io.send(self.held),
            _ => {}
        }
    }
}

/// Puts a delimiter byte behind each packet, or behind each bracketed group in place of its brackets.
#[derive(Default)]
pub(super) struct Delimit {
    in_brackets: bool,
    delimiter: u8,
}

impl Logic for Delimit {
    fn setup(&mut self, _io: &mut Io<'_>) {
        self.delimiter = b'\r';
    }

    fn packet(&mut self, _port: u8, packet: Packet, io: &mut Io<'_>) {
        match (self.in_brackets, packet) {
            (true, Packet::BracketEnd) => {
                self.in_brackets = false;
                io.send(Packet::Byte(self.delimiter));
            }
            (true, packet) => io.send(packet),
            (false, Packet::BracketStart) => self.in_brackets = true,
            (false, packet) => {
                io.send(packet);
                io.send(Packet::Byte(self.delimiter));
            }
        }
    }
}
