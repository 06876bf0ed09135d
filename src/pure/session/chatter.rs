//! Boot chatter: a board that has just reset runs its embedded graph through the parser that serves the host, so the answers arrive unasked.
//!
//! They always begin with `CommunicationOpen` and a reset of the network, which no host command sequence of ours produces.

use firmware_proto::{Body, Message, Response};

/// Watches a board's messages for boot chatter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Chatter {
    /// None so far.
    #[default]
    None,
    /// `CommunicationOpen` came: chatter, or the answer to our magic.
    Opened,
    /// The responses so far, without `CommunicationOpen`.
    Running(Vec<Response>),
    /// The whole of it: the embedded graph as the board built it.
    Complete(Vec<Response>),
}

/// Responses kept at most: 49 nodes, their edges and initial packets fit several times.
const CHATTER_RESPONSES: usize = 1024;

impl Chatter {
    /// Looks at the next message. Events may come in between.
    pub(super) fn feed(&mut self, message: &Message) {
        let Body::Response(response) = message.body else { return };
        if response == Response::CommunicationOpen {
            // The board's answer to our magic comes after complete chatter: keep that.
            if !matches!(self, Chatter::Complete(_)) {
                *self = Chatter::Opened;
            }
            return;
        }
        match self {
            Chatter::Opened => {
                *self = match response {
                    Response::NodesCleared | Response::NetworkStopped => Chatter::Running(vec![response]),
                    _ => Chatter::None,
                };
            }
            Chatter::Running(responses) => {
                if responses.len() < CHATTER_RESPONSES {
                    responses.push(response);
                }
                if response == Response::TransmissionEnded {
                    *self = Chatter::Complete(std::mem::take(responses));
                }
            }
            Chatter::None | Chatter::Complete(_) => {}
        }
    }

    /// Whether the board is in the middle of it.
    pub(super) fn is_running(&self) -> bool {
        matches!(self, Chatter::Running(_))
    }

    /// Whether all of it was heard.
    pub(super) fn is_complete(&self) -> bool {
        matches!(self, Chatter::Complete(_))
    }

    /// What was heard, if it was whole.
    pub(super) fn into_graph(self) -> Option<Vec<Response>> {
        match self {
            Chatter::Complete(responses) => Some(responses),
            _ => None,
        }
    }
}
