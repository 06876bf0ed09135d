//! Adapters to the outside, one per thing, without policy.
