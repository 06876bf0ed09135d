//! The twin rule: what happens when two boards carry the same serial number.
//!
//! While a serial number is unique its id follows the board, and the USB port where the board is gets remembered. Once
//! two present boards share it, it is shared for ever: its id stays with the port that had it first, every other board
//! with that serial number gets the id of its port, with a warning, also when it is alone later. So ids never swap
//! between twins, in whatever order they are plugged.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::told::{Told, follow_told};
use super::{HostKey, Rung, derive_id, device_id, path_id, serial_key, simulated_id};
use crate::pure::port::{Port, UsbPort};

/// What is remembered of a mark that more than one board may carry: a serial number, under its [`serial_key`], or an id that
/// boards store, under its [`stored_key`](super::told::stored_key).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SerialMemory {
    /// Where the board was last: its USB port, or for a stored id the id that it has without. Once shared, the place that keeps the mark's id.
    pub last_path: String,
    /// Whether two boards have been seen with this mark.
    pub shared: bool,
}

/// The id of a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The port.
    pub port: Port,
    /// The id of the board there.
    pub id: Uuid,
    /// The id that the ladder gives before the board has said anything, and before a stored override: the key of overrides.
    pub natural_id: Uuid,
    /// What the id stands on.
    pub rung: Rung,
    /// What the user should know about this id, and do.
    pub warning: Option<String>,
}

/// What [`assign`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assigned {
    /// One per port, in the order of the ports given. No two have the same id.
    pub assignments: Vec<Assignment>,
    /// What to remember, by serial key: store these over the old ones.
    pub changes: BTreeMap<String, SerialMemory>,
}

/// Gives every present port its id.
///
/// `told` is what boards have said that they store. `remembered` is the memory as stored, by serial key. `overrides` maps an id that
/// the ladder gives to one that was chosen instead; an override that would give two boards one id is not followed, with a warning.
/// The result does not depend on the order of `ports`.
pub fn assign(
    ports: &[Port],
    told: &Told,
    remembered: &BTreeMap<String, SerialMemory>,
    overrides: &BTreeMap<Uuid, Uuid>,
    host: &HostKey,
) -> Assigned {
    let mut present: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for usb in ports.iter().filter_map(as_usb) {
        if let Some(key) = serial_key(usb) {
            present.entry(key).or_default().insert(&usb.path);
        }
    }
    let mut memory: BTreeMap<String, SerialMemory> =
        present.iter().map(|(key, paths)| (key.clone(), settle(remembered.get(key), paths))).collect();
    let mut assignments: Vec<Assignment> = ports.iter().map(|port| natural(port, &memory, host)).collect();
    memory.extend(follow_told(&mut assignments, told, remembered));
    follow_overrides(&mut assignments, overrides);
    let changes = memory.into_iter().filter(|(key, now)| remembered.get(key) != Some(now)).collect();
    Assigned { assignments, changes }
}

/// What to remember of a mark that is present at `paths`, which is not empty.
pub(super) fn settle(before: Option<&SerialMemory>, paths: &BTreeSet<&str>) -> SerialMemory {
    let lowest = paths.first().copied().unwrap_or_default();
    match before {
        Some(memory) if memory.shared => memory.clone(),
        Some(memory) if paths.contains(memory.last_path.as_str()) => {
            SerialMemory { last_path: memory.last_path.clone(), shared: paths.len() > 1 }
        }
        _ => SerialMemory { last_path: lowest.to_owned(), shared: paths.len() > 1 },
    }
}

/// The id by the ladder alone.
fn natural(port: &Port, memory: &BTreeMap<String, SerialMemory>, host: &HostKey) -> Assignment {
    let (rung, id, warning) = match port {
        Port::Usb(usb) => usb_id(usb, memory, host),
        Port::Named(path) => (Rung::Device, device_id(path, host), None),
        Port::Simulated(index) => (Rung::Simulated, simulated_id(*index, host), None),
    };
    Assignment { port: port.clone(), id, natural_id: id, rung, warning }
}

fn usb_id(usb: &UsbPort, memory: &BTreeMap<String, SerialMemory>, host: &HostKey) -> (Rung, Uuid, Option<String>) {
    let Some(key) = serial_key(usb) else {
        return (Rung::Path, path_id(usb, host), None);
    };
    match memory.get(&key) {
        Some(memory) if memory.shared && memory.last_path != usb.path => {
            (Rung::Path, path_id(usb, host), Some(twin_warning(usb)))
        }
        _ => (Rung::Serial, derive_id(Rung::Serial, key.as_bytes()), None),
    }
}

fn twin_warning(usb: &UsbPort) -> String {
    format!(
        "another board has the same serial number {}: this one is known by its USB port {} instead, \
         so plug it into the same port to keep its id and label",
        usb.serial.as_deref().unwrap_or_default(),
        usb.path
    )
}

/// Puts the chosen ids over the natural ones, in the order of natural ids so that the order of ports does not matter.
fn follow_overrides(assignments: &mut [Assignment], overrides: &BTreeMap<Uuid, Uuid>) {
    let mut taken: BTreeSet<Uuid> = assignments.iter().flat_map(|a| [a.natural_id, a.id]).collect();
    let mut order: Vec<usize> = (0..assignments.len()).collect();
    order.sort_by_key(|&index| assignments[index].natural_id);
    for index in order {
        let assignment = &mut assignments[index];
        let Some(&chosen) = overrides.get(&assignment.natural_id).filter(|&&id| id != assignment.natural_id) else {
            continue;
        };
        if taken.insert(chosen) {
            assignment.id = chosen;
        } else {
            assignment.warning =
                Some(format!("the id {chosen} was chosen for this board, but another board here already has it"));
        }
    }
}

fn as_usb(port: &Port) -> Option<&UsbPort> {
    match port {
        Port::Usb(usb) => Some(usb),
        _ => None,
    }
}
