//! What the components do, packet by packet.

use firmware_proto::{Dialect, Packet};

use super::{Io, Kind, Pins, component_id, component_map};

use Packet::{Boolean, BracketEnd, BracketStart, Byte, Integer, Void};

/// What a new node of that component sends on being given these packets; with the 8-byte dialect after its Setup.
fn sends(dialect: Dialect, name: &str, packets: &[(u8, Packet)]) -> Vec<Packet> {
    let kind = Kind::by_id(dialect, component_id(dialect, name).expect("id")).expect("kind");
    let (mut logic, mut pins) = (kind.make(dialect), Pins::default());
    let mut io = Io { now_ms: 0, pins: &mut pins, sent: Vec::new() };
    if dialect == Dialect::Flo01 {
        logic.setup(&mut io);
    }
    packets.iter().for_each(|(port, packet)| logic.packet(*port, *packet, &mut io));
    io.sent.into_iter().map(|(_, packet)| packet).collect()
}

fn new(name: &str, packets: &[(u8, Packet)]) -> Vec<Packet> {
    sends(Dialect::Microflo1, name, packets)
}

fn old(name: &str, packets: &[(u8, Packet)]) -> Vec<Packet> {
    sends(Dialect::Flo01, name, packets)
}

#[test]
fn numbers_are_those_of_the_stock_libraries() {
    for (name, flo01, microflo1) in
        [("Forward", 11, 9), ("Timer", 27, 24), ("ToggleBoolean", 28, 25), ("AnalogRead", 1, 1)]
    {
        assert_eq!(component_id(Dialect::Flo01, name), Some(flo01));
        assert_eq!(component_id(Dialect::Microflo1, name), Some(microflo1));
    }
    assert_eq!(component_id(Dialect::Flo01, "LedMatrixMax"), None);
    assert_eq!(component_id(Dialect::Flo01, "core/Repeat"), Some(31));
}

#[test]
fn the_map_has_the_shape_that_generators_write() {
    for dialect in Dialect::ALL {
        let map = component_map(dialect);
        let timer = &map["components"]["Timer"];
        assert_eq!(timer["id"], component_id(dialect, "Timer").unwrap());
        assert_eq!(
            (timer["inPorts"]["interval"]["id"].as_u64(), timer["inPorts"]["reset"]["id"].as_u64()),
            (Some(0), Some(1))
        );
        assert_eq!(timer["outPorts"]["out"]["id"], 0);
        let components = map["components"].as_object().unwrap();
        assert!(components.len() > 20);
        assert!(components.keys().all(|name| component_id(dialect, name).is_some()));
        assert!(components["Forward"]["inPorts"]["in"].is_object());
    }
}

#[test]
fn count_starts_at_zero_in_each_librarys_own_way() {
    assert_eq!(new("Count", &[(0, Void); 3]), [Integer(0), Integer(1), Integer(2)]);
    assert_eq!(old("Count", &[(0, Void); 2]), [Integer(0), Integer(1), Integer(2)]);
    assert_eq!(new("Count", &[(1, Void), (0, Void)]), [Integer(0), Integer(1)]);
    assert_eq!(new("Count", &[(1, Boolean(true)), (0, Void)]), [Integer(0), Integer(0)]);
    assert_eq!(old("Count", &[(1, Boolean(true)), (0, Void)]), [Integer(0), Integer(0)]);
}

#[test]
fn toggle_starts_differently_in_the_two_libraries() {
    assert_eq!(new("ToggleBoolean", &[(0, Void), (0, Void)]), [Boolean(false), Boolean(true)]);
    assert_eq!(old("ToggleBoolean", &[(0, Void), (0, Void)]), [Boolean(true), Boolean(false)]);
}

