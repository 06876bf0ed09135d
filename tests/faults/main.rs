//! The bridge's core and a simulated board on a wire that loses bytes, in made-up time.

mod plant;
mod script;
mod uploads;

mod edits;
mod losses;
