//! Opening the port: retried while others have it, never without a reason shown.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use firmware_proto::Dialect;

use super::Loop;
use crate::io::random;
use crate::io::serial::{OpenError, PortSettings};
use crate::io::transport::Transport;
use crate::pure::backoff::Backoff;
use crate::pure::families::ModemLines;
use crate::pure::port::Port;
use crate::pure::view::BoardState;
use crate::sim;

/// Right after plugging in, a port fails to open until udev has set it up.
const QUICK_RETRY: Backoff = Backoff { base: Duration::from_millis(10), max: Duration::from_millis(500) };

/// How long it is tried quickly.
const QUICK_RETRY_FOR: Duration = Duration::from_secs(5);

/// How long a port may fail to open before that is said: until udev has set it up there is nothing for a person to do.
const QUIET_FOR: Duration = Duration::from_secs(1);

/// Afterwards: how often without any hint that something has changed.
const SLOW_RETRY: Duration = Duration::from_secs(2);

/// How fast the LED of a simulated board blinks.
const BLINK: Duration = Duration::from_millis(500);

/// What to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A serial port or PTY.
    Port {
        /// The device node or a link to it.
        path: PathBuf,
        /// What to do with DTR and RTS.
        lines: ModemLines,
    },
    /// A simulated board that speaks this dialect.
    Simulated(Dialect),
}

impl Target {
    /// The target for a port. Simulated boards speak the dialects in turn.
    pub fn new(port: &Port, lines: ModemLines) -> Self {
        match port {
            Port::Usb(usb) => Target::Port { path: usb.device.clone(), lines },
            Port::Named(path) => Target::Port { path: path.clone(), lines },
            Port::Simulated(index) => Target::Simulated(Dialect::ALL[*index as usize % Dialect::ALL.len()]),
        }
    }

    /// What to add to the reason why it was given up: how it is tried again.
    pub(super) fn how_to_retry(&self) -> String {
        match self {
            Target::Port { path, .. } => format!(
                "; it is left alone until it is plugged in again, or you type: microflo-bridge allow {}",
                path.display()
            ),
            Target::Simulated(_) => String::new(),
        }
    }
}

impl Loop {
    /// The open line; waits as long as the port is there but cannot be opened. `None`: it is not there any more.
    pub(super) async fn open(&mut self) -> Option<Box<dyn Transport>> {
        let began = Instant::now();
        let mut failures = 0;
        // Once: between the attempts that fail, the reason of the failure stays to be read.
        self.say(BoardState::Opening, "the port is being opened".into(), None);
        loop {
            let error = match self.try_open().await {
                Ok(line) => return Some(line),
                Err(error) => error,
            };
            let quick = error.is_transient() && began.elapsed() < QUICK_RETRY_FOR;
            let quiet = quick && began.elapsed() < QUIET_FOR;
            let state = match error {
                OpenError::NotFound { .. } => return None,
                // A device that is being set up says so, too; one that is not there any more is not found next time.
                OpenError::Gone { .. } if !quiet => return None,
                OpenError::Permission { .. } => BoardState::WaitingForPermission,
                OpenError::Busy { .. } => BoardState::Busy,
                OpenError::NotATty { .. } => BoardState::NotMicroflo,
                _ => BoardState::Unresponsive,
            };
            failures += 1;
            let wait = if quick { QUICK_RETRY.delay(failures, random::jitter()) } else { SLOW_RETRY };
            if !quiet {
                self.say(state, error.to_string(), None);
            }
            self.wait(wait).await;
        }
    }

