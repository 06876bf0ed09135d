//! A board's open port: moves bytes and messages until it is closed.

use std::time::{Duration, Instant};

use tokio::time::sleep_until;
use tokio_util::sync::CancellationToken;

use super::introductions::answered;
use super::move_bytes::{Moved, move_bytes, read_now};
use super::{Closed, Loop, now};
use crate::io::transport::Transport;
use crate::pure::board::Output;
use crate::pure::view::BoardState;

/// Commands that may wait before clients are not read any more: with the session's window a few seconds of a 9600-baud line.
const WAITING_COMMANDS: usize = 256;

/// Bytes read from a port at once.
const READ_BYTES: usize = 1024;

/// Reads that may come before a time that is due. A loop that was held up finds both waiting, an answer and its time limit, and
/// the answer counts; a board that never stops talking cannot put off time for ever.
const LATE_READS: u32 = 8;

/// How long changes of a graph are gathered before it is saved.
const SAVE_AFTER: Duration = Duration::from_millis(250);

/// How far [`Loop::flush`] came.
enum Flushed {
    /// Nothing is left.
    All,
    /// The line's rate has to be changed before anything else is written.
    SetBaud(u32),
    /// Nothing there for us.
    LeaveAlone,
}

impl Loop {
    /// Moves bytes and messages until the port is closed.
    pub(super) async fn serve(&mut self, line: &mut dyn Transport, cancel: &CancellationToken) -> Closed {
        self.recognition = None;
        self.board.port_opened(self.setup.session.clone(), now());
        let mut rx = [0; READ_BYTES];
        let mut tx = Vec::new();
        let mut late_reads = 0;
        loop {
            match self.flush(&mut tx) {
                Flushed::All => {}
                Flushed::SetBaud(baud) => {
                    self.set_baud(line, baud).await;
                    continue;
                }
                Flushed::LeaveAlone => return Closed::LeftAlone,
            }
            let wake = self.board.wake_at().unwrap_or_else(|| Instant::now() + Duration::from_secs(60));
            let save_at = self.save_at.unwrap_or(wake);
            let reads_clients = self.board.waiting() < WAITING_COMMANDS;
            tokio::select! {
                moved = move_bytes(line, &mut rx, &tx) => match moved {
                    Ok(Moved::Read(0)) | Err(_) => return Closed::Gone,
                    Ok(Moved::Read(count)) => self.read(&rx[..count]),
                    Ok(Moved::Wrote(count)) => {
                        self.setup.meter.wrote(count);
                        tx.drain(..count);
                    }
                },
                (id, message) = self.clients.next(), if reads_clients => self.client_message(id, message),
                command = self.commands.recv() => match command {
                    Some(command) => self.command(command),
                    None => return Closed::Cancelled,
                },
                answer = answered(&mut self.recognition) => self.recognized(answer),
                () = sleep_until(wake.into()) => {
                    let late = if late_reads < LATE_READS { read_now(line, &mut rx).await } else { None };
                    if let Some(count) = late {
                        late_reads += 1;
                        self.read(&rx[..count]);
                    } else {
                        late_reads = 0;
                        self.board.handle_time(now());
                    }
                }
                () = sleep_until(save_at.into()), if self.save_at.is_some() => self.save(),
                () = self.pulse.beat() => {}
                () = cancel.cancelled() => return Closed::Cancelled,
            }
        }
    }

    fn read(&mut self, bytes: &[u8]) {
        self.setup.meter.read(bytes.len());
        tracing::trace!(board = %self.setup.id, "from the board: {bytes:02x?}");
        self.board.handle_bytes(bytes, now());
    }

    async fn set_baud(&mut self, line: &mut dyn Transport, baud: u32) {
        if let Err(error) = self.pulse.during(line.set_baud(baud)).await {
            tracing::debug!(board = %self.setup.id, baud, %error, "the port refused the baud rate");
        }
    }

    /// Carries out what the board wants done while its port is closed.
    pub(super) fn flush_closed(&mut self) {
        while !matches!(self.flush(&mut Vec::new()), Flushed::All) {}
    }

    /// Carries out what the board wants done, up to what is for the port itself.
    fn flush(&mut self, tx: &mut Vec<u8>) -> Flushed {
        while let Some(output) = self.board.poll(now()) {
            match output {
                Output::Transmit(bytes) => {
                    tracing::trace!(board = %self.setup.id, "to the board: {bytes:02x?}");
                    tx.extend_from_slice(&bytes);
                }
                Output::SetBaud(baud) => return Flushed::SetBaud(baud),
                Output::Send(id, message) => {
                    if !self.clients.send(id, message) {
                        tracing::warn!(board = %self.setup.id, "a client that did not read was dropped");
                        self.board.disconnect(id);
                        self.report_clients();
                    }
                }
                Output::Log(text) => tracing::info!(board = %self.setup.id, "{text}"),
                Output::Upload(id, step) => self.uploads.step(id, step),
                Output::Introduction(introduction) => self.introduce(*introduction),
                Output::Stored(result) => self.stored(result),
                Output::State(state, reason, firmware) => {
                    let leave = match state {
                        BoardState::NotMicroflo => true,
                        BoardState::Unresponsive => !self.setup.persistent && !self.board.was_up(),
                        _ => false,
                    };
                    let advice = if leave { self.setup.target.how_to_retry() } else { String::new() };
                    self.say(state, reason + &advice, firmware);
                    if leave {
                        return Flushed::LeaveAlone;
                    }
                }
            }
        }
        if self.board.is_touched() {
            if self.board.is_exposed() {
                self.save();
            }
            self.save_at.get_or_insert_with(|| Instant::now() + SAVE_AFTER);
        }
        Flushed::All
    }
}
