//! Descriptors that were read before.

use std::sync::Arc;

use firmware_proto::descriptor::Fingerprint;

use super::descriptor::Descriptor;

/// How many are kept: those that were read last.
pub const DESCRIPTORS: usize = 64;

/// Descriptors by their fingerprints, the oldest first, so that one is read once for all boards that have it. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Descriptors(Arc<Vec<Arc<Descriptor>>>);

impl Descriptors {
    /// The one that is known by this fingerprint.
    pub fn get(&self, fingerprint: Fingerprint) -> Option<&Arc<Descriptor>> {
        self.0.iter().find(|known| known.fingerprint == fingerprint)
    }

    /// Keeps one. False if it was known.
    pub fn add(&mut self, descriptor: Arc<Descriptor>) -> bool {
        if self.get(descriptor.fingerprint).is_some() {
            return false;
        }
        let known = Arc::make_mut(&mut self.0);
        if known.len() == DESCRIPTORS {
            known.remove(0);
        }
        known.push(descriptor);
        true
    }
}
