//! Boards on the local network's multicast DNS.

use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use mdns_sd::{Receiver, ServiceDaemon, ServiceEvent};

use crate::machine::{arduino, id, text};
use crate::support::{Bridge, PATIENCE, PROGRAM, secret, skip};

const SERVICE: &str = "_fbp-ws._tcp.local.";
/// How long nothing must be heard.
const QUIET: Duration = Duration::from_secs(3);

/// A bridge on a machine of its own, so that its boards' ids are its own.
fn bridge(dir: &Path, machine: u64, args: &[&str]) -> Bridge {
    let machine_id = dir.join(format!("machine-{machine}"));
    std::fs::write(&machine_id, format!("{:032x}\n", (u128::from(machine) << 64) | 0xb0a2d)).unwrap();
    let mut command = Command::new(PROGRAM);
    command.args(["--simulate", "1", "--machine-id"]).arg(machine_id).args(args);
    Bridge::start_command(&dir.join(format!("state-{machine}")), command)
}

/// This machine's address beyond loopback, if it has one.
fn outward() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    let ip = socket.local_addr().ok()?.ip();
    (!ip.is_loopback() && !ip.is_unspecified()).then_some(ip)
}

/// The first event that fits; `None` after that time.
fn next<T>(events: &Receiver<ServiceEvent>, time: Duration, fits: impl Fn(ServiceEvent) -> Option<T>) -> Option<T> {
    let until = Instant::now() + time;
    while let Some(left) = until.checked_duration_since(Instant::now()) {
        if let Ok(event) = events.recv_timeout(left)
            && let Some(found) = fits(event)
        {
            return Some(found);
        }
    }
    None
}

/// The TXT record of that board, once its label is that.
fn resolved(events: &Receiver<ServiceEvent>, id: &str, label: &str) -> Option<(u16, Vec<String>)> {
    next(events, PATIENCE, |event| match event {
        ServiceEvent::ServiceResolved(info) => {
            let value = |key| info.get_property_val_str(key).unwrap_or_default();
            let text = info.get_properties().iter().map(|property| property.to_string()).collect();
            (value("id") == id && value("label") == label).then(|| (info.get_port(), text))
        }
        _ => None,
    })
}

/// Whether that board's announcement is taken back.
fn withdrawn(events: &Receiver<ServiceEvent>, id: &str) -> bool {
    let own = format!("microflo-{id}.{SERVICE}");
    let removed = next(events, PATIENCE, |event| match event {
        ServiceEvent::ServiceRemoved(_, name) => (name == own).then_some(()),
        _ => None,
    });
    removed.is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn boards_are_announced_beyond_loopback_and_withdrawn() {
    let Some(ip) = outward() else {
        return skip("this machine has no address beyond loopback");
    };
    let dir = tempfile::tempdir().unwrap();
    let line = arduino();
    // By a link: the terminal's own number would be another test's as soon as this one lets it go.
    let link = dir.path().join("board");
    std::os::unix::fs::symlink(line.path(), &link).unwrap();
    let device = link.display().to_string();
    let bridge = bridge(dir.path(), 0x12, &["--listen", &format!("{ip}:0"), "--device", &device]);
    bridge
        .wait("both are ready", |bridge| bridge.boards().iter().filter(|board| board["state"] == "ready").count() == 2);
    let (named, simulated): (Vec<_>, Vec<_>) =
        bridge.boards().into_iter().partition(|board| board["device"] == *device);
    let (board, other) = (&named[0], &simulated[0]);
    let daemon = ServiceDaemon::new().unwrap();
    let events = daemon.browse(SERVICE).unwrap();
    let (port, properties) = resolved(&events, id(board), text(board, "label")).expect("announced");
    println!("{ip}:{port} {properties:?}");
    let label = format!("label={}", text(board, "label"));
    for wanted in ["txtvers=1", &format!("id={}", id(board)), "type=microflo", &label, &format!("path=/{}", id(board))]
    {
        assert!(properties.iter().any(|property| property == wanted), "{wanted}: {properties:?}");
    }
    assert_eq!(properties[0], "txtvers=1", "the version comes first");
    assert_eq!(properties.len(), 5, "{properties:?}");
    let secret = secret(board);
    assert!(!properties.iter().any(|property| property.contains(&secret)), "a secret on the network");

    bridge.cli(&["label", id(board), "Door"]);
    resolved(&events, id(board), "Door").expect("announced with its new label");
    std::fs::remove_file(&link).unwrap();
    assert!(withdrawn(&events, id(board)), "an unplugged board is withdrawn");
    drop(bridge);
    assert!(withdrawn(&events, id(other)), "what a bridge that stops has announced is withdrawn");
    daemon.shutdown().unwrap();
}

#[test]
fn nothing_is_announced_on_loopback_or_when_it_is_switched_off() {
    let dir = tempfile::tempdir().unwrap();
    let mut bridges = vec![bridge(dir.path(), 0x10, &[])];
    let outward = outward();
    if outward.is_none() {
        skip("this machine has no address beyond loopback on which announcing could be switched off");
    }
    if let Some(ip) = outward {
        bridges.push(bridge(dir.path(), 0x11, &["--listen", &format!("{ip}:0"), "--mdns", "false"]));
    }
    let ids: Vec<_> = bridges.iter().map(|bridge| id(&bridge.board_in_state("ready")).to_owned()).collect();
    let daemon = ServiceDaemon::new().unwrap();
    let events = daemon.browse(SERVICE).unwrap();
    let found = next(&events, QUIET, |event| match event {
        ServiceEvent::ServiceResolved(info) => {
            let found = info.get_property_val_str("id").unwrap_or_default().to_owned();
            ids.contains(&found).then_some(found)
        }
        _ => None,
    });
    assert_eq!(found, None);
    daemon.shutdown().unwrap();
}