#[test]
fn constrain_keeps_within_limits_also_negative_ones() {
    let limits =
        |lower, upper, input| new("Constrain", &[(1, Integer(lower)), (2, Integer(upper)), (0, Integer(input))]);
    assert_eq!(limits(10, 105, 9), [Integer(10)]);
    assert_eq!(limits(0, 1000, 1001), [Integer(1000)]);
    assert_eq!(limits(-3004, 3004, -333), [Integer(-333)]);
}

#[test]
fn the_latch_has_hysteresis() {
    let latch = |inputs: &[i32]| {
        let mut packets = vec![(1, Integer(10)), (2, Integer(20))];
        packets.extend(inputs.iter().map(|input| (0, Integer(*input))));
        new("HysteresisLatch", &packets)
    };
    assert_eq!(latch(&[30, 15, 10, 15, 20]), [true, true, false, false, true].map(Boolean));
    assert_eq!(latch(&[5, 15]), [false, false].map(Boolean));
}

#[test]
fn map_linear_maps_and_survives_an_empty_range() {
    let range = [(1, Integer(0)), (2, Integer(100)), (3, Integer(50)), (4, Integer(200)), (0, Integer(50))];
    assert_eq!(new("MapLinear", &range), [Integer(125)]);
    assert_eq!(new("MapLinear", &[(0, Integer(5))]), [Integer(-1)]);
}

#[test]
fn gate_and_route_remember_what_they_held_back() {
    assert_eq!(new("Gate", &[(0, Integer(1)), (1, Boolean(true)), (0, Integer(2))]), [Integer(1), Integer(2)]);
    assert_eq!(
        new("Route", &[(1, Integer(7)), (2, Integer(8)), (0, Integer(2)), (2, Integer(9))]),
        [Integer(8), Integer(9)]
    );
}

#[test]
fn brackets_pass_through_repeat_and_end_as_a_delimiter_in_delimit() {
    let group = [(0, BracketStart), (0, Byte(65)), (0, BracketEnd)];
    assert_eq!(new("core/Repeat", &group), [BracketStart, Byte(65), BracketEnd]);
    assert_eq!(old("Delimit", &group), [Byte(65), Byte(13)]);
}

#[test]
fn drop_and_output_swallow() {
    assert_eq!(new("core/Drop", &[(0, Integer(1))]), []);
    assert_eq!(new("core/Output", &[(0, Integer(1))]), []);
}

#[test]
fn void_is_true_and_numbers_are_read_as_booleans() {
    assert_eq!(new("InvertBoolean", &[(0, Void), (0, Integer(0)), (0, Integer(1))]), [false, true, false].map(Boolean));
}

#[test]
fn pairs_compute_at_each_input() {
    assert_eq!(new("Min", &[(1, Integer(5)), (0, Integer(9))]), [Integer(0), Integer(5)]);
    assert_eq!(new("BooleanAnd", &[(0, Boolean(true)), (1, Boolean(true))]), [Boolean(false), Boolean(true)]);
}

#[test]
fn the_median_is_that_of_the_latest_values() {
    let values = [(2, Integer(3)), (0, Integer(9)), (0, Integer(1)), (0, Integer(5)), (0, Integer(7))];
    assert_eq!(new("RunningMedian", &values), [9, 5, 5, 5].map(Integer));
}

#[test]
fn hold_packet_sends_what_it_holds() {
    assert_eq!(new("HoldPacket", &[(1, Void), (0, Integer(42)), (1, Void)]), [Void, Integer(42)]);
}

#[test]
fn break_before_make_never_switches_both_on() {
    let run = [(0, Boolean(true)), (1, Boolean(false)), (2, Boolean(true)), (0, Boolean(false))];
    assert_eq!(old("BreakBeforeMake", &run), [false, true, false].map(Boolean));
}

#[test]
fn digital_write_needs_a_pin() {
    assert_eq!(new("DigitalWrite", &[(0, Boolean(true))]), []);
    assert_eq!(new("DigitalWrite", &[(1, Integer(13)), (0, Boolean(true))]), [Integer(13), Boolean(true)]);
}
