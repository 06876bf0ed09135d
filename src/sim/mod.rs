//! The simulated board: MicroFlo firmware without a board.
//!
//! It speaks either dialect, runs graphs of MicroFlo's stock components with the firmware's own message queue, and behaves as badly as
//! the firmware does: what kills a real board makes it fall silent and record a [`Crash`], so a test can prove that a host never does it.
//!
//! [`Board`] is sans-IO: bytes and the time go in, bytes come out. Two thin shells put it on something that a host can open:
//! [`duplex`] within the process, [`serve_pty`] and [`pty`] on a pseudo-terminal.
//!
//! | module | holds |
//! |---|---|
//! | `board` | time: when the firmware's loop runs, and what the wire and the faults do to bytes |
//! | `firmware` | the parser and the boot |
//! | `network` | nodes, edges, delivery; `queue`, its message queue |
//! | [`component`] | what nodes do |
//! | [`fault`] | what goes wrong on purpose |
//! | `described` | what a self-describing board tells of itself, and its EEPROM |
//! | `line` | a UART's pace and its small receive ring |
//! | `duplex`, `pty` | the shells |

pub mod component;
pub mod config;
pub mod fault;

mod board;
mod crash;
mod described;
mod duplex;
mod firmware;
mod line;
mod network;
mod pty;
mod queue;

#[cfg(test)]
mod tests;

pub use board::Board;
pub use component::{component_id, component_map};
pub use config::{Bootloader, Config, Line, blink, blink_source};
pub use crash::Crash;
pub use described::{Described, Eeprom};
pub use duplex::{Handle, duplex};
pub use fault::{Direction, Fault, Noise, Scripted, When};
pub use network::Graph;
pub use pty::{Opening, Pty, pty, serve_pty};