    async fn try_open(&mut self) -> Result<Box<dyn Transport>, OpenError> {
        match &self.setup.target {
            Target::Port { path, lines } => {
                let baud = self.setup.session.bauds[0];
                let settings = PortSettings { path: path.clone(), baud, lines: *lines };
                let port = self.pulse.during(self.opener.open(settings)).await?;
                if !port.has_modem_lines() && !self.setup.resets {
                    // Opening has reset nothing, as far as can be known.
                    self.setup.session.boot_window = Duration::ZERO;
                }
                Ok(Box::new(port))
            }
            Target::Simulated(dialect) => {
                let embedded = Some(sim::blink(*dialect, BLINK));
                // A board to try things on shows more than stock firmware does: the text of a string.
                let config = sim::Config { embedded, reports_bytes: true, ..sim::Config::new(*dialect) };
                let (line, _hand) = sim::duplex(config);
                Ok(Box::new(line))
            }
        }
    }

    /// Waits for the time, or for a hint that it is worth trying again now.
    async fn wait(&mut self, time: Duration) {
        // Cut off between two messages: both `rest` and what it waits for are cancel safe.
        let _ = tokio::time::timeout(time, self.rest()).await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::{mpsc, oneshot};
    use tokio::time::timeout;
    use uuid::Uuid;

    use super::super::{Command, Setup, UPLOAD_STEPS, Upload, spawn};
    use super::*;
    use crate::actors::directory::{ClientKind, FromClient};
    use crate::actors::heartbeat::Heartbeats;
    use crate::actors::keeper::Keeper;
    use crate::actors::status::StatusBoard;
    use crate::pure::fbp::{Identity, UploadStep};

    const SOON: Duration = Duration::from_secs(5);

    /// A board at a port that is no terminal, and never one.
    fn setup() -> Setup {
        let identity =
            Identity { id: Uuid::nil(), label: "board".into(), secret: "s".into(), read_secret: String::new() };
        Setup {
            id: Uuid::nil(),
            generation: 1,
            target: Target::Port { path: "/dev/null".into(), lines: ModemLines::default() },
            session: crate::pure::session::Config::default(),
            resets: false,
            identity,
            build: None,
            saved: None,
            restore: false,
            introduction: Default::default(),
            known: Default::default(),
            persistent: true,
            meter: std::sync::Arc::default(),
        }
    }

    #[tokio::test]
    async fn whoever_asks_a_board_whose_port_does_not_open_is_answered() {
        let handle = spawn(setup(), StatusBoard::default(), Keeper::default(), Heartbeats::default().pulse("board"));
        let (steps, mut ended) = mpsc::channel(UPLOAD_STEPS);
        let upload = Upload { graph: serde_json::json!({}), start: true, steps };
        handle.request(Command::Upload(upload)).unwrap();
        assert!(matches!(timeout(SOON, ended.recv()).await, Ok(Some(UploadStep::Ended(Err(_))))));
        let (reply, link) = oneshot::channel();
        handle.request(Command::Connect(ClientKind::Fbp, reply)).unwrap();
        let mut link = link.await.unwrap().unwrap();
        let text = r#"{"protocol":"runtime","command":"getruntime","payload":{}}"#;
        link.to_board.send(FromClient::Text(text.into())).await.unwrap();
        assert!(timeout(SOON, link.from_board.recv()).await.unwrap().is_some());
        handle.stop().await;
    }
    #[tokio::test(flavor = "multi_thread")]
    async fn a_loop_that_waits_for_its_port_turns_and_one_that_hangs_is_named() {
        let (loops, status) = (Heartbeats::default(), StatusBoard::default());
        let handle = spawn(setup(), status.clone(), Keeper::default(), loops.pulse("the board"));
        let answers = || {
            loops.next_round();
            std::thread::park_timeout(SOON / 50);
            loops.next_round().is_empty()
        };
        assert!((0..50).any(|_| answers()));
        let held = status.hold();
        let (reply, _link) = oneshot::channel();
        handle.request(Command::Connect(ClientKind::Fbp, reply)).unwrap();
        assert!((0..50).any(|_| !answers()));
        assert!((0..5).all(|_| !answers()), "it hangs until it may report");
        drop(held);
        assert!((0..50).any(|_| answers()));
        handle.stop().await;
    }
}
