//! Sessions against a small board that answers as firmware does.

mod bench;
mod chaos;
mod edits;
mod pipelining;
mod raw;
mod sessions;
mod transcripts;
