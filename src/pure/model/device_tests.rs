//! The mirror: everything that kills or corrupts a board is refused, also when it is only about to be possible.

use firmware_proto::limits::{QUEUED_PACKETS_WHILE_STOPPED, SAFE_NODES};
use firmware_proto::{Command, Dialect, Edge, Packet, PortRef, Response};

use super::danger::{Danger, Purpose};
use super::device::Device;
use super::library::{Direction, Library};
use crate::pure::request::Failure;

fn at(node: u8, port: u8) -> PortRef {
    PortRef { node, port }
}

fn create(component: u8) -> Command {
    Command::CreateComponent { component, parent: 0 }
}

fn connect(src: PortRef, tgt: PortRef) -> Command {
    Command::ConnectNodes(Edge { src, tgt })
}

fn packet(target: PortRef) -> Command {
    Command::SendPacket { target, packet: Packet::Void }
}

/// A stopped board with nodes 1 to `nodes`, all of component 7.
fn device(nodes: u8) -> Device {
    let mut device = Device::default();
    device.set_dialect(Dialect::Flo01);
    let added = |node| Response::NodeAdded { component: 7, node, parent: 0 };
    device.boot(&(1..=nodes).map(added).collect::<Vec<_>>());
    device
}

fn done(device: &mut Device, command: Command, response: Response) {
    device.check(&command, None).unwrap();
    device.sent(&command);
    device.settle(&command, &Ok(response));
}

#[test]
fn unknown_and_removed_nodes_are_refused() {
    let mut device = device(2);
    let no = |node, purpose| Err(Danger::NoSuchNode { node, purpose });
    done(&mut device, Command::RemoveNode { node: 1 }, Response::NodeRemoved { node: 1 });
    for node in [0, 1, 3, 255] {
        assert_eq!(device.check(&connect(at(node, 0), at(2, 0)), None), no(node, Purpose::Connect));
        assert_eq!(device.check(&connect(at(2, 0), at(node, 0)), None), no(node, Purpose::Connect));
        let edge = Edge { src: at(node, 0), tgt: at(2, 0) };
        assert_eq!(device.check(&Command::DisconnectNodes(edge), None), no(node, Purpose::Connect));
        assert_eq!(device.check(&packet(at(node, 0)), None), no(node, Purpose::Send));
        assert_eq!(device.check(&Command::RemoveNode { node }, None), no(node, Purpose::Remove));
        let subscribe = Command::SubscribeToPort { port: at(node, 0), enable: true };
        assert_eq!(device.check(&subscribe, None), no(node, Purpose::Subscribe));
    }
    assert_eq!(device.check(&Command::CreateComponent { component: 7, parent: 9 }, None), no(9, Purpose::Parent));
}

#[test]
fn ports_beyond_the_components_are_refused_where_the_map_knows_it() {
    let map = r#"{"components":{"One":{"id":7,"inPorts":{"in":{"id":0}},"outPorts":{"out":{"id":0}}}}}"#;
    let library = Library::from_json(map).unwrap();
    let device = device(2);
    let no = |port, direction| Err(Danger::NoSuchPort { port, direction, component: "One".into() });
    let check = |command: Command| device.check(&command, Some(&library));
    assert_eq!(check(connect(at(1, 1), at(2, 0))), no(at(1, 1), Direction::Out));
    assert_eq!(check(connect(at(1, 0), at(2, 9))), no(at(2, 9), Direction::In));
    assert_eq!(check(packet(at(1, 1))), no(at(1, 1), Direction::In));
    assert_eq!(check(connect(at(1, 0), at(2, 0))), Ok(()));
    assert_eq!(device.check(&connect(at(1, 1), at(2, 9)), None), Ok(()), "nothing can be said without a map");
    let child = Command::CreateComponent { component: 7, parent: 1 };
    assert_eq!(check(child), Err(Danger::NotASubgraph { node: 1, component: "One".into() }));
}

#[test]
fn nodes_being_created_count() {
    let mut device = device(0);
    for _ in 0..SAFE_NODES {
        device.check(&create(7), None).unwrap();
        device.sent(&create(7));
    }
    assert_eq!(device.check(&create(7), None), Err(Danger::TooManyNodes(SAFE_NODES)));
    device.settle(&create(7), &Err(Failure::NoAnswer));
    assert_eq!(device.check(&create(7), None), Ok(()));
}

