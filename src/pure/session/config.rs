//! What a session is told, and its time limits.

use std::time::Duration;

use firmware_proto::Dialect;

use crate::pure::view::Firmware;

/// Bits per second that boards use by default: 0.4.4 and all AVR builds 9600, later ones 115200.
pub const DEFAULT_BAUDS: [u32; 2] = [9600, 115_200];

/// How a session is to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Bauds to try, likeliest first; never empty.
    pub bauds: Vec<u32>,
    /// The dialect, if the user says it; else both are tried.
    pub dialect: Option<Dialect>,
    /// How long to stay silent after the port was opened: bytes re-arm a bootloader. Zero where opening resets nothing.
    pub boot_window: Duration,
    /// How the board was spoken to when it was left, where its session may still be open.
    pub left: Option<Firmware>,
}

impl Default for Config {
    fn default() -> Self {
        Config { bauds: DEFAULT_BAUDS.to_vec(), dialect: None, boot_window: Duration::ZERO, left: None }
    }
}

/// Commands that may wait for their turn on the wire. A 40-node upload is 84.
pub const QUEUE_COMMANDS: usize = 1024;

/// How long the oldest unanswered command may go without any progress. A 9600-baud AVR that floods events needs 0.6 s.
pub const ANSWER_PATIENCE: Duration = Duration::from_millis(1500);

/// How long part of a frame may stay without its rest: firmware writes frames whole, a USB chip delays 16 ms.
pub const PARTIAL_FRAME_PATIENCE: Duration = Duration::from_millis(500);

/// Silence after which the board is asked whether it still lives.
pub const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// How long the first opening frame waits for its answer; each further round waits that much longer.
pub const OPENING_PATIENCE: Duration = Duration::from_millis(200);

/// The longest that an opening frame waits.
pub const OPENING_PATIENCE_MAX: Duration = Duration::from_millis(1600);

/// How long an opening frame waits for its answer while the board is heard talking: one that floods events reads a byte in 30 ms, and
/// would lose what is sent behind.
pub const TALKING_PATIENCE: Duration = Duration::from_secs(3);

/// How long a handshake may take before the board counts as silent or as no MicroFlo.
pub const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(5);

/// Pause between rounds once a board counts as silent.
pub const SILENT_PAUSE: Duration = Duration::from_secs(5);

/// How long a board that has begun its boot chatter may pause in it.
pub const CHATTER_PAUSE: Duration = Duration::from_millis(300);

/// Bytes without any session that show that something else talks there.
pub const NOISE_BYTES: usize = 256 * 1024;

/// How many of the bytes that are no MicroFlo are kept to be shown.
pub const NOISE_SHOWN_BYTES: usize = 32;

/// Time on the wire for that many bytes: ten bits each.
pub fn wire_time(baud: u32, bytes: usize) -> Duration {
    Duration::from_secs_f64(bytes as f64 * 10.0 / f64::from(baud.max(1)))
}

/// How long a board may take to say what it is. The largest descriptor takes 6 s at 9600 baud, and ten times as long from a board that
/// floods events.
pub const DESCRIBING_PATIENCE: Duration = Duration::from_secs(60);

/// How often in a row bytes may be lost, or the board restart, while it says what it is. Then it is used as what it said before on the
/// same line, or as one that says nothing.
pub const DESCRIBING_TRIES: u32 = 3;

/// How long a board that has said what it is waits to hear who it is.
pub const RECOGNITION_PATIENCE: Duration = Duration::from_secs(15);
