//! Every frame of transcripts taken from real firmware decodes and encodes back byte for byte, in both directions.

use firmware_proto::{Body, Command, Decoded, Decoder, Dialect, Event, Frame, Message, Packet, Response};

const FLO01: &str = include_str!("golden/uC-Flo01.txt");
const MICROFLO1: &str = include_str!("golden/microflo1.txt");

/// Frames of one direction, with the transcript's remark.
fn frames(transcript: &str, direction: &str) -> Vec<(Vec<u8>, String)> {
    transcript
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(direction))
        .map(|(_, rest)| {
            let (hex, remark) = rest.split_once('#').expect("every frame has a remark");
            let bytes = hex.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
            (bytes, remark.trim().to_owned())
        })
        .collect()
}

fn check_board_to_host(dialect: Dialect, transcript: &str) -> Vec<Message> {
    let mut messages = Vec::new();
    for (bytes, remark) in frames(transcript, "device->host") {
        let frame = Frame::from_bytes(dialect, &bytes).expect("frame length");
        let message = Message::decode(dialect, &frame).unwrap_or_else(|| panic!("not decoded: {bytes:02x?} {remark}"));
        assert_eq!(message.encode(dialect).as_bytes(), bytes, "{remark}");
        let name = format!("{:?}", message.body);
        let said = remark.split_whitespace().find(|word| !word.starts_with("rid=")).unwrap();
        let said = match said {
            "NetworkReset" => "NodesCleared",
            "DebugMessage" => "Debug",
            said => said,
        };
        assert!(name.contains(said), "{name} is not {remark}");
        messages.push(message);
    }
    messages
}

fn check_host_to_board(dialect: Dialect, transcript: &str) -> usize {
    let sent = frames(transcript, "host->device");
    for (bytes, remark) in &sent {
        if bytes.starts_with(dialect.magic()) {
            let request_id = *bytes.last().unwrap();
            assert_eq!(dialect.opening(request_id).as_bytes(), bytes, "{remark}");
            continue;
        }
        let frame = Frame::from_bytes(dialect, bytes).expect("frame length");
        let (request_id, command) = Command::decode(dialect, &frame);
        assert!(!matches!(command, Command::Unknown { .. }), "{remark}: {command:?}");
        assert_eq!(command.encode(dialect, request_id).as_bytes(), bytes, "{remark}");
    }
    sent.len()
}

#[test]
fn every_frame_of_the_8_byte_transcript_round_trips() {
    let messages = check_board_to_host(Dialect::Flo01, FLO01);
    assert_eq!(messages.len(), 89);
    assert_eq!(check_host_to_board(Dialect::Flo01, FLO01), 37);
}

#[test]
fn every_frame_of_the_10_byte_transcript_round_trips() {
    let messages = check_board_to_host(Dialect::Microflo1, MICROFLO1);
    assert_eq!(messages.len(), 82);
    assert_eq!(check_host_to_board(Dialect::Microflo1, MICROFLO1), 40);
}

#[test]
fn values_are_read_as_sent() {
    let packets = |dialect, transcript| -> Vec<Packet> {
        check_board_to_host(dialect, transcript)
            .into_iter()
            .filter_map(|message| match message.body {
                Body::Event(Event::PacketSent { packet, .. }) => Some(packet),
                _ => None,
            })
            .collect()
    };
    let narrow = packets(Dialect::Flo01, FLO01);
    assert!(narrow.contains(&Packet::Integer(12345)) && narrow.contains(&Packet::Integer(-1)));
    assert!(narrow.contains(&Packet::Integer(0x5678)), "the 8-byte dialect cuts 0x12345678 to 16 bits");
    let wide = packets(Dialect::Microflo1, MICROFLO1);
    assert!(wide.contains(&Packet::Integer(0x1234_5678)) && wide.contains(&Packet::Integer(-1)));
    assert!(wide.contains(&Packet::Boolean(true)) && wide.contains(&Packet::Error(5)));
}

#[test]
fn a_whole_transcript_streams_through_the_decoder_in_any_chunking() {
    for (dialect, transcript) in [(Dialect::Flo01, FLO01), (Dialect::Microflo1, MICROFLO1)] {
        let expected = check_board_to_host(dialect, transcript);
        let stream: Vec<u8> = frames(transcript, "device->host").into_iter().flat_map(|(bytes, _)| bytes).collect();
        for chunk in 1..=2 * dialect.frame_len() + 1 {
            let mut decoder = Decoder::aligned(dialect);
            let mut got = Vec::new();
            for mut bytes in stream.chunks(chunk) {
                while let Some(decoded) = decoder.next(&mut bytes) {
                    let Decoded::Message(message) = decoded else { panic!("misaligned at {}", got.len()) };
                    got.push(message);
                }
            }
            assert_eq!(got, expected);
        }
    }
}

#[test]
fn an_error_response_names_its_debug_point() {
    let frame = Frame::from_bytes(Dialect::Microflo1, &[7, 110, 15, 0, 0, 0, 0, 0, 0, 0]).unwrap();
    let message = Message::decode(Dialect::Microflo1, &frame).unwrap();
    let Body::Response(Response::Error(point)) = message.body else { panic!("{message:?}") };
    assert_eq!((message.request_id, point.to_string().as_str()), (7, "AddNodeInvalidInstance"));
}
