//! Which response answers which command, and which command a debug message blames.

use firmware_proto::{Command, DebugPoint, Response};

/// Whether a board can answer `command` with `response`: same kind and, as far as the response echoes them, the same arguments.
pub(super) fn answers(command: &Command, response: &Response) -> bool {
    match (*command, *response) {
        (Command::ClearNodes, Response::NodesCleared)
        | (Command::End, Response::TransmissionEnded)
        | (Command::Ping(_), Response::Pong(_))
        | (Command::StartNetwork, Response::NetworkStarted)
        | (Command::StopNetwork, Response::NetworkStopped)
        | (Command::SetIoValue(_), Response::SetIoValueCompleted(_))
        | (Command::GetNetworkStatus, Response::NetworkStatus { .. })
        | (Command::ConnectSubgraphPort { .. }, Response::SubgraphPortConnected(_)) => true,
        (Command::CreateComponent { component, parent }, Response::NodeAdded { component: c, parent: p, .. }) => {
            component == c && parent == p
        }
        (Command::ConnectNodes(edge), Response::NodesConnected(echo))
        | (Command::DisconnectNodes(edge), Response::NodesDisconnected(echo)) => edge == echo,
        // The packet type is not compared: firmware turns what it cannot carry into Void.
        (Command::SendPacket { target, .. }, Response::SendPacketDone { target: echo, .. }) => target == echo,
        (Command::ConfigureDebug { level }, Response::DebugChanged { level: echo }) => level == echo,
        (Command::SubscribeToPort { port, enable }, Response::PortSubscriptionChanged { port: p, enabled }) => {
            port == p && enable == enabled
        }
        (Command::RemoveNode { node }, Response::NodeRemoved { node: echo }) => node == echo,
        (Command::Describe(query), Response::Describe(reply)) => query.is_answered_by(&reply),
        _ => false,
    }
}

/// Whether firmware says `point` when it refuses `command` (read from the 0.4.4 sources).
pub(super) fn blames(point: DebugPoint, command: &Command) -> bool {
    match point {
        DebugPoint::AddNodeInvalidInstance | DebugPoint::AddNodeInvalidParent | DebugPoint::InvalidComponentUsed => {
            matches!(command, Command::CreateComponent { .. })
        }
        DebugPoint::NetworkConnectInvalidNodes => {
            matches!(command, Command::ConnectNodes(_) | Command::DisconnectNodes(_))
        }
        DebugPoint::SendMessageInvalidNode | DebugPoint::ParserUnknownPacketType => {
            matches!(command, Command::SendPacket { .. })
        }
        DebugPoint::SubscribePortInvalidNode | DebugPoint::SubscribePortInvalidPort => {
            matches!(command, Command::SubscribeToPort { .. })
        }
        DebugPoint::RemoveNodeInvalidInstance | DebugPoint::RemoveNodeInvalidParent => {
            matches!(command, Command::RemoveNode { .. })
        }
        DebugPoint::IoOperationNotImplemented | DebugPoint::IoInvalidValueSet | DebugPoint::UnknownIoType => {
            matches!(command, Command::SetIoValue(_))
        }
        DebugPoint::NotSupported
        | DebugPoint::SubGraphConnectInvalidNodes
        | DebugPoint::SubGraphConnectNotASubgraph => {
            matches!(command, Command::ConnectSubgraphPort { .. })
        }
        DebugPoint::ParserUnknownCommand | DebugPoint::ParserInvalidCommand => {
            matches!(command, Command::Unknown { .. } | Command::Describe(_) | Command::GetNetworkStatus)
        }
        _ => false,
    }
}

/// Whether firmware says `point` only when it has lost count of bytes, unless a command that it does not know was sent.
pub(super) fn shows_misalignment(point: DebugPoint) -> bool {
    matches!(
        point,
        DebugPoint::ParserUnknownCommand
            | DebugPoint::ParserInvalidCommand
            | DebugPoint::ParserInvalidState
            | DebugPoint::ParserUnknownState
            | DebugPoint::MagicMismatch
    )
}

/// Whether a debug message is all that firmware answers also in the dialect that has `Error` responses.
pub(super) fn is_only_answer(point: DebugPoint) -> bool {
    matches!(
        point,
        DebugPoint::IoOperationNotImplemented
            | DebugPoint::IoInvalidValueSet
            | DebugPoint::UnknownIoType
            | DebugPoint::ParserUnknownCommand
            | DebugPoint::ParserInvalidCommand
    )
}

/// Whether firmware acknowledges the command all the same after it has said `point`.
pub(super) fn acknowledges_after(point: DebugPoint) -> bool {
    point == DebugPoint::SendMessageInvalidNode
}
