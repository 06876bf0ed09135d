use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::{env, fs};

use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{
    ControlModes, InputModes, LocalModes, OptionalActions, OutputModes, SpecialCodeIndex, ioctl_tiocexcl,
    ioctl_tiocnxcl, tcgetattr, tcsetattr,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::*;

const SOON: Duration = Duration::from_secs(5);

async fn open(settings: PortSettings) -> Result<SerialPort, OpenError> {
    Opener::default().open(settings).await
}

/// Says why a test is not run; where everything has to be, under CI, that is a failure.
fn skip(why: &str) {
    assert!(env::var_os("CI").is_none(), "not run: {why}");
    println!("skipped: {why}");
}

/// The user and group `nobody`.
const NOBODY: u32 = 65534;

/// A PTY whose other end, the board, is this test.
struct Pty {
    master: fs::File,
    path: PathBuf,
}

impl Pty {
    fn new() -> Pty {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let path = PathBuf::from(std::ffi::OsString::from_vec(ptsname(&master, Vec::new()).unwrap().into_bytes()));
        Pty { master: master.into(), path }
    }

    /// A second descriptor of the slave, opened like a program that knows of no lock.
    fn open_plainly(&self) -> OwnedFd {
        open_plainly(&self.path)
    }

    /// Sets the slave up as firmware built for Linux does.
    fn make_raw(&self) {
        let slave = self.open_plainly();
        let mut termios = tcgetattr(&slave).unwrap();
        termios.make_raw();
        termios.special_codes[SpecialCodeIndex::VMIN] = 0;
        tcsetattr(&slave, OptionalActions::Now, &termios).unwrap();
    }

    fn settings(&self) -> PortSettings {
        PortSettings { path: self.path.clone(), baud: 115_200, lines: ModemLines::On }
    }

    async fn open(&self) -> Result<SerialPort, OpenError> {
        open(self.settings()).await
    }
}

fn open_plainly(path: &Path) -> OwnedFd {
    rustix::fs::open(path, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).unwrap()
}

/// Another process that does something with a port, until this is dropped.
struct Other(Child);

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs [`in_another_process`] in a process of its own; gives it and the line that it prints. `None` where that user
/// may not run it.
fn spawn(task: &str, path: &Path, user: Option<u32>) -> Option<(Other, String)> {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "io::serial::tests::in_another_process", "--nocapture"]);
    command.env("SERIAL_TEST_TASK", task).env("SERIAL_TEST_PATH", path).current_dir("/");
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    if let Some(user) = user {
        command.uid(user).gid(user);
    }
    let mut child = match command.spawn() {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return None,
        child => child.unwrap(),
    };
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let other = Other(child);
    let mut reports = lines.map_while(Result::ok).filter_map(|line| line.split_once("REPORT ").map(|r| r.1.to_owned()));
    let report = reports.next().unwrap_or_default();
    Some((other, report))
}

/// No test of its own: the other process of the tests below.
#[test]
fn in_another_process() {
    let (Ok(task), Some(path)) = (env::var("SERIAL_TEST_TASK"), env::var_os("SERIAL_TEST_PATH")) else { return };
    let settings = PortSettings { path: path.into(), baud: 9600, lines: ModemLines::Keep };
    let held = match task.as_str() {
        "open" => {
            let outcome = open::open(&settings);
            report(&outcome.as_ref().map_or_else(|error| format!("{error:?}"), |_| "opened".to_owned()));
            return;
        }
        "plain" => open_plainly(&settings.path),
        "terminal" => {
            rustix::process::setsid().unwrap();
            rustix::fs::open(&settings.path, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).unwrap()
        }
        "flock" => {
            let fd = open_plainly(&settings.path);
            flock(&fd, FlockOperation::LockExclusive).unwrap();
            fd
        }
        "exclusive" => {
            let fd = open_plainly(&settings.path);
            ioctl_tiocexcl(&fd).unwrap();
            fd
        }
        other => panic!("no task {other}"),
    };
    report("holding");
    // Until the parent kills this process or goes away itself.
    let _ = std::io::stdin().read(&mut [0]);
    drop(held);
}

fn report(text: &str) {
    // Not `print!`, which the test harness captures.
    writeln!(std::io::stdout(), "REPORT {text}").unwrap();
}

fn is_exclusive(pty: &Pty) -> bool {
    ioctl::is_exclusive(pty.open_plainly().as_fd()).unwrap()
}

