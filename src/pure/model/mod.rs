//! What is known of a board: the component map of its firmware, the numbers on it, and the names people gave them.

pub mod build;
mod check;
pub mod danger;
pub mod device;
pub mod graph;
pub mod library;
pub mod limits;

#[cfg(test)]
mod device_tests;
