//! The physical path of a USB device in the form of udev's `ID_PATH`: `pci-0000:00:14.0-usb-0:3.1`.
//!
//! It names the controller and the chain of hub ports, and nothing that changes from boot to boot, as bus numbers do.

use std::path::Path;

/// The path of the device at `usb_dir`, a canonical directory below `sysfs_root`. `None` if it is no USB device.
pub(super) fn id_path(sysfs_root: &Path, usb_dir: &Path) -> Option<String> {
    let (_bus, hub_ports) = name(usb_dir)?.split_once('-')?;
    let mut parts = vec![format!("usb-0:{hub_ports}")];
    let above = usb_dir.ancestors().skip(1).take_while(|dir| *dir != sysfs_root);
    let mut previous = Some("usb".to_owned());
    for dir in above {
        let Some(subsystem) = subsystem(dir) else { continue };
        // Of hubs and bridges behind each other only the one nearest to the device counts.
        if previous.as_ref() != Some(&subsystem)
            && matches!(subsystem.as_str(), "pci" | "platform")
            && let Some(name) = name(dir)
        {
            parts.push(format!("{subsystem}-{name}"));
        }
        previous = Some(subsystem);
    }
    parts.reverse();
    Some(parts.join("-"))
}

fn name(dir: &Path) -> Option<&str> {
    dir.file_name()?.to_str()
}

/// The bus a device is on: what its `subsystem` link points at.
fn subsystem(dir: &Path) -> Option<String> {
    let target = dir.join("subsystem").read_link().ok()?;
    name(&target).map(str::to_owned)
}