#[tokio::test]
async fn bytes_pass_both_ways_unchanged() {
    let mut pty = Pty::new();
    let mut port = pty.open().await.unwrap();
    let all: Vec<u8> = (0..=255).collect();
    pty.master.write_all(&all).unwrap();
    let mut got = vec![0; 256];
    timeout(SOON, port.read_exact(&mut got)).await.unwrap().unwrap();
    assert_eq!(got, all);
    port.write_all(&all).await.unwrap();
    port.flush().await.unwrap();
    pty.master.read_exact(&mut got).unwrap();
    assert_eq!(got, all);
}

#[tokio::test]
async fn a_silent_port_waits() {
    let pty = Pty::new();
    let mut port = pty.open().await.unwrap();
    assert!(timeout(Duration::from_millis(50), port.read_u8()).await.is_err());
    assert!(!port.has_modem_lines(), "a PTY has none");
}

#[tokio::test]
async fn the_settings_are_in_force() {
    let pty = Pty::new();
    let mut port = pty.open().await.unwrap();
    let applied = tcgetattr(pty.open_plainly()).unwrap();
    assert_eq!(applied.output_speed(), 115_200);
    assert!(!applied.local_modes.intersects(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG));
    assert_eq!(applied.input_modes, InputModes::empty());
    assert!(!applied.output_modes.contains(OutputModes::OPOST));
    assert!(applied.control_modes.contains(ControlModes::CLOCAL | ControlModes::CREAD | ControlModes::CS8));
    assert!(!applied.control_modes.intersects(ControlModes::HUPCL | ControlModes::CRTSCTS | ControlModes::CSTOPB));
    assert_eq!(applied.special_codes[SpecialCodeIndex::VMIN], 1);
    assert_eq!(applied.special_codes[SpecialCodeIndex::VTIME], 0);

    for baud in [9600, 250_000] {
        port.set_baud(baud).await.unwrap();
        assert_eq!(tcgetattr(pty.open_plainly()).unwrap().output_speed(), baud);
    }
}

#[tokio::test]
async fn bootloader_rates_are_refused_and_nothing_stays_locked() {
    let pty = Pty::new();
    for baud in [0, 134, 1200] {
        let error = open(PortSettings { baud, ..pty.settings() }).await.unwrap_err();
        assert!(matches!(error, OpenError::UnsupportedBaud { .. }), "{error}");
        assert!(!is_exclusive(&pty));
    }
    let mut port = pty.open().await.unwrap();
    assert_eq!(port.set_baud(1200).await.unwrap_err().kind(), io::ErrorKind::InvalidInput);
    assert_eq!(tcgetattr(pty.open_plainly()).unwrap().output_speed(), 115_200);
}

#[tokio::test]
async fn boot_frames_that_wait_in_a_pty_are_read() {
    let mut pty = Pty::new();
    pty.make_raw();
    pty.master.write_all(b"\x01\x13boot").unwrap();
    let mut port = pty.open().await.unwrap();
    let mut got = [0; 6];
    timeout(SOON, port.read_exact(&mut got)).await.unwrap().unwrap();
    assert_eq!(&got, b"\x01\x13boot");
}

#[tokio::test]
async fn a_board_that_goes_shows_as_end_or_error_at_once() {
    let pty = Pty::new();
    let mut port = pty.open().await.unwrap();
    drop(pty);
    let read = timeout(SOON, port.read(&mut [0; 8])).await.unwrap();
    assert!(matches!(read, Ok(0) | Err(_)));
    timeout(SOON, port.close()).await.unwrap();
}

#[tokio::test]
async fn a_board_that_goes_wakes_who_waits_for_it() {
    let pty = Pty::new();
    let mut port = pty.open().await.unwrap();
    let waiting = tokio::spawn(async move { port.read(&mut [0; 8]).await });
    tokio::task::yield_now().await;
    drop(pty);
    let read = timeout(SOON, waiting).await.unwrap().unwrap();
    assert!(matches!(read, Ok(0) | Err(_)));
}

#[tokio::test]
async fn closing_releases_the_port_even_with_output_that_nobody_reads() {
    let pty = Pty::new();
    for _ in 0..3 {
        let mut port = pty.open().await.unwrap();
        let stuffed = timeout(Duration::from_millis(20), async {
            loop {
                port.write_all(&[0; 1024]).await.unwrap();
            }
        });
        let _: Result<(), _> = stuffed.await;
        timeout(SOON, port.close()).await.unwrap();
    }
    assert!(!is_exclusive(&pty));
}

#[tokio::test]
async fn dropping_releases_the_port_soon() {
    let pty = Pty::new();
    drop(pty.open().await.unwrap());
    let reopened = timeout(SOON, async {
        loop {
            match pty.open().await {
                Ok(port) => return port,
                Err(OpenError::Busy { how: Busy::Flock, .. }) => tokio::task::yield_now().await,
                Err(error) => panic!("{error}"),
            }
        }
    });
    reopened.await.unwrap();
}