#[test]
fn ids_of_removed_nodes_are_not_free() {
    let mut device = device(49);
    done(&mut device, Command::RemoveNode { node: 49 }, Response::NodeRemoved { node: 49 });
    assert_eq!(device.check(&create(7), None), Err(Danger::TooManyNodes(SAFE_NODES)));
    done(&mut device, Command::ClearNodes, Response::NodesCleared);
    assert_eq!(device.check(&create(7), None), Ok(()));
}

#[test]
fn packets_under_way_count_for_the_stopped_queue() {
    let mut device = device(1);
    for _ in 0..QUEUED_PACKETS_WHILE_STOPPED {
        device.check(&packet(at(1, 0)), None).unwrap();
        device.sent(&packet(at(1, 0)));
    }
    assert_eq!(device.check(&packet(at(1, 0)), None), Err(Danger::QueueFull(QUEUED_PACKETS_WHILE_STOPPED)));
    for _ in 0..QUEUED_PACKETS_WHILE_STOPPED {
        let done = Response::SendPacketDone { target: at(1, 0), kind: 3 };
        device.settle(&packet(at(1, 0)), &Ok(done));
    }
    device.sent(&Command::StartNetwork);
    assert_eq!(
        device.check(&packet(at(1, 0)), None),
        Err(Danger::QueueFull(QUEUED_PACKETS_WHILE_STOPPED)),
        "the start may fail"
    );
    device.settle(&Command::StartNetwork, &Err(Failure::NoAnswer));
    assert_eq!(device.check(&packet(at(1, 0)), None), Err(Danger::QueueFull(QUEUED_PACKETS_WHILE_STOPPED)), "it did");
    done(&mut device, Command::StartNetwork, Response::NetworkStarted);
    assert_eq!(device.check(&packet(at(1, 0)), None), Ok(()));
}

#[test]
fn a_node_that_still_receives_is_not_removed() {
    let mut device = device(2);
    let edge = Edge { src: at(1, 0), tgt: at(2, 0) };
    let remove = Command::RemoveNode { node: 2 };
    device.sent(&Command::ConnectNodes(edge));
    assert_eq!(device.check(&remove, None), Err(Danger::EdgeLeft { node: 2, src: at(1, 0) }), "the edge is under way");
    device.settle(&Command::ConnectNodes(edge), &Ok(Response::NodesConnected(edge)));
    device.sent(&Command::DisconnectNodes(edge));
    assert_eq!(device.check(&remove, None), Ok(()));
    device.settle(&Command::DisconnectNodes(edge), &Err(Failure::NoAnswer));
    assert_eq!(device.check(&remove, None), Err(Danger::EdgeLeft { node: 2, src: at(1, 0) }));
    assert_eq!(device.check(&Command::RemoveNode { node: 1 }, None), Ok(()), "its own out ports go with it");
}

#[test]
fn packets_that_firmware_would_empty_are_refused() {
    let device = device(1);
    for packet in [Packet::Float(1.0), Packet::Invalid, Packet::Setup, Packet::Tick] {
        let send = Command::SendPacket { target: at(1, 0), packet };
        assert_eq!(device.check(&send, None), Err(Danger::PacketType { kind: packet.kind() }));
    }
}

#[test]
fn late_nodes_are_refused_where_they_get_no_setup() {
    let mut device = device(1);
    device.sent(&Command::StartNetwork);
    assert_eq!(device.check(&create(7), None), Err(Danger::NoSetup), "the start is under way");
    device.settle(&Command::StartNetwork, &Ok(Response::NetworkStarted));
    device.sent(&Command::StopNetwork);
    assert_eq!(device.check(&create(7), None), Err(Danger::NoSetup), "the stop may fail");
    device.set_dialect(Dialect::Microflo1);
    assert_eq!(device.check(&create(7), None), Ok(()));
}

