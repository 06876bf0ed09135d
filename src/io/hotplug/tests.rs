use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use tokio::time::timeout;

use super::udev::tests::{message, say, sender};
use super::*;

const SOON: Duration = Duration::from_secs(2);
const A_WHILE: Duration = Duration::from_millis(150);

async fn hinted(hotplug: &mut Hotplug, within: Duration) -> bool {
    timeout(within, hotplug.hint()).await.is_ok()
}

#[tokio::test]
async fn a_node_that_comes_changes_mode_or_goes_is_one_hint_each() {
    let dev = tempfile::tempdir().unwrap();
    let mut hotplug = Hotplug::new(dev.path(), []);
    let node = dev.path().join("ttyUSB0");
    fs::write(&node, "").unwrap();
    assert!(hinted(&mut hotplug, SOON).await);
    assert!(!hinted(&mut hotplug, A_WHILE).await, "one plug, one hint");
    fs::set_permissions(&node, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(hinted(&mut hotplug, SOON).await);
    fs::remove_file(&node).unwrap();
    assert!(hinted(&mut hotplug, SOON).await);
}

#[tokio::test]
async fn other_nodes_are_no_hint() {
    let dev = tempfile::tempdir().unwrap();
    let mut hotplug = Hotplug::new(dev.path(), []);
    fs::write(dev.path().join("sda1"), "").unwrap();
    fs::write(dev.path().join("ttyS0"), "").unwrap();
    assert!(!hinted(&mut hotplug, A_WHILE).await);
}

#[tokio::test]
async fn the_link_of_a_named_device_is_a_hint_when_it_comes() {
    let (dev, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let link = other.path().join("board.microflo");
    let mut hotplug = Hotplug::new(dev.path(), [link.as_path()]);
    fs::write(other.path().join("unrelated"), "").unwrap();
    assert!(!hinted(&mut hotplug, A_WHILE).await);
    symlink("/dev/null", &link).unwrap();
    assert!(hinted(&mut hotplug, SOON).await);
}

#[tokio::test]
async fn a_pty_that_goes_is_a_hint() {
    let (master, slave) = serialport::TTYPort::pair().unwrap();
    let path = PathBuf::from(serialport::SerialPort::name(&slave).unwrap());
    let dev = tempfile::tempdir().unwrap();
    let mut hotplug = Hotplug::new(dev.path(), [path.as_path()]);
    drop((master, slave));
    assert!(hinted(&mut hotplug, SOON).await);
}

#[tokio::test]
async fn a_directory_that_appears_later_is_watched_from_the_next_tick() {
    let dev = tempfile::tempdir().unwrap();
    let later = dev.path().join("later");
    let named = later.join("board");
    let mut hotplug = Hotplug::new(dev.path(), [named.as_path()]);
    fs::create_dir(&later).unwrap();
    assert!(hotplug.rearm());
    fs::write(&named, "").unwrap();
    assert!(hinted(&mut hotplug, SOON).await);
    fs::remove_dir_all(&later).unwrap();
    assert!(hinted(&mut hotplug, SOON).await);
    while hinted(&mut hotplug, A_WHILE).await {}
    assert!(!hotplug.rearm(), "it is gone");
}

#[tokio::test]
async fn without_anything_to_watch_there_are_no_hints() {
    let mut hotplug = Hotplug::new(Path::new("/nonexistent"), []);
    assert!(!hotplug.rearm());
    assert!(!hinted(&mut hotplug, A_WHILE).await);
}

#[tokio::test]
async fn a_hint_whose_waiter_was_cancelled_comes_to_the_next() {
    let dev = tempfile::tempdir().unwrap();
    let mut hotplug = Hotplug::new(dev.path(), []);
    fs::write(dev.path().join("ttyACM0"), "").unwrap();
    let mut came = false;
    for _ in 0..5 {
        // On a busy machine it may come so late that it is due already.
        came = hinted(&mut hotplug, Duration::from_millis(1)).await;
        if came || hotplug.pending.is_some() {
            break;
        }
    }
    assert!(came || hinted(&mut hotplug, SOON).await);
}

#[tokio::test]
async fn what_udev_says_is_a_hint_without_any_change_in_the_directory() {
    let Some(udev) = sender() else { return };
    let dev = tempfile::tempdir().unwrap();
    let mut hotplug = Hotplug::new(dev.path(), []).with_udev();
    say(&udev, &message(&["ACTION=add", "SUBSYSTEM=tty", "DEVNAME=/dev/ttyACM0"])).unwrap();
    assert!(hinted(&mut hotplug, SOON).await);
}

#[tokio::test]
async fn a_burst_of_events_is_few_hints() {
    let Some(udev) = sender() else { return };
    let dev = tempfile::tempdir().unwrap();
    let mut hotplug = Hotplug::new(dev.path(), []).with_udev();
    let burst = std::thread::spawn(move || {
        let event = message(&["ACTION=change", "SUBSYSTEM=tty", "DEVNAME=/dev/ttyACM0"]);
        for _ in 0..2000 {
            say(&udev, &event).unwrap();
        }
    });
    let began = Instant::now();
    let mut hints: u128 = 0;
    while hinted(&mut hotplug, A_WHILE).await {
        hints += 1;
    }
    burst.join().unwrap();
    println!("2000 events: {hints} hints in {:?}", began.elapsed());
    assert!(hints >= 1 && hints <= began.elapsed().as_millis() / SETTLE.as_millis(), "{hints} hints");
}
