//! What board to simulate.

use std::time::Duration;

use firmware_proto::{Command, Dialect, Edge, Packet, PortRef};
use serde_json::{Value, json};

use super::component::component_id;
use super::described::Described;
use super::fault::{Noise, Scripted};

/// Room for nodes in a stock build; one is reserved, so 49 nodes fit.
pub const NODE_LIMIT: usize = 50;

/// Room for messages in a stock build; 48 always fit.
pub const MESSAGE_LIMIT: usize = 50;

/// How long one round of the firmware's loop takes.
pub const LOOP_PERIOD: Duration = Duration::from_micros(100);

/// Bytes that an Arduino's receive or transmit ring holds.
pub const RING_BYTES: usize = 63;

/// A simulated board's properties.
#[derive(Clone, Debug)]
pub struct Config {
    /// The dialect that it speaks.
    pub dialect: Dialect,
    /// The embedded graph that it runs at boot: what lies between the boot's own commands, so `CreateComponent`, `ConnectNodes`,
    /// `SendPacket` and the like (250 at most). `None`: it boots silently, and its network is stopped.
    pub embedded: Option<Vec<Command>>,
    /// The bootloader that runs before the firmware after each reset.
    pub bootloader: Bootloader,
    /// The UART between board and host; `None` for one that is as fast as memory and loses nothing, as a PTY or native USB.
    pub line: Option<Line>,
    /// How long a round of the firmware's loop takes; must not be zero.
    pub loop_period: Duration,
    /// Room for nodes.
    pub node_limit: usize,
    /// Room for queued messages.
    pub message_limit: usize,
    /// Whether it reports the values of bytes, as no firmware does yet: stock builds report each as 0.
    pub reports_bytes: bool,
    /// What it tells of itself; `None`: nothing, as stock firmware.
    pub described: Option<Described>,
    /// What goes wrong, and when.
    pub script: Vec<Scripted>,
    /// What goes wrong at random.
    pub noise: Vec<Noise>,
}

/// What runs between a reset and the firmware: deaf for the firmware's purposes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bootloader {
    /// How long it runs.
    pub deaf: Duration,
    /// Whether every byte that it swallows starts that time anew, as with Optiboot.
    pub rearmed: bool,
}

/// A UART.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Bits per second; a byte takes ten.
    pub baud: u32,
    /// Bytes that wait to be read at most; what comes when it is full is lost. The board reads one byte per loop.
    pub receive_ring: usize,
    /// Bytes that wait to be sent at most; a board that writes more stands still.
    pub transmit_ring: usize,
}

impl Line {
    /// An Arduino's UART at that many bits per second.
    pub const fn arduino(baud: u32) -> Self {
        Line { baud, receive_ring: RING_BYTES, transmit_ring: RING_BYTES }
    }

    /// How long a byte takes: start bit, eight bits, stop bit.
    pub(super) fn byte_time(self) -> Duration {
        Duration::from_secs(10) / self.baud.max(1)
    }
}

impl Config {
    /// A faultless board on a fast line, with an empty embedded graph like that of an unused stock build.
    pub const fn new(dialect: Dialect) -> Self {
        Config {
            dialect,
            embedded: Some(Vec::new()),
            bootloader: Bootloader { deaf: Duration::ZERO, rearmed: false },
            line: None,
            loop_period: LOOP_PERIOD,
            node_limit: NODE_LIMIT,
            message_limit: MESSAGE_LIMIT,
            reports_bytes: false,
            described: None,
            script: Vec::new(),
            noise: Vec::new(),
        }
    }

    /// An Arduino: a slow UART with small rings, and a bootloader that is deaf for that long.
    pub fn arduino(dialect: Dialect, baud: u32, deaf: Duration) -> Self {
        let bootloader = Bootloader { deaf, rearmed: false };
        Config { line: Some(Line::arduino(baud)), bootloader, ..Config::new(dialect) }
    }
}

/// Pin of the LED in [`blink`].
const LED_PIN: i32 = 13;

/// An embedded graph for demonstrations: Timer → ToggleBoolean → DigitalWrite on pin 13, twice per `interval`.
pub fn blink(dialect: Dialect, interval: Duration) -> Vec<Command> {
    let create = |name| component_id(dialect, name).map(|component| Command::CreateComponent { component, parent: 0 });
    let port = |node, port| PortRef { node, port };
    let connect = |from, to| Command::ConnectNodes(Edge { src: port(from, 0), tgt: port(to, 0) });
    let set = |node, at, value| Command::SendPacket { target: port(node, at), packet: Packet::Integer(value) };
    let interval_ms = i32::try_from(interval.as_millis()).unwrap_or(i32::MAX);
    let nodes = ["Timer", "ToggleBoolean", "DigitalWrite"].into_iter().filter_map(create);
    nodes.chain([connect(1, 2), connect(2, 3), set(1, 0, interval_ms), set(3, 1, LED_PIN)]).collect()
}

/// The source of [`blink`], in FBP's JSON format.
pub fn blink_source(interval: Duration) -> Value {
    let port = |process: &str, port: &str| json!({ "process": process, "port": port });
    json!({
        "properties": { "name": "blink" },
        "processes": {
            "timer": { "component": "Timer" },
            "toggle": { "component": "ToggleBoolean" },
            "led": { "component": "DigitalWrite" },
        },
        "connections": [
            { "src": port("timer", "out"), "tgt": port("toggle", "in") },
            { "src": port("toggle", "out"), "tgt": port("led", "in") },
            { "data": interval.as_millis().to_string(), "tgt": port("timer", "interval") },
            { "data": LED_PIN.to_string(), "tgt": port("led", "pin") },
        ],
    })
}
