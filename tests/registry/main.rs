//! The registry with npm's own library, and on a real PostgreSQL. `tests/registry/setup.sh` installs both.
#![allow(clippy::disallowed_methods)] // tests may sleep

#[path = "../support/registry.rs"]
mod registry_support;
#[path = "../support/mod.rs"]
mod support;

mod away;
mod cluster;
mod library;
mod several;
