//! The system around: udev, programs that disturb boards, the time, registries.

use super::{Check, Facts, Finding, ports, sudo};

/// How much the clock may be behind the program's making: time zones, and files that were copied.
const CLOCK_TOLERANCE_S: u64 = 24 * 60 * 60;

pub(super) fn examine(facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(modem_manager(facts));
    findings.extend(brltty(facts));
    findings.extend(udev(facts));
    findings.extend(clock(facts));
    findings.extend(registries(facts));
    findings
}

fn modem_manager(facts: &Facts) -> Option<Finding> {
    let running = facts.modem_manager.as_ref()?;
    let disturbed: Vec<String> = facts
        .ports
        .iter()
        .filter(|port| ports::is_board(port) && !port.hidden_from_modem_manager)
        .map(|port| port.usb.device.display().to_string())
        .collect();
    let subject = running.to_string();
    match (&facts.udev.rules, disturbed.is_empty()) {
        (Some(_), true) => None,
        (Some(_), false) => {
            let problem = format!(
                "it may take {} for a modem and write to it: the rule against that is installed, and was not there when the \
                 board was plugged in; plug it in again, or let udev look again",
                disturbed.join(", ")
            );
            let command = "udevadm trigger --action=add --subsystem-match=usb --subsystem-match=tty";
            Some(Finding::blocking(Check::ModemManager, subject, problem).command(sudo(facts.root, command)))
        }
        (None, none) => {
            let problem = "it takes serial ports for modems and writes to them for some ten seconds, and no udev rule tells it to \
                           leave boards alone; the package brings one";
            let command = match facts.service {
                true => "apt install --reinstall microflo-bridge",
                false => "systemctl stop ModemManager",
            };
            let found = Finding { blocks: !none, ..Finding::blocking(Check::ModemManager, subject, problem) };
            Some(found.command(sudo(facts.root, command)))
        }
    }
}

/// As long as it runs it takes chips as they are plugged in.
fn brltty(facts: &Facts) -> Option<Finding> {
    let running = facts.brltty.as_ref()?;
    let problem = "it takes USB-serial chips (CH340, CP210x, FTDI) for braille displays; unless somebody here reads braille, \
                   remove it";
    Some(Finding::note(Check::Brltty, running.to_string(), problem).command(sudo(facts.root, "apt remove brltty")))
}

fn udev(facts: &Facts) -> Option<Finding> {
    if !facts.udev.running {
        let problem = "it does not run here, as in most containers: nobody gives ports to group dialout, and boards are noticed \
                       by looking at the directory of devices";
        return Some(Finding::note(Check::Udev, "udev", problem));
    }
    if facts.udev.rules.is_some() {
        return None;
    }
    let problem =
        "the bridge's rules are not installed: ModemManager is not told to leave boards alone, and FTDI chips are slow";
    let found = Finding { blocks: facts.service, ..Finding::blocking(Check::Udev, "udev", problem) };
    Some(found.command(facts.service.then(|| sudo(facts.root, "apt install --reinstall microflo-bridge"))))
}

fn clock(facts: &Facts) -> Option<Finding> {
    let set = || sudo(facts.root, "timedatectl set-ntp true");
    if facts.clock.now + CLOCK_TOLERANCE_S < facts.clock.built {
        let problem = "it is earlier than this program was made, so certificates of registries are taken for invalid";
        return Some(Finding::blocking(Check::Clock, "the clock", problem).command(set()));
    }
    if facts.clock.synchronised == Some(false) {
        let problem = "nobody keeps it right; a registry's certificate is valid for some time only";
        return Some(Finding::note(Check::Clock, "the clock", problem).command(set()));
    }
    None
}

fn registries(facts: &Facts) -> Vec<Finding> {
    // What a board's own line says already is not said twice.
    let told = |name: &str| {
        facts
            .boards()
            .iter()
            .flat_map(|board| &board.registries)
            .any(|status| status.registry == name && status.trouble)
    };
    let troubled = facts.registries.iter().filter(|registry| !told(&registry.name));
    let found = troubled.filter_map(|registry| {
        let found =
            Finding::blocking(Check::Registry, format!("registry {}", registry.name), registry.trouble.clone()?);
        Some(found.command(mending(facts, &registry.name)))
    });
    found.collect()
}

/// Mends what is between here and a registry, or shows it.
pub(super) fn mending(facts: &Facts, url: &str) -> String {
    match facts.registries.iter().find(|registry| registry.name == url) {
        Some(registry) if registry.lacks_certificates => "sudo apt install ca-certificates".to_owned(),
        _ => format!("curl -v {url}"),
    }
}
