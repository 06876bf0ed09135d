//! Adapters to the outside, one per thing, without policy.

pub mod hotplug;
pub mod scan;
pub mod serial;
pub mod transport;
