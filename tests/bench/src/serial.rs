//! A board driven over its terminal directly: what the bridge is measured against.

use std::os::fd::OwnedFd;
use std::path::Path;

use anyhow::{Result, ensure};
use firmware_proto::{Body, Command, Decoded, Decoder, Dialect, Message, Response};
use rustix::fs::{Mode, OFlags};
use rustix::termios::OptionalActions;

/// What the linux and Arduino builds of microflo 0.4.4 speak.
pub(crate) const DIALECT: Dialect = Dialect::Flo01;

/// An open session.
#[derive(Debug)]
pub(crate) struct Line {
    fd: OwnedFd,
    decoder: Decoder,
}

impl Line {
    pub(crate) fn open(path: &Path) -> Result<Line> {
        let fd = rustix::fs::open(path, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
        let mut termios = rustix::termios::tcgetattr(&fd)?;
        termios.make_raw();
        rustix::termios::tcsetattr(&fd, OptionalActions::Now, &termios)?;
        let mut line = Line { fd, decoder: Decoder::searching(DIALECT) };
        line.write(DIALECT.opening(0).as_bytes())?;
        line.wait_for(&Response::CommunicationOpen)?;
        Ok(line)
    }

    /// Asks the board whether it lives, and waits for its answer.
    pub(crate) fn ping(&mut self) -> Result<()> {
        self.write(Command::Ping([0; 8]).encode(DIALECT, 0).as_bytes())?;
        self.wait_for(&Response::Pong([0; 8]))
    }

    fn write(&self, bytes: &[u8]) -> Result<()> {
        ensure!(rustix::io::write(&self.fd, bytes)? == bytes.len(), "the terminal is full");
        Ok(())
    }

    fn wait_for(&mut self, wanted: &Response) -> Result<()> {
        loop {
            let mut buffer = [0; 256];
            let count = rustix::io::read(&self.fd, &mut buffer)?;
            ensure!(count > 0, "the board has gone");
            if responses(&mut self.decoder, &buffer[..count]).contains(wanted) {
                return Ok(());
            }
        }
    }
}

/// What a board answers in these bytes.
pub(crate) fn responses(decoder: &mut Decoder, mut bytes: &[u8]) -> Vec<Response> {
    let mut responses = Vec::new();
    while let Some(decoded) = decoder.next(&mut bytes) {
        if let Decoded::Message(Message { body: Body::Response(response), .. }) = decoded {
            responses.push(response);
        }
    }
    responses
}
