//! Adapters to the outside, one per thing, without policy.

pub mod random;
pub mod registry_client;
pub mod store;
