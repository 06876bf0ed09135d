//! The program as a whole, from outside: with simulated boards, on terminals and in made-up USB trees.

#[path = "../../src/io/scan/fake_tree.rs"]
#[allow(dead_code)] // the scan's own tests use the rest
mod fake_tree;
#[path = "../support/mod.rs"]
mod support;

mod machine;
mod tty;
mod web;

mod consent;
mod graphs;
mod hindrances;
mod identity;
mod idle;
mod layers;
mod refusals;
mod registration;
mod simulated;
mod sockets;
