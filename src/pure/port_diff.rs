//! What changed between two scans.

use super::port::UsbPort;

/// Numbers scans in the order in which they began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Generation(u64);

/// The ports as of the newest scan that has been taken in.
///
/// Scans run beside each other and may end in any order, so each gets a [`Generation`] before it begins; a result that
/// is older than what is already known is dropped.
#[derive(Clone, Debug, Default)]
pub struct PortList {
    ports: Vec<UsbPort>,
    begun: Generation,
    taken_in: Generation,
}

/// What changed. Handle removals first: a device node may have been given to another port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortDiff {
    /// Gone.
    pub removed: Vec<UsbPort>,
    /// Another plugging at the same place: replugged between the scans, so what was open there is dead.
    pub replaced: Vec<Replaced>,
    /// New.
    pub added: Vec<UsbPort>,
}

/// A port that was replugged between two scans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// What was there.
    pub old: UsbPort,
    /// What is there now.
    pub new: UsbPort,
}

impl PortDiff {
    /// Nothing changed.
    pub fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.replaced.is_empty() && self.added.is_empty()
    }
}

impl PortList {
    /// The ports as known now.
    pub fn ports(&self) -> &[UsbPort] {
        &self.ports
    }

    /// Numbers a scan that is about to begin.
    pub fn begin(&mut self) -> Generation {
        self.begun.0 += 1;
        self.begun
    }

    /// Takes in what a scan found. `None`: it is stale, a scan that began later has been taken in already.
    pub fn finish(&mut self, scan: Generation, found: Vec<UsbPort>) -> Option<PortDiff> {
        if scan <= self.taken_in {
            return None;
        }
        let changes = diff(&self.ports, &found);
        self.taken_in = scan;
        self.ports = found;
        Some(changes)
    }
}

/// What turns `previous` into `fresh`, each part in the order of its list.
pub fn diff(previous: &[UsbPort], fresh: &[UsbPort]) -> PortDiff {
    let mut changes = PortDiff::default();
    for old in previous {
        match fresh.iter().find(|new| same_place(old, new)) {
            None => changes.removed.push(old.clone()),
            Some(new) if same_plugging(old, new) => {}
            Some(new) => changes.replaced.push(Replaced { old: old.clone(), new: new.clone() }),
        }
    }
    changes.added = fresh.iter().filter(|new| !previous.iter().any(|old| same_place(old, new))).cloned().collect();
    changes
}

/// The same tty of whatever is in the same USB port.
fn same_place(a: &UsbPort, b: &UsbPort) -> bool {
    a.path == b.path && a.interface == b.interface && a.port_number == b.port_number
}

/// The very same device, not touched since. The device node counts: a driver bound anew is a new tty.
fn same_plugging(a: &UsbPort, b: &UsbPort) -> bool {
    a.plugging == b.plugging && a.device == b.device && a.vid == b.vid && a.pid == b.pid && a.serial == b.serial
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(path: &str, device: &str, plugging: &str) -> UsbPort {
        UsbPort {
            device: device.into(),
            vid: 0x2341,
            pid: 0x0043,
            serial: None,
            manufacturer: None,
            product: None,
            interface: 0,
            port_number: None,
            path: path.into(),
            plugging: plugging.into(),
        }
    }

    #[test]
    fn plugging_and_unplugging_show_as_added_and_removed() {
        let [first, second] = [port("usb-0:1", "ttyACM0", "1/2"), port("usb-0:2", "ttyACM1", "1/3")];
        let changes = diff(std::slice::from_ref(&first), std::slice::from_ref(&second));
        assert_eq!(changes, PortDiff { removed: vec![first.clone()], added: vec![second], replaced: vec![] });
        assert!(diff(std::slice::from_ref(&first), std::slice::from_ref(&first)).is_empty());
    }

    #[test]
    fn a_replug_between_two_scans_shows_as_replaced() {
        let before = port("usb-0:1", "ttyUSB0", "1/2");
        for after in [port("usb-0:1", "ttyUSB0", "1/5"), port("usb-0:1", "ttyUSB1", "1/2")] {
            let changes = diff(std::slice::from_ref(&before), std::slice::from_ref(&after));
            assert_eq!(changes.replaced, [Replaced { old: before.clone(), new: after }]);
            assert!(changes.removed.is_empty() && changes.added.is_empty());
        }
    }

    #[test]
    fn boards_that_swap_device_nodes_are_both_replaced() {
        let before = [port("usb-0:1", "ttyUSB0", "1/2"), port("usb-0:2", "ttyUSB1", "1/3")];
        let after = [port("usb-0:1", "ttyUSB1", "1/4"), port("usb-0:2", "ttyUSB0", "1/5")];
        assert_eq!(diff(&before, &after).replaced.len(), 2);
    }

    #[test]
    fn a_scan_that_began_before_a_newer_one_ended_is_dropped() {
        let mut list = PortList::default();
        let (slow, quick) = (list.begin(), list.begin());
        let board = port("usb-0:1", "ttyACM0", "1/2");
        assert_eq!(list.finish(quick, vec![board.clone()]).unwrap().added, std::slice::from_ref(&board));
        assert_eq!(list.finish(slow, vec![]), None);
        assert_eq!(list.finish(quick, vec![]), None);
        assert_eq!(list.ports(), [board]);
    }
}
