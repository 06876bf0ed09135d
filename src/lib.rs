//! # microflo-bridge: how it is built
//!
//! A host daemon for MicroFlo boards that have no network of their own. Layers are folders; imports point down only.
//!
//! | layer | holds | must not |
//! |---|---|---|
//! | [`cli`] | the commands | |
//! | [`http`] | router, WebSockets, API, registry routes, authentication | touch a serial port |
//! | [`actors`] | the only long-lived tasks: one loop per board, the supervisor, the registrar | decide what a byte means |
//! | [`sim`] | the simulated board | know the bridge |
//! | [`config`] | settings and where they come from | |
//! | [`io`] | one adapter per outside thing: serial port, sysfs, hotplug, store, registry client | decide anything |
//! | [`pure`] | session, graph model, FBP, identity, registry rules | read a clock, a file or a socket |
//! | `firmware-proto` | the wire, both dialects | need an operating system |
//!
//! **Invariant: pure code takes time as an argument.** Nothing below [`pure`] calls a clock, so a test jumps through hours in no time.

pub mod actors;
pub mod cli;
pub mod config;
pub mod daemon;
pub mod http;
pub mod io;
pub mod pure;
pub mod sim;
