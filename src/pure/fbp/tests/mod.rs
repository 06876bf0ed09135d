//! Sessions against a small board that answers as firmware does.

mod bench;
mod boot;
mod chaos;
mod edits;
mod exports;
mod groups;
mod news;
mod permissions;
mod picture;
mod pipelining;
mod raw;
mod saved;
mod sessions;
mod trace;
mod transcripts;
mod uploads;
