//! Why a message is refused, in words that name the node, port and component.

use crate::pure::model::danger::Danger;
use crate::pure::model::library::Direction;
use crate::pure::request::Failure;

use super::value::ValueError;

/// Initial packets that a graph may have.
pub(super) const INITIALS: usize = 256;

/// Exported ports that a graph may have on each side.
pub(super) const EXPORTS: usize = 256;

/// Groups that a graph may have.
pub(super) const GROUPS: usize = 64;

/// Why a message is refused. The board's label is added where the text is sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// The specification's exact words.
    #[error("No graph specified")]
    NoGraph,
    /// The specification's exact words.
    #[error("Requested graph not found")]
    OtherGraph,
    #[error("{0}")]
    Malformed(String),
    #[error("this needs the board's secret; take it from the live URL and send it as `secret`")]
    Secret,
    #[error("this secret only allows to look; changing anything needs the board's other secret, from its live URL")]
    ReadOnly,
    #[error("{protocol}:{command} is not supported")]
    Unsupported { protocol: String, command: String },
    #[error(
        "the board's component map is missing, so component and port names mean nothing; type `microflo-bridge firmware add \
         DIRECTORY` with the directory that `microflo generate` wrote to"
    )]
    NoLibrary,
    #[error("the board is not connected: {0}")]
    Down(String),
    #[error(
        "the graph on the board is not known (bytes were lost, or it was running before the bridge opened it); send graph:clear \
         and the graph again"
    )]
    Lost,
    #[error("there is no node {0} in the graph")]
    NoNode(String),
    #[error("there is a node {0} in the graph already")]
    NodeExists(String),
    #[error("there is no component {0} in the board's firmware; component:list shows what it has")]
    NoComponent(String),
    #[error("node {node} is a {component}, which has no {direction} port {port}; it has {known}")]
    NoPort { node: String, component: String, direction: Direction, port: String, known: String },
    #[error(
        "out port {port} of node {node} already goes to {target}, and a MicroFlo out port has one target; remove that edge first, \
         or put a Split between"
    )]
    PortTaken { node: String, port: String, target: String },
    #[error("there is no edge {0}")]
    NoEdge(String),
    #[error("there is no initial packet at port {port} of node {node}")]
    NoInitial { node: String, port: String },
    #[error("the graph exports no {direction} port {port}; it exports {known}")]
    NoExport { direction: Direction, port: String, known: String },
    #[error("the graph exports an {direction} port {port} already")]
    ExportExists { direction: Direction, port: String },
    #[error("the graph exports {EXPORTS} {direction} ports already, the most that the bridge keeps")]
    TooManyExports { direction: Direction },
    #[error("there is no group {0} in the graph")]
    NoGroup(String),
    #[error("there is a group {0} in the graph already")]
    GroupExists(String),
    #[error("the graph has {GROUPS} groups already, the most that the bridge keeps")]
    TooManyGroups,
    #[error("the graph has {INITIALS} initial packets already, the most that the bridge keeps")]
    TooManyInitials,
    #[error("port {port} of node {node}: {error}")]
    Value { node: String, port: String, error: ValueError },
    #[error(
        "node {0} can only be added while the network is stopped: this firmware sets nodes up when the network starts, and a \
         restart would lose the initial packets of its embedded graph, which the bridge cannot read; stop the network first"
    )]
    RestartLoses(String),
    #[error(
        "node {0} cannot be removed now: packets of its may be on their way, of which firmware crashes, so the graph would have to be \
         built anew, without what the bridge cannot read: the initial packets of the embedded graph; send graph:clear and the graph \
         without the node"
    )]
    RebuildLoses(String),
    #[error("another graph waits to be uploaded already; wait until that is done")]
    UploadWaits,
    #[error("the board has another graph than it was left with")]
    AnotherGraph,
    #[error("{what}: {danger}")]
    Danger { what: String, danger: Danger },
    #[error("{what}: {failure}")]
    Failed { what: String, failure: Failure },
}

impl Refusal {
    /// The text for a client of the board with that label.
    pub(super) fn text(&self, label: &str) -> String {
        match self {
            Refusal::NoGraph | Refusal::OtherGraph => self.to_string(),
            _ => format!("{self} (board {label})"),
        }
    }
}
