//! What happens at a tick: packets are delivered and reported, nodes work.

use firmware_proto::{DebugLevel, DebugPoint, Dialect, Edge, Event, Packet, PacketTarget, PortRef};

use super::{FIRST_NODE, Network};
use crate::sim::component::{Io, Logic};
use crate::sim::crash::Crash;
use crate::sim::queue::{Queued, Route};

impl Network {
    /// In how many milliseconds a tick does something; `None` if only a command can change that.
    pub(in crate::sim) fn due_in(&self, now_ms: u32) -> Option<u32> {
        match (self.running, self.queue.is_empty()) {
            (false, _) => None,
            (true, false) => Some(0),
            (true, true) => self.nodes.iter().flatten().filter_map(|node| node.logic.due_in(now_ms)).min(),
        }
    }

    /// Delivers what was queued, then lets every node have its tick.
    pub(in crate::sim) fn tick(&mut self, now_ms: u32) -> Result<(), Crash> {
        if !self.running {
            return Ok(());
        }
        self.queue.begin();
        while let Some(queued) = self.queue.pop() {
            self.deliver(queued, now_ms)?;
        }
        self.for_each_node(now_ms, |logic, io| logic.tick(io));
        Ok(())
    }

    fn deliver(&mut self, queued: Queued, now_ms: u32) -> Result<(), Crash> {
        let target = match queued.route {
            Route::To(target) if self.node(target.node).is_none() => return Err(Crash::PacketToMissingNode { target }),
            Route::To(target) => Some(target),
            Route::From(src) => {
                let node = self.node(src.node).ok_or(Crash::PacketFromMissingNode { src })?;
                let out = *node.outs.get(usize::from(src.port)).ok_or(Crash::NoSuchOutPort { src })?;
                if let Some(tgt) = out.target.filter(|tgt| self.node(tgt.node).is_none()) {
                    return Err(Crash::DanglingEdge { edge: Edge { src, tgt } });
                }
                if out.subscribed {
                    self.report(src, out.target, queued.packet);
                }
                out.target
            }
        };
        if let Some(PortRef { node, port }) = target {
            self.run(usize::from(node), now_ms, |logic, io| logic.packet(port, queued.packet, io));
        }
        Ok(())
    }

    /// Reports a packet, as far as firmware can: stock builds a byte's value never, in the 8-byte dialect brackets neither.
    fn report(&mut self, src: PortRef, target: Option<PortRef>, packet: Packet) {
        let hidden = matches!(packet, Packet::Byte(_)) && !self.reports_bytes;
        let packet = if hidden { Packet::Byte(0) } else { packet };
        let brackets = matches!(packet, Packet::BracketStart | Packet::BracketEnd);
        if hidden || (brackets && self.dialect == Dialect::Flo01) {
            self.debug(DebugLevel::Error, DebugPoint::NotImplemented);
        }
        let target = match self.dialect {
            Dialect::Flo01 => PacketTarget::Port(target.unwrap_or(src)),
            Dialect::Microflo1 => PacketTarget::Connected(target.is_some()),
        };
        self.events.push(Event::PacketSent { src, target, packet });
    }

    pub(super) fn for_each_node(&mut self, now_ms: u32, mut work: impl FnMut(&mut dyn Logic, &mut Io<'_>)) {
        for id in FIRST_NODE..self.nodes.len() {
            self.run(id, now_ms, &mut work);
        }
    }

    /// Lets a node work, then queues what it sent.
    fn run(&mut self, id: usize, now_ms: u32, work: impl FnOnce(&mut dyn Logic, &mut Io<'_>)) {
        let Some(node) = self.nodes.get_mut(id).and_then(Option::as_mut) else { return };
        let mut io = Io { now_ms, pins: &mut self.pins, sent: Vec::new() };
        work(&mut *node.logic, &mut io);
        let (sent, outs) = (io.sent, node.outs.len());
        for (port, packet) in sent {
            // Signed in firmware: what is negative to it passes the check for being too large.
            if usize::from(port) >= outs && !port.cast_signed().is_negative() {
                self.debug(DebugLevel::Error, DebugPoint::ComponentSendInvalidPort);
                if self.dialect == Dialect::Flo01 {
                    continue;
                }
            }
            // Ids are below the node limit, which fits.
            let src = PortRef { node: id as u8, port };
            self.queue.push(Queued { packet, route: Route::From(src) });
        }
    }
}
