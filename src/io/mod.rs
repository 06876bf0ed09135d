//! Adapters to the outside, one per thing, without policy.

pub mod accounts;
pub mod firmware_files;
pub mod host;
pub mod hotplug;
pub mod mdns;
pub mod named;
pub mod random;
pub mod registry_client;
pub mod scan;
pub mod serial;
pub mod static_dir;
pub mod store;
pub mod systemd;
pub mod tls;
pub mod transport;
