//! Sessions against a small board that answers as firmware does.

mod bench;
mod chaos;
mod edits;
mod exports;
mod groups;
mod news;
mod permissions;
mod picture;
mod pipelining;
mod raw;
mod sessions;
mod transcripts;
