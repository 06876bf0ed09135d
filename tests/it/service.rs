//! The bridge as systemd starts it: with a control socket that is there before it, told how it is, and watched.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{PATIENCE, PROGRAM};

/// How often the bridge is to say that it is alive, in these tests: well within a watchdog's patience.
const PATIENCE_OF_WATCHDOG: Duration = Duration::from_millis(400);

/// What systemd has: the socket, and an ear for the service.
struct Systemd {
    dir: TempDir,
    control: UnixListener,
    ear: UnixDatagram,
}

struct Service(Child);

impl Systemd {
    fn new() -> Systemd {
        let dir = tempfile::tempdir().unwrap();
        let control = UnixListener::bind(dir.path().join("control.sock")).unwrap();
        let ear = UnixDatagram::bind(dir.path().join("notify")).unwrap();
        Systemd { dir, control, ear }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn start(&self, args: &[&OsStr]) -> Service {
        let log = std::fs::File::create(self.path("log")).unwrap();
        let mut command = Command::new("sh");
        // The first descriptor that systemd passes is 3, and whom it is for is known only then.
        command.args(["-c", r#"exec 3<&0 </dev/null; export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@""#, "sh", PROGRAM]);
        command.args(["run", "--listen", "127.0.0.1:0", "--state-dir"]).arg(self.path("state")).args(args);
        command.env("NOTIFY_SOCKET", self.path("notify"));
        command.env("WATCHDOG_USEC", PATIENCE_OF_WATCHDOG.as_micros().to_string());
        command.stdin(OwnedFd::from(self.control.try_clone().unwrap()));
        Service(command.stdout(Stdio::null()).stderr(log).spawn().unwrap())
    }

    /// What the service says next, within that time.
    fn hear(&self, time: Duration) -> Option<String> {
        self.ear.set_read_timeout(Some(time)).unwrap();
        let mut message = [0; 1024];
        match self.ear.recv(&mut message) {
            Ok(count) => Some(String::from_utf8(message[..count].to_vec()).unwrap()),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => None,
            Err(error) => panic!("{error}"),
        }
    }

    /// Waits until the service has said that.
    fn wait_for(&self, what: &str) {
        let (began, mut heard) = (Instant::now(), Vec::new());
        while let Some(message) = self.hear(PATIENCE.saturating_sub(began.elapsed()).max(Duration::from_millis(1))) {
            if message.contains(what) {
                return;
            }
            heard.push(message);
        }
        panic!("it never said {what:?}, but {heard:?}; the log:\n{}", self.log());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap()
    }

    /// A client command at the service's socket.
    fn client(&self, args: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(args).env("MICROFLO_BRIDGE_CONTROL", self.path("control.sock"));
        command
    }
}

impl Service {
    fn signal(&self, name: &str) {
        // Its own child, by pid.
        assert!(Command::new("kill").args([name, &self.0.id().to_string()]).status().unwrap().success());
    }

    fn ended(&mut self) -> ExitStatus {
        self.0.wait().unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Has ended where the test came to its end.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn who_asks_before_the_service_runs_is_answered_by_it_and_the_socket_outlives_it() {
    let systemd = Systemd::new();
    let early = systemd.client(&["list", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut service = systemd.start(&["--simulate".as_ref(), "2".as_ref()]);
    let answer = early.wait_with_output().unwrap();
    let boards: Value = serde_json::from_slice(&answer.stdout).unwrap();
    assert_eq!(boards.as_array().unwrap().len(), 2, "ready means that the first look at the ports is done");
    service.signal("-TERM");
    assert!(service.ended().success(), "{}", systemd.log());
    assert!(UnixStream::connect(systemd.path("control.sock")).is_ok());
    let mut again = systemd.start(&["--simulate".as_ref(), "1".as_ref()]);
    assert!(systemd.client(&["list"]).output().unwrap().status.success());
    again.signal("-TERM");
    assert!(again.ended().success());
}

#[test]
fn systemd_is_told_when_the_service_is_ready_what_it_has_and_when_it_reads_its_settings_or_stops() {
    let systemd = Systemd::new();
    let mut service = systemd.start(&["--simulate".as_ref(), "2".as_ref()]);
    let first = systemd.hear(PATIENCE).unwrap();
    assert!(first.contains("READY=1") && first.contains("STATUS=2 boards"), "{first}");
    if !first.contains("2 ready") {
        systemd.wait_for("STATUS=2 boards, 2 ready");
    }
    service.signal("-HUP");
    systemd.wait_for("RELOADING=1");
    systemd.wait_for("READY=1");
    service.signal("-TERM");
    systemd.wait_for("STOPPING=1");
    assert!(service.ended().success());
}

/// A pipe in place of the configuration file wedges the loop that reads it: nobody writes.
#[test]
fn a_loop_that_hangs_is_named_and_systemd_hears_no_sign_of_life_until_it_turns_again() {
    let systemd = Systemd::new();
    let config = systemd.path("bridge.toml");
    std::fs::write(&config, "").unwrap();
    let service = systemd.start(&["--simulate".as_ref(), "2".as_ref(), "--config".as_ref(), config.as_ref()]);
    systemd.wait_for("WATCHDOG=1");
    std::fs::remove_file(&config).unwrap();
    assert!(Command::new("mkfifo").arg(&config).status().unwrap().success());
    service.signal("-HUP");
    systemd.wait_for("RELOADING=1");
    // The round that was asked for before may have been answered.
    while systemd.hear(PATIENCE_OF_WATCHDOG).is_some() {}
    assert_eq!(systemd.hear(5 * PATIENCE_OF_WATCHDOG), None, "{}", systemd.log());
    assert!(systemd.log().contains("this loop does not turn any more: signals"), "{}", systemd.log());

    std::fs::write(&config, "").unwrap();
    systemd.wait_for("READY=1");
    systemd.wait_for("WATCHDOG=1");
}
