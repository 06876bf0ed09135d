//! Ports that a bridge could not open. Where one runs, it says so itself.

use super::{BridgeFacts, Check, Facts, Finding, PortFacts, sudo};
use crate::pure::access::Opener;
use crate::pure::families::{Kind, classify};
use crate::pure::program::Program;

/// Programs that are services: stopped as such, or they come back.
const SERVICES: [&str; 3] = ["ModemManager", "brltty", "gpsd"];

pub(super) fn examine(facts: &Facts) -> Vec<Finding> {
    // Also one that does not talk to this user opens them.
    if facts.is_running() || matches!(facts.bridge, BridgeFacts::Denied { .. }) {
        return Vec::new();
    }
    facts.ports.iter().filter(|port| may_be_board(port)).flat_map(|port| of_port(facts, port)).collect()
}

/// Whether it is a board for certain.
pub(super) fn is_board(port: &PortFacts) -> bool {
    matches!(classify(port.usb.vid, port.usb.pid), Kind::Known(_))
}

/// Whether it is a board, or a chip that may be on one.
fn may_be_board(port: &PortFacts) -> bool {
    matches!(classify(port.usb.vid, port.usb.pid), Kind::Known(_) | Kind::Generic(_))
}

fn of_port(facts: &Facts, port: &PortFacts) -> Vec<Finding> {
    let device = &port.usb.device;
    let subject = port
        .usb
        .product
        .as_ref()
        .map_or_else(|| device.display().to_string(), |product| format!("{product} ({})", device.display()));
    let closed = port.node.as_ref().filter(|node| !node.lets(&facts.opener)).map(|node| {
        let hindrance = node.hindrance(&facts.opener);
        Finding::blocking(Check::Permission, &*subject, format!("this user may not open it: {hindrance}"))
            .command(hindrance.command(device))
    });
    let held = port.holder.as_ref().map(|holder| {
        Finding::blocking(Check::Holder, &*subject, format!("{holder} has it open; close it there"))
            .command(end(facts, holder))
    });
    closed.into_iter().chain(held).collect()
}

/// What lets somebody open a port.
pub(super) fn opening_command(port: &PortFacts, opener: &Opener) -> Option<String> {
    port.node.as_ref()?.hindrance(opener).command(&port.usb.device)
}

/// What ends a program.
pub(super) fn end(facts: &Facts, program: &Program) -> String {
    match SERVICES.iter().find(|service| **service == program.name) {
        Some(service) => sudo(facts.root, &format!("systemctl stop {service}")),
        None => sudo(facts.root, &format!("kill {}", program.pid)),
    }
}
