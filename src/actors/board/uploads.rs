//! Uploads under way, and those who wait for them.

use std::collections::HashMap;

use serde_json::Value;
use tokio::sync::mpsc;

use crate::pure::board::{Board, Now};
use crate::pure::fbp::{UploadId, UploadStep};

/// Steps that may wait for whoever asked. Of the rest only the last counts.
pub const UPLOAD_STEPS: usize = 64;

/// A graph to be put in place of a board's.
#[derive(Debug)]
pub struct Upload {
    /// In FBP's JSON format.
    pub graph: Value,
    /// Whether it is to run then.
    pub start: bool,
    /// Where its steps go; the last is [`UploadStep::Ended`], unless the board's loop ends before.
    pub steps: mpsc::Sender<UploadStep>,
}

#[derive(Default)]
pub(super) struct Uploads {
    next: u64,
    waiting: HashMap<UploadId, mpsc::Sender<UploadStep>>,
}

impl Uploads {
    pub(super) fn begin(&mut self, upload: Upload, board: &mut Board, now: Now) {
        self.next += 1;
        let id = UploadId(self.next);
        self.waiting.insert(id, upload.steps);
        board.upload(id, &upload.graph, upload.start, now);
    }

    pub(super) fn step(&mut self, id: UploadId, step: UploadStep) {
        let ended = matches!(step, UploadStep::Ended(_));
        if let Some(asker) = self.waiting.get(&id) {
            // One place is kept for the end; an asker who has left needs nothing.
            let room = asker.capacity() > 1 || ended;
            let _ = if room { asker.try_send(step) } else { Ok(()) };
        }
        if ended {
            self.waiting.remove(&id);
        }
    }
}
