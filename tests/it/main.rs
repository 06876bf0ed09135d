//! The program as a whole, from outside, with simulated boards.

#[path = "../support/mod.rs"]
mod support;

mod layers;
mod simulated;
