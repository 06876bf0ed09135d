//! `firmware-proto/arduino/describe.hpp` in both dialects, without MicroFlo around it.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use firmware_proto::descriptor::{Own, OwnState, Query, Reply};
use firmware_proto::{Command as Sent, Dialect, Frame, Message};
use microflo_bridge::pure::descriptor::{Options, compile, header};
use microflo_bridge::pure::model::build::Build;
use microflo_bridge::sim;

use crate::wire::Wire;

/// Feeds the tap from stdin. What it passes on is written behind a `P`, byte by byte; replies behind an `R`.
const HARNESS: &str = r#"
#include "describe.hpp"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
struct Memory {
    static uint8_t bytes[describe::StoreBytes];
    static bool there() { return true; }
    static uint8_t read(uint8_t at) { return bytes[at]; }
    static void write(uint8_t at, uint8_t byte) { bytes[at] = byte; }
};
uint8_t Memory::bytes[describe::StoreBytes];
struct Parser {
    void parseByte(char byte) { putchar('P'); putchar(byte); }
};
int main(int argc, char **argv) {
    if (argc != 2) return 2;
    memset(Memory::bytes, atoi(argv[1]), sizeof(Memory::bytes));
    Parser parser;
    describe::DescriptorTap<Memory> tap;
    uint8_t byte, reply[describe::FrameBytes];
    while (read(0, &byte, 1) == 1) {
        if (tap.feed(byte, parser, reply)) {
            putchar('R');
            fwrite(reply, 1, sizeof(reply), stdout);
        }
        putchar('.');
        fflush(stdout);
    }
}
"#;

struct Tap {
    dialect: Dialect,
    child: Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
}

