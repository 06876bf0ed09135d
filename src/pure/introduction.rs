//! Getting to know a board that says itself who it is: what it says, and what comes back.

use uuid::Uuid;

use super::fbp;
use super::model::build::Build;

/// What a board says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Introduction {
    /// The id that it stores.
    pub id: Option<Uuid>,
    /// The label that it stores.
    pub label: Option<String>,
    /// What its firmware is made of.
    pub build: Option<Build>,
    /// Why what it says of its firmware cannot be used.
    pub trouble: Option<String>,
}

/// Who the board is from now on, all things considered.
#[derive(Clone, Debug)]
pub struct Recognition {
    /// How clients see it.
    pub identity: fbp::Identity,
    /// What its firmware is made of, as far as is known.
    pub build: Option<Build>,
    /// Whether it gets its graph back after a start.
    pub restore: bool,
    /// What was saved of the board with this id.
    pub saved: Option<String>,
}
