//! The one HTTP port: router, WebSockets, API, registry.

pub mod registry;
