//! Descriptors of self-describing boards: made of what `microflo generate` wrote, and turned back into a build.
//!
//! The format and the exchange are [`firmware_proto::descriptor`]'s.

mod compile;
mod expand;
mod header;
mod stream;
#[cfg(test)]
mod tests;

pub use compile::{CompileError, Options, compile};
pub use expand::{ExpandError, Expanded, expand};
pub use header::header;
pub use stream::{dialect_of, makes_nodes_of};

use firmware_proto::descriptor::HASH_BYTES;
use sha2::{Digest, Sha256};

/// The hash that stands in a descriptor, of the bytes behind it.
fn hash(bytes: &[u8]) -> [u8; HASH_BYTES] {
    let digest = Sha256::digest(bytes);
    std::array::from_fn(|index| digest[index])
}
