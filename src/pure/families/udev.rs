//! The udev rules, made from the tables: what the system must know of boards before the bridge sees them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::table;

/// Product ids by vendor; with `None` every product.
type Ids = BTreeMap<u16, Option<BTreeSet<u16>>>;

const HEAD: &str = r#"# Boards that can run MicroFlo, their bootloaders, and the chips that sit on such boards and in many other products.
# Made by `microflo-bridge udev-rules` from the ids that the bridge knows.
#
# After 60-serial.rules, which sets ID_VENDOR_ID and ID_MODEL_ID; before 73-seat-late.rules, which grants uaccess.

ACTION=="remove", GOTO="microflo_bridge_end"

# ModemManager talks to what might be a modem. A board takes that for orders, and a bootloader stays awake because of it.
"#;

const TTY: &str = r#"
SUBSYSTEM!="tty", GOTO="microflo_bridge_end"
KERNEL!="ttyACM[0-9]*|ttyUSB[0-9]*", GOTO="microflo_bridge_end"

"#;

const TAIL: &str = r#"
ENV{ID_MICROFLO}=="", GOTO="microflo_bridge_end"

ENV{ID_MICROFLO}=="board|bootloader", ENV{ID_MM_PORT_IGNORE}="1"

# Who sits at the computer may use a board without the bridge, too. A chip may belong to anything.
ENV{ID_MICROFLO}=="board", TAG+="uaccess"

# The bridge runs as soon as there may be something for it.
ENV{ID_MICROFLO}=="board|chip", TAG+="microflo", TAG+="systemd", ENV{SYSTEMD_WANTS}+="microflo-bridge.service"

# FTDI chips hold back a few bytes for 16 ms unless told otherwise.
ENV{ID_MICROFLO}=="chip", SUBSYSTEMS=="usb-serial", DRIVERS=="ftdi_sio", ATTR{device/latency_timer}="1"

LABEL="microflo_bridge_end"
"#;

/// The rules file.
pub fn rules() -> String {
    let mut rules = String::from(HEAD);
    let (boards, bootloaders, chips) = (boards(), bootloaders(), chips());
    for ids in [&boards, &bootloaders] {
        for match_ids in matches(ids, "ATTR{idVendor}", "ATTR{idProduct}") {
            let _ = writeln!(
                rules,
                r#"SUBSYSTEM=="usb", ENV{{DEVTYPE}}=="usb_device", {match_ids}, ENV{{ID_MM_DEVICE_IGNORE}}="1""#
            );
        }
    }
    rules.push_str(TTY);
    for (ids, what) in [(&boards, "board"), (&bootloaders, "bootloader"), (&chips, "chip")] {
        for match_ids in matches(ids, "ENV{ID_VENDOR_ID}", "ENV{ID_MODEL_ID}") {
            let _ = writeln!(rules, r#"{match_ids}, ENV{{ID_MICROFLO}}="{what}""#);
        }
    }
    rules.push_str(TAIL);
    rules
}

fn boards() -> Ids {
    collect(table::BOARDS.iter().map(|board| (board.vid, Some(board.pid))))
}

fn bootloaders() -> Ids {
    let of_boards = table::BOARDS.iter().filter_map(|board| Some((board.vid, Some(board.bootloader?))));
    let shared = table::BOOTLOADERS.iter().map(|(vid, pid, _)| (*vid, Some(*pid)));
    collect(of_boards.chain(shared))
}

fn chips() -> Ids {
    collect(table::CHIPS.iter().map(|chip| (chip.vid, chip.pid)))
}

fn collect(pairs: impl Iterator<Item = (u16, Option<u16>)>) -> Ids {
    let mut ids = Ids::new();
    for (vid, pid) in pairs {
        let products = ids.entry(vid).or_insert_with(|| Some(BTreeSet::new()));
        match (pid, &mut *products) {
            (Some(pid), Some(some)) => drop(some.insert(pid)),
            _ => *products = None,
        }
    }
    ids
}

/// The matching part of one rule for each vendor.
fn matches(ids: &Ids, vendor: &str, product: &str) -> impl Iterator<Item = String> {
    ids.iter().map(move |(vid, products)| match products {
        None => format!(r#"{vendor}=="{vid:04x}""#),
        Some(products) => {
            let products: Vec<String> = products.iter().map(|pid| format!("{pid:04x}")).collect();
            format!(r#"{vendor}=="{vid:04x}", {product}=="{}""#, products.join("|"))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pure::families::{Kind, classify};

    #[test]
    fn the_rules_file_is_made_from_the_tables() {
        assert!(
            include_str!("../../../udev/70-microflo-bridge.rules") == rules(),
            "type: cargo run -- udev-rules > udev/70-microflo-bridge.rules"
        );
    }

    /// What a rule for the tty says of an id, first by the line of its vendor, then by the id.
    fn said(vid: u16, pid: u16) -> Vec<String> {
        let all = rules();
        let of_vendor = all.lines().filter(|line| line.starts_with(&format!(r#"ENV{{ID_VENDOR_ID}}=="{vid:04x}""#)));
        let fits = |line: &&str| !line.contains("ID_MODEL_ID") || line.contains(&format!("{pid:04x}"));
        let what = |line: &str| line.rsplit_once("ID_MICROFLO}=").unwrap().1.trim_matches('"').to_owned();
        of_vendor.filter(fits).map(what).collect()
    }

    #[test]
    fn each_id_is_what_the_bridge_takes_it_for() {
        for board in table::BOARDS {
            assert_eq!(said(board.vid, board.pid), ["board"], "{:04x}:{:04x}", board.vid, board.pid);
            let Some(bootloader) = board.bootloader else { continue };
            assert_eq!(said(board.vid, bootloader), ["bootloader"], "{:04x}:{bootloader:04x}", board.vid);
        }
        for chip in table::CHIPS {
            let pid = chip.pid.unwrap_or(0x1234);
            assert!(matches!(classify(chip.vid, pid), Kind::Generic(_)));
            assert_eq!(said(chip.vid, pid), ["chip"], "{:04x}:{pid:04x}", chip.vid);
        }
        assert_eq!(said(0x2341, 0xffff), [""; 0]);
        assert_eq!(said(0x046d, 0xc31c), [""; 0]);
    }

    #[test]
    fn no_rule_runs_a_program_or_opens_a_device_to_everybody() {
        assert!(!rules().contains("RUN"));
        assert!(!rules().contains("MODE="));
        assert!(rules().lines().all(|line| line.is_ascii()));
    }
}
