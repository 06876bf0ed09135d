//! What a board's graph has behind it: where it is from, whether it is to come back, and what of it is saved.

use std::sync::Arc;

use firmware_proto::Response;
use serde_json::Value;

use super::boot::Had;
use super::saved::Left;

/// See the module. Of a board that nothing is known of, all is empty.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// The embedded graph got initial packets that the bridge has not seen.
    pub(super) unknown_initials: bool,
    /// What the board said when it started, where that was heard.
    pub(super) chatter: Option<Vec<Response>>,
    /// A fingerprint of what it said when it started last, by this bridge or another run of it.
    pub(super) booted: Option<String>,
    /// The graph that the firmware runs at boot, in FBP's JSON format: its names.
    pub(super) embedded: Option<Arc<Value>>,
    /// The graph is to be named anew once nothing is under way.
    pub(super) names_due: bool,
    /// Somebody has changed what the board runs since it started.
    pub(super) edited: bool,
    /// A client has asked to keep the graph.
    pub(super) kept: bool,
    /// The setting: whether a board gets its graph back after a start.
    pub(super) restore: bool,
    /// What was saved of the board, until it has shown what it has.
    pub(super) left: Option<Left>,
    /// The graph that the board is to get back.
    pub(super) wanted: Option<Had>,
    /// Something that is saved may have changed.
    pub(super) touched: bool,
    /// What was saved last says what the board has.
    pub(super) vouched: bool,
    /// What was saved could not be read: it stays as it is until somebody edits the board's graph.
    pub(super) unread: bool,
    /// What was saved last.
    pub(super) last_saved: String,
}
