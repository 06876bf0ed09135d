//! Getting to know a board that says itself who it is: what it says, and what comes back.

pub mod descriptor;
mod known;

use std::sync::Arc;

use uuid::Uuid;

pub use self::descriptor::Descriptor;
pub use self::known::{DESCRIPTORS, Descriptors};
use super::fbp;
use super::model::build::Build;
use super::model::limits::Limits;

/// What a board says of itself. Stock firmware says nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Introduction {
    /// The memory that it has for an id and a label.
    pub memory: BoardMemory,
    /// The id that it stores.
    pub id: Option<Uuid>,
    /// The label that it stores.
    pub label: Option<String>,
    /// Whether what it stores could not be read: memory, id and label are then as it told them before on the same line, if it did.
    pub unread: bool,
    /// What its firmware says.
    pub descriptor: Option<Arc<Descriptor>>,
    /// What of this cannot be used, and what to do.
    pub troubles: Vec<String>,
}

/// Whether a board can store an id and a label.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BoardMemory {
    /// It does not describe itself.
    #[default]
    Silent,
    /// It describes itself, and has no memory.
    None,
    /// It has.
    There,
}

impl Introduction {
    /// What its firmware is made of.
    pub fn build(&self) -> Option<&Build> {
        self.descriptor.as_ref().map(|descriptor| &descriptor.build)
    }

    /// What it is called, by itself or by its firmware.
    pub fn label(&self) -> Option<&String> {
        self.label.as_ref().or_else(|| self.descriptor.as_ref()?.label.as_ref())
    }

    /// What it takes.
    pub fn limits(&self) -> Limits {
        self.descriptor.as_ref().map_or_else(Limits::default, |descriptor| descriptor.limits)
    }
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
    /// What was saved of the board with this id, where that is another one than before.
    pub saved: Option<String>,
}