impl Tap {
    /// `memory`: what each byte of it holds at first.
    fn build(dialect: Dialect, dir: &Path, memory: u8) -> (Tap, Vec<u8>) {
        let build = Build::read(&sim::component_map(dialect).to_string(), None, "").unwrap();
        let options = Options { dialect, node_limit: 50, message_limit: 50, label: String::new() };
        let descriptor = compile(&build, &options).unwrap();
        std::fs::write(dir.join("descriptor.h"), header(&descriptor, &options, None)).unwrap();
        std::fs::write(dir.join("harness.cpp"), HARNESS).unwrap();
        let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("firmware-proto/arduino");
        let mut compiler = Command::new("g++");
        compiler.args(["-std=c++11", "-Wall", "-Wextra", "-Werror", "-fsanitize=undefined", "-fno-sanitize-recover"]);
        compiler
            .arg("-I")
            .arg(dir)
            .arg("-I")
            .arg(include)
            .arg(dir.join("harness.cpp"))
            .arg("-o")
            .arg(dir.join("harness"));
        let output = compiler.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut harness = Command::new(dir.join("harness"));
        let mut child = harness.arg(memory.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        (Tap { dialect, child, stdin, stdout }, descriptor)
    }

    /// What the firmware gets of these bytes, and what is replied.
    fn feed(&mut self, bytes: &[u8]) -> (Vec<u8>, Vec<Frame>) {
        let (mut passed, mut replies) = (Vec::new(), Vec::new());
        for byte in bytes {
            self.stdin.write_all(&[*byte]).unwrap();
            loop {
                match self.bytes(1)[0] {
                    b'P' => passed.extend(self.bytes(1)),
                    b'R' => {
                        let reply = self.bytes(self.dialect.frame_len());
                        replies.push(Frame::from_bytes(self.dialect, &reply).unwrap());
                    }
                    _ => break,
                }
            }
        }
        (passed, replies)
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.stdout.read_exact(&mut bytes).unwrap();
        bytes
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A host's end: what the tap replies, and a `CommunicationOpen` for every magic, as firmware answers it.
struct Host(Tap, Vec<u8>);

impl Read for Host {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = buffer.len().min(self.1.len());
        buffer[..count].copy_from_slice(&self.1[..count]);
        self.1.drain(..count);
        Ok(count)
    }
}

impl Write for Host {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let (passed, replies) = self.0.feed(bytes);
        if passed == self.0.dialect.opening(1).as_bytes() {
            let response = firmware_proto::Body::Response(firmware_proto::Response::CommunicationOpen);
            let open = Message { request_id: 0, body: response }.encode(self.0.dialect);
            self.1.extend(open.as_bytes());
        }
        replies.iter().for_each(|frame| self.1.extend(frame.as_bytes()));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_c_half_tells_the_same_as_the_rust_half_in_both_dialects() {
    for dialect in Dialect::ALL {
        let dir = tempfile::tempdir().unwrap();
        let (tap, descriptor) = Tap::build(dialect, dir.path(), u8::MAX);
        let mut wire = Wire::new(Host(tap, Vec::new()), dialect);
        wire.start();
        let reader = wire.read(false);
        assert_eq!(reader.content(), Ok(&descriptor[..]));
        assert_eq!(reader.own(), Ok(OwnState::Empty));
        for (id, label) in [(1, "a"), (2, "a label of 32 bytes, no byte more"), (3, "")] {
            let label = &label[..label.len().min(32)];
            let own = Own { id: Some([id; 16]), label };
            wire.write(&own);
            assert_eq!(wire.read(true).own(), Ok(OwnState::Stored(own)));
        }
        for (query, outcome) in [
            (Query::WriteOwn { chunk: 11, bytes: [0; 5] }, firmware_proto::descriptor::Outcome::OutOfRange),
            (Query::CommitOwn { length: 55, crc: 0 }, firmware_proto::descriptor::Outcome::OutOfRange),
            (Query::CommitOwn { length: 22, crc: 0 }, firmware_proto::descriptor::Outcome::WrongCrc),
        ] {
            let Reply::Written { outcome: said, .. } = wire.ask(query) else { panic!("{query:?}") };
            assert_eq!(said, outcome);
        }
        let beyond = Query::ReadContent { block: u16::MAX };
        assert_eq!(wire.ask(beyond), Reply::Content { block: 255, bytes: [0; 6] });
    }
}

#[test]
fn the_c_half_takes_a_memory_full_of_zeros_for_an_empty_one() {
    let dialect = Dialect::Flo01;
    let dir = tempfile::tempdir().unwrap();
    let (tap, _) = Tap::build(dialect, dir.path(), 0);
    let mut wire = Wire::new(Host(tap, Vec::new()), dialect);
    wire.start();
    assert_eq!(wire.read(true).own(), Ok(OwnState::Empty));
    let own = Own { id: Some([7; 16]), label: "Gate" };
    wire.write(&own);
    assert_eq!(wire.read(true).own(), Ok(OwnState::Stored(own)));
}

#[test]
fn everything_else_reaches_the_firmware_byte_by_byte() {
    for dialect in Dialect::ALL {
        let dir = tempfile::tempdir().unwrap();
        let (mut tap, _) = Tap::build(dialect, dir.path(), u8::MAX);
        let identify = Sent::Describe(Query::Identify).encode(dialect, 7);
        let ping = Sent::Ping([68, 1, 68, 1, 68, 1, 68, 1]).encode(dialect, 68);
        let unknown = Sent::Unknown { id: 68, payload: [6, 1, 2, 3, 4, 5, 6, 0] }.encode(dialect, 9);
        let end = Sent::End.encode(dialect, 3);
        let opening = dialect.opening(1);
        // Without a session nothing is the tap's: the firmware looks for its magic. A wrong one costs a byte more.
        let mut wrong = opening.as_bytes().to_vec();
        wrong[3] ^= 1;
        wrong.push(opening.as_bytes()[0]);
        for (bytes, replies) in [
            (identify.as_bytes(), 0),
            (&wrong[..], 0),
            (identify.as_bytes(), 0),
            (opening.as_bytes(), 0),
            (ping.as_bytes(), 0),
            (unknown.as_bytes(), 0),
            (opening.as_bytes(), 0),
            (identify.as_bytes(), 1),
            (ping.as_bytes(), 0),
            (end.as_bytes(), 0),
            (identify.as_bytes(), 0),
        ] {
            let (passed, replied) = tap.feed(bytes);
            assert_eq!(replied.len(), replies, "{bytes:02x?}");
            assert_eq!(passed, if replies == 0 { bytes } else { &[] }, "{}", dialect.name());
            if let [reply] = replied[..] {
                assert_eq!(
                    Message::decode(dialect, &reply).unwrap().request_id,
                    if dialect == Dialect::Flo01 { 0 } else { 7 }
                );
            }
        }
    }
}
