//! The simulated board says what real firmware said to the same bytes, frame for frame.

use std::time::{Duration, Instant};

use firmware_proto::{Command, Dialect, Frame};

use super::{Config, edge};
use crate::sim::{Board, component_id};

const FLO01: &str = include_str!("../../../firmware-proto/tests/golden/uC-Flo01.txt");
const MICROFLO1: &str = include_str!("../../../firmware-proto/tests/golden/microflo1.txt");

/// A line of a transcript.
struct Line {
    at: Duration,
    to_board: bool,
    bytes: Vec<u8>,
    remark: String,
}

fn lines(transcript: &str) -> Vec<Line> {
    let line = |line: &str| {
        let (time, rest) = line.trim_start().split_once("ms")?;
        let to_board = rest.trim_start().starts_with("host->device");
        let (hex, remark) =
            rest.split_once("device->host").or_else(|| rest.split_once("host->device"))?.1.split_once('#')?;
        let bytes = hex.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).expect("hex")).collect();
        let at = Duration::from_secs_f64(time.parse::<f64>().expect("time") / 1000.0);
        Some(Line { at, to_board, bytes, remark: remark.trim().to_owned() })
    };
    transcript.lines().filter(|text| !text.starts_with('#')).filter_map(line).collect()
}

/// The graph that the firmware of the transcripts had embedded: one Forward into another.
fn embedded(dialect: Dialect) -> Vec<Command> {
    let component = component_id(dialect, "Forward").expect("Forward");
    let forward = Command::CreateComponent { component, parent: 0 };
    vec![forward, forward, Command::ConnectNodes(edge((1, 0), (2, 0)))]
}

/// Replays the host's half at the transcript's times. How often the timer fired depends on the host's timing, so
/// frames from the timer (node 3) are left out on both sides.
fn replay(dialect: Dialect, transcript: &str) {
    let transcript = lines(transcript);
    let start = Instant::now();
    let config = Config { embedded: Some(embedded(dialect)), ..Config::new(dialect) };
    let mut board = Board::new(config, start);
    let mut said: Vec<u8> = Vec::new();
    for line in transcript.iter().filter(|line| line.to_board) {
        said.extend(until(&mut board, start + line.at));
        board.receive(&line.bytes, start + line.at);
    }
    said.extend(until(&mut board, start + transcript.last().expect("lines").at + Duration::from_millis(10)));
    assert_eq!(board.crashed(), None);

    let timer = |frame: &[u8]| frame[dialect.header_len()] == 103 && frame[dialect.header_len() + 1] == 3;
    let mut said = said.chunks(dialect.frame_len()).filter(|frame| !timer(frame));
    for line in transcript.iter().filter(|line| !line.to_board && !timer(&line.bytes)) {
        let frame = said.next().unwrap_or_else(|| panic!("not said: {}", line.remark));
        let frame = Frame::from_bytes(dialect, frame).expect("whole frames");
        assert_eq!(frame.as_bytes(), line.bytes, "{:?}: {}", line.at, line.remark);
    }
    assert_eq!(said.next(), None, "said more than real firmware");
}

fn until(board: &mut Board, end: Instant) -> Vec<u8> {
    let mut said = Vec::new();
    while let Some(wake) = board.next_wake().filter(|wake| *wake <= end) {
        said.extend(board.poll(wake).unwrap_or_default());
    }
    said.extend(board.poll(end).unwrap_or_default());
    said
}

#[test]
fn the_8_byte_board_says_what_real_firmware_said() {
    replay(Dialect::Flo01, FLO01);
}

#[test]
fn the_10_byte_board_says_what_real_firmware_said() {
    replay(Dialect::Microflo1, MICROFLO1);
}