#[tokio::test]
async fn a_second_open_is_busy_and_leaves_the_first_alone() {
    let mut pty = Pty::new();
    let mut port = pty.open().await.unwrap();
    let error = pty.open().await.unwrap_err();
    let OpenError::Busy { holder: Some(holder), how: Busy::Flock, .. } = &error else { panic!("{error:?}") };
    assert_eq!(holder.pid, std::process::id());
    pty.master.write_all(b"x").unwrap();
    assert_eq!(timeout(SOON, port.read_u8()).await.unwrap().unwrap(), b'x');
}

#[tokio::test]
async fn each_way_of_holding_a_port_is_told_with_the_holder() {
    for (task, expected) in [("flock", Busy::Flock), ("exclusive", Busy::Exclusive), ("plain", Busy::PlainOpen)] {
        let pty = Pty::new();
        let before = tcgetattr(pty.open_plainly()).unwrap().local_modes;
        let (other, said) = spawn(task, &pty.path, None).unwrap();
        assert_eq!(said, "holding");
        let error = pty.open().await.unwrap_err();
        let OpenError::Busy { holder: Some(holder), how, .. } = &error else { panic!("{task}: {error:?}") };
        assert_eq!((*how, holder.pid), (expected, other.0.id()), "{task}");
        assert!(error.to_string().contains(&format!("(process {})", holder.pid)), "{error}");

        drop(other);
        if task == "exclusive" && !rustix::process::geteuid().is_root() {
            continue;
        }
        assert_eq!(tcgetattr(pty.open_plainly()).unwrap().local_modes, before, "{task}: its settings are its own");
        assert_eq!(is_exclusive(&pty), task == "exclusive", "{task}: nothing of ours is left");
        // A killed holder's flag stays on a PTY; it must not keep the board out for ever.
        pty.open().await.unwrap().close().await;
    }
}

#[tokio::test]
async fn the_program_behind_a_pty_is_no_rival_although_it_keeps_the_slave_open() {
    // This process has both ends, as emulators do; the one that opens is another.
    let pty = Pty::new();
    let _slave = pty.open_plainly();
    let (_other, said) = spawn("open", &pty.path, None).unwrap();
    assert_eq!(said, "opened");
}

#[test]
fn an_unprivileged_user_is_told_what_is_missing() {
    if !rustix::process::geteuid().is_root() {
        return skip("only root can start a process as another user");
    }
    let pty = Pty::new();
    let told = |mode: u32| {
        fs::set_permissions(&pty.path, fs::Permissions::from_mode(mode)).unwrap();
        spawn("open", &pty.path, Some(NOBODY)).map(|(_other, said)| said)
    };
    let Some(closed) = told(0o600) else {
        return skip("this build directory is closed to other users");
    };
    assert!(closed.starts_with("Permission") && closed.contains("mode 600"), "{closed}");
    assert_eq!(told(0o666).unwrap(), "opened");
    // What /proc shows to an unprivileged user: its own processes' descriptors, and everybody's terminal.
    for (task, user, seen) in
        [("plain", Some(NOBODY), "PlainOpen"), ("terminal", None, "PlainOpen"), ("exclusive", None, "Exclusive")]
    {
        let (other, said) = spawn(task, &pty.path, user).unwrap();
        assert_eq!(said, "holding");
        let busy = told(0o666).unwrap();
        assert!(busy.starts_with("Busy") && busy.contains(seen), "{task}: {busy}");
        assert_eq!(busy.contains(&other.0.id().to_string()), task != "exclusive", "{task}: {busy}");
    }
}

#[tokio::test]
async fn what_is_no_serial_port_is_named_as_such() {
    let open = |path: &str| open(PortSettings { path: path.into(), baud: 9600, lines: ModemLines::Keep });
    assert!(matches!(open("/nonexistent/tty").await.unwrap_err(), OpenError::NotFound { .. }));
    assert!(matches!(open("/dev/null").await.unwrap_err(), OpenError::NotATty { .. }));
    assert!(matches!(open("/tmp").await.unwrap_err(), OpenError::NotATty { .. }));
}

#[tokio::test]
async fn a_failed_opener_does_not_unlock_the_owners_port() {
    let pty = Pty::new();
    let owner = pty.open_plainly();
    flock(&owner, FlockOperation::LockExclusive).unwrap();
    ioctl_tiocexcl(&owner).unwrap();
    if rustix::process::geteuid().is_root() {
        assert!(matches!(pty.open().await, Err(OpenError::Busy { how: Busy::Flock, .. })));
        assert!(is_exclusive(&pty));
    }
    ioctl_tiocnxcl(&owner).unwrap();
    assert!(owner.as_raw_fd() >= 0);
}
