//! Everything that kills firmware silences the simulated board, and says why.

use firmware_proto::{Command, Dialect, Packet, PortRef};

use super::{Bench, Config, edge};
use crate::sim::Crash;

/// Does that to a board with two Forward nodes, 1 and 2; whether it died.
fn kills(dialect: Dialect, commands: &[Command]) -> Option<Crash> {
    let mut bench = Bench::open(Config::new(dialect));
    bench.node("Forward");
    bench.node("Forward");
    for command in commands {
        assert_eq!(bench.board.crashed(), None, "too early: {command:?}");
        bench.send(*command);
    }
    let crash = bench.board.crashed();
    if crash.is_some() {
        assert_eq!(bench.send(Command::Ping([0; 8])), [], "a crashed board is silent");
    }
    crash
}

fn send(node: u8) -> Command {
    Command::SendPacket { target: PortRef { node, port: 0 }, packet: Packet::Void }
}

#[test]
fn an_edge_from_the_next_free_node_kills() {
    for dialect in Dialect::ALL {
        let crash = kills(dialect, &[Command::ConnectNodes(edge((3, 0), (1, 0)))]);
        assert_eq!(crash, Some(Crash::EdgeOfMissingNode { node: 3 }));
    }
}

#[test]
fn an_edge_to_the_next_free_node_kills_with_the_8_byte_dialect() {
    let connect = [Command::ConnectNodes(edge((1, 0), (3, 0)))];
    assert_eq!(kills(Dialect::Flo01, &connect), Some(Crash::EdgeOfMissingNode { node: 3 }));
    assert_eq!(kills(Dialect::Microflo1, &connect), None);
}

#[test]
fn an_edge_from_a_removed_node_kills() {
    for dialect in Dialect::ALL {
        let crash = kills(dialect, &[Command::RemoveNode { node: 2 }, Command::ConnectNodes(edge((2, 0), (1, 0)))]);
        assert_eq!(crash, Some(Crash::EdgeOfMissingNode { node: 2 }));
    }
}

#[test]
fn a_packet_to_the_next_free_node_kills_once_the_network_runs() {
    let crash = Some(Crash::PacketToMissingNode { target: PortRef { node: 3, port: 0 } });
    for dialect in Dialect::ALL {
        assert_eq!(kills(dialect, &[Command::StartNetwork, send(3)]), crash);
        assert_eq!(kills(dialect, &[send(3), Command::StartNetwork]), crash);
        assert_eq!(kills(dialect, &[send(3)]), None);
    }
}

#[test]
fn a_packet_on_an_edge_to_a_removed_node_kills() {
    let connect = edge((1, 0), (2, 0));
    let remove = Command::RemoveNode { node: 2 };
    for dialect in Dialect::ALL {
        let crash = kills(dialect, &[Command::ConnectNodes(connect), Command::StartNetwork, remove, send(1)]);
        assert_eq!(crash, Some(Crash::DanglingEdge { edge: connect }));
        let disconnect = Command::DisconnectNodes(connect);
        let careful = [Command::ConnectNodes(connect), Command::StartNetwork, disconnect, remove, send(1)];
        assert_eq!(kills(dialect, &careful), None);
    }
}

#[test]
fn an_edge_on_a_port_that_does_not_exist_kills() {
    for dialect in Dialect::ALL {
        for (src, tgt, node) in [((1, 1), (2, 0), 1), ((1, 0), (2, 1), 2), ((1, 255), (2, 0), 1)] {
            let crash = kills(dialect, &[Command::ConnectNodes(edge(src, tgt))]);
            assert!(matches!(crash, Some(Crash::PortOutOfRange { port, ports: 1 }) if port.node == node), "{crash:?}");
        }
    }
}

#[test]
fn the_fiftieth_node_kills() {
    for dialect in Dialect::ALL {
        let mut bench = Bench::open(Config::new(dialect));
        for node in 1..=49 {
            assert_eq!(bench.node("Forward"), node);
        }
        assert_eq!(bench.board.crashed(), None);
        bench.send(Command::CreateComponent { component: 9, parent: 0 });
        assert_eq!(bench.board.crashed(), Some(Crash::TooManyNodes { limit: 50 }));
    }
}

#[test]
fn a_packet_that_a_component_passes_on_by_port_number_kills_with_the_10_byte_dialect() {
    let stray = Command::SendPacket { target: PortRef { node: 1, port: 4 }, packet: Packet::Void };
    let src = PortRef { node: 1, port: 4 };
    assert_eq!(kills(Dialect::Microflo1, &[Command::StartNetwork, stray]), Some(Crash::NoSuchOutPort { src }));
    assert_eq!(kills(Dialect::Flo01, &[Command::StartNetwork, stray]), None);
}

#[test]
fn a_subgraph_of_no_subgraph_kills_with_the_8_byte_dialect() {
    let port = |node| PortRef { node, port: 0 };
    let connect = [Command::ConnectSubgraphPort { is_output: false, subgraph: port(1), child: port(2) }];
    assert_eq!(kills(Dialect::Flo01, &connect), Some(Crash::NotASubgraph { node: 1 }));
    assert_eq!(kills(Dialect::Microflo1, &connect), None);
}

#[test]
fn reset_revives_a_crashed_board_which_remembers() {
    let mut bench = Bench::open(Config::new(Dialect::Flo01));
    bench.send(Command::ConnectNodes(edge((1, 0), (1, 0))));
    let crash = bench.board.crashed();
    assert!(crash.is_some());
    bench.board.reset(bench.now);
    let magic = Dialect::Flo01.opening(0);
    assert_eq!(bench.bodies(magic.as_bytes()).len(), 1);
    assert_eq!(bench.board.crashed(), crash);
}
