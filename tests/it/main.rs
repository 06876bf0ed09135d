//! The program as a whole, from outside: with simulated boards, on terminals and in made-up USB trees.

#[path = "../../src/io/scan/fake_tree.rs"]
#[allow(dead_code)] // the scan's own tests use the rest
mod fake_tree;
#[path = "../support/registry.rs"]
mod registry_support;
#[path = "../support/mod.rs"]
mod support;

mod elsewhere;
mod machine;
mod tty;
mod web;

mod bad_registries;
mod certificates;
mod config;
mod consent;
mod descriptor;
mod descriptors;
mod doctor;
mod flashing;
mod graphs;
mod hindrances;
mod identity;
mod idle;
mod labs;
mod layers;
mod leaks;
mod mdns;
mod own_settings;
mod refusals;
mod registration;
mod registry;
mod reload;
mod self_describing;
mod service;
mod simulated;
mod sockets;
mod stored_ids;
