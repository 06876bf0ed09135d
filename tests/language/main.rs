//! The parser of the `.fbp` language against the original, npm's `fbp` 1.8.0: the same graph, or both refuse.
//!
//! `expected.jsonl` holds what the original makes of `corpus/`:
//! `NODE_PATH=target/rig/npm/node_modules node tests/language/npm-fbp.js tests/language/corpus > tests/language/expected.jsonl`
//! writes it. With the feature `real-firmware`, the original itself is asked, about generated texts too.

mod compare;
mod corpus;
mod exceptions;
mod generate;
#[cfg(feature = "real-firmware")]
mod live;
