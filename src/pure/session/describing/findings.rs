//! What came out of the questions, also where they were not answered to the end.

use std::sync::Arc;

use firmware_proto::descriptor::{Identity, OwnState};
use uuid::Uuid;

use super::Describing;
use crate::pure::identity::label::label_on_board;
use crate::pure::introduction::{BoardMemory, Descriptor, Introduction};

/// Why the board was not asked to the end.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) text: String,
    /// Worth knowing also of a board that has never described itself.
    pub(super) is_boards: bool,
}

impl From<String> for Trouble {
    fn from(text: String) -> Self {
        Trouble { text, is_boards: false }
    }
}

/// What is known of the board from before.
#[derive(Clone, Copy, Debug)]
pub(in crate::pure::session) struct Past<'a> {
    /// What it said last on this line.
    pub(in crate::pure::session) said: &'a Introduction,
    /// Whether it has answered the first question since.
    pub(in crate::pure::session) answered: bool,
}

impl Past<'_> {
    pub(super) fn describes_itself(self) -> bool {
        self.answered || self.said.memory != BoardMemory::Silent
    }
}

impl Describing {
    /// What was found out, though `trouble` may have been in the way. What could not be read is as it was said before on this line.
    pub(super) fn introduction(&self, trouble: Option<Trouble>, past: Past<'_>) -> Introduction {
        let mut said = Introduction::default();
        // It has said that it does not know the question, or was never heard to know it.
        if !self.is_answered() && (trouble.is_none() || !past.describes_itself()) {
            let worth_knowing = trouble.filter(|trouble| trouble.is_boards);
            said.troubles
                .extend(worth_knowing.map(|Trouble { text, .. }| format!("it cannot be asked who it is: {text}")));
            return said;
        }
        let trouble = trouble.map(|trouble| trouble.text);
        said.memory = BoardMemory::There;
        match self.reader.own() {
            Ok(OwnState::Stored(own)) => {
                said.id = own.id.map(Uuid::from_bytes);
                said.label = label_on_board(own.label);
            }
            Ok(OwnState::Empty) => {}
            Ok(OwnState::NoStore) => said.memory = BoardMemory::None,
            Err(error) => {
                said.unread = true;
                if past.said.memory != BoardMemory::Silent {
                    (said.memory, said.id) = (past.said.memory, past.said.id);
                    said.label.clone_from(&past.said.label);
                }
                let why = trouble
                    .clone()
                    .map_or_else(|| error.to_string(), |why| format!("what it stores was not read: {why}"));
                said.troubles.push(why);
            }
        }
        match self.descriptor(trouble) {
            Ok(descriptor) => said.descriptor = Some(descriptor),
            Err(why) => match &past.said.descriptor {
                Some(before) if self.may_have(before) => {
                    said.troubles.push(format!("its descriptor was not read again: {why}"));
                    said.descriptor = Some(before.clone());
                }
                _ => said.troubles.push(format!("it has a descriptor that cannot be used: {why}")),
            },
        }
        said
    }

    /// Whether nothing that the board has said now speaks against this descriptor.
    fn may_have(&self, before: &Descriptor) -> bool {
        let known = before.fingerprint;
        let same = |now: Identity| (now.version, now.length, now.crc) == (known.version, known.length, known.crc);
        before.dialect == self.dialect && self.reader.identity().is_none_or(same)
    }

    fn descriptor(&self, trouble: Option<String>) -> Result<Arc<Descriptor>, String> {
        match (&self.known, trouble) {
            (Some(known), _) => Ok(Arc::clone(known)),
            (None, Some(trouble)) => Err(trouble),
            (None, None) => {
                let bytes = self.reader.content().map_err(|error| error.to_string())?;
                let fingerprint = self.reader.fingerprint().ok_or("its beginning was not read")?;
                let read = Descriptor::read(bytes, fingerprint, self.dialect).map_err(|error| error.to_string())?;
                Ok(Arc::new(read))
            }
        }
    }
}
