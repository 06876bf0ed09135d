//! A host on which all is well, for tests.

use super::*;
use crate::pure::access::{Node, Opener};
use crate::pure::port::UsbPort;

pub(crate) fn ann() -> Opener {
    Opener { uid: 1000, name: Some("ann".into()), groups: vec![20], listed: vec![20] }
}

/// As udev leaves a port.
pub(crate) fn dialout() -> Node {
    Node { uid: 0, owner: Some("root".into()), gid: 20, group: Some("dialout".into()), mode: 0o660 }
}

pub(crate) fn facts() -> Facts {
    Facts {
        bridge: BridgeFacts::Running(Vec::new()),
        serving: true,
        opener: ann(),
        root: false,
        service: true,
        settings_error: None,
        taken: Vec::new(),
        state_dir: StateDir { path: "/home/ann/.local/state/microflo-bridge".into(), problem: None },
        ports: Vec::new(),
        without_tty: Vec::new(),
        drivers: MODULES.iter().map(|name| Driver { name, loaded: true, on_disk: true }).collect(),
        modules_on_disk: true,
        modem_manager: None,
        brltty: None,
        udev: Udev {
            running: true,
            rules: Some("/usr/lib/udev/rules.d/70-microflo-bridge.rules".into()),
            brltty_rules: Default::default(),
        },
        clock: Clock { now: 2_000_000_000, built: 1_900_000_000, synchronised: Some(true) },
        registries: Vec::new(),
    }
}

pub(crate) fn port(vid: u16, pid: u16, device: &str) -> PortFacts {
    let usb = UsbPort {
        device: device.into(),
        vid,
        pid,
        serial: None,
        manufacturer: None,
        product: Some("Board".into()),
        interface: 0,
        port_number: None,
        path: "pci-0000:00:14.0-usb-0:1".into(),
        plugging: "1/2".into(),
    };
    PortFacts { usb, node: Some(dialout()), holder: None, hidden_from_modem_manager: true }
}