#[test]
fn clearing_stops_the_network_in_one_dialect_only() {
    for (dialect, runs) in [(Dialect::Flo01, false), (Dialect::Microflo1, true)] {
        let mut device = device(1);
        device.set_dialect(dialect);
        done(&mut device, Command::StartNetwork, Response::NetworkStarted);
        done(&mut device, Command::ClearNodes, Response::NodesCleared);
        assert_eq!(device.is_running(), runs);
        assert!(device.nodes().is_empty());
    }
}

#[test]
fn a_disconnect_ends_the_subscription_too() {
    let mut device = device(2);
    let edge = Edge { src: at(1, 0), tgt: at(2, 0) };
    let subscribe = Command::SubscribeToPort { port: at(1, 0), enable: true };
    done(&mut device, Command::ConnectNodes(edge), Response::NodesConnected(edge));
    done(&mut device, subscribe, Response::PortSubscriptionChanged { port: at(1, 0), enabled: true });
    assert!(device.subscriptions().contains(&at(1, 0)));
    done(&mut device, Command::DisconnectNodes(edge), Response::NodesDisconnected(edge));
    assert!(device.subscriptions().is_empty() && device.edges().is_empty());
}

#[test]
fn lost_bytes_make_everything_unknown_until_a_clear() {
    let mut device = device(2);
    device.sent(&create(7));
    device.settle(&create(7), &Err(Failure::Lost));
    assert_eq!(device.check(&connect(at(1, 0), at(2, 0)), None), Err(Danger::NotKnown));
    assert_eq!(device.check(&Command::Ping([0; 8]), None), Ok(()));
    device.sent(&Command::ClearNodes);
    device.settle(&Command::ClearNodes, &Err(Failure::NoAnswer));
    assert!(!device.is_known());
    done(&mut device, Command::ClearNodes, Response::NodesCleared);
    assert_eq!(device.check(&create(7), None), Ok(()));
}

#[test]
fn answers_from_before_a_clear_change_nothing() {
    let mut device = device(0);
    device.sent(&create(7));
    device.sent(&Command::ClearNodes);
    device.settle(&create(7), &Ok(Response::NodeAdded { component: 7, node: 1, parent: 0 }));
    assert!(device.nodes().is_empty());
    device.settle(&Command::ClearNodes, &Ok(Response::NodesCleared));
    assert!(device.is_known() && device.nodes().is_empty());
}

#[test]
fn arguments_in_the_padding_are_refused() {
    let device = device(2);
    for id in 10..=25 {
        assert_eq!(device.check(&Command::Unknown { id, payload: [1; 8] }, None), Err(Danger::Padding { id }));
    }
    assert_eq!(device.check(&Command::Unknown { id: 26, payload: [1; 8] }, None), Ok(()));
}

#[test]
fn boot_chatter_of_real_firmware_rebuilds_the_graph() {
    let mut device = Device::default();
    let (src, tgt) = (at(1, 0), at(2, 0));
    device.boot(&[
        Response::CommunicationOpen,
        Response::NodesCleared,
        Response::DebugChanged { level: 1 },
        Response::NodeAdded { component: 11, node: 1, parent: 0 },
        Response::NodeAdded { component: 11, node: 2, parent: 0 },
        Response::NodesConnected(Edge { src, tgt }),
        Response::NetworkStarted,
        Response::TransmissionEnded,
    ]);
    assert!(device.is_known() && device.is_running());
    assert_eq!(device.nodes().len(), 2);
    assert_eq!(*device.edges(), [(src, tgt)].into());
}

#[test]
fn a_board_that_may_run_through_a_clear_may_hold_packets_of_new_nodes() {
    let mut device = Device::default();
    device.set_dialect(Dialect::Microflo1);
    let mut does = |command: Command, response: Response| {
        device.sent(&command);
        device.settle(&command, &Ok(response));
        device.may_hold_packets_of(1)
    };
    assert!(does(Command::ClearNodes, Response::NodesCleared), "nobody has said that it is stopped");
    assert!(does(
        Command::CreateComponent { component: 11, parent: 0 },
        Response::NodeAdded { component: 11, node: 1, parent: 0 }
    ));
    does(Command::StopNetwork, Response::NetworkStopped);
    assert!(!does(Command::ClearNodes, Response::NodesCleared));
}
