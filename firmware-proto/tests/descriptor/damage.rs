//! Properties under damage.

use crate::line::Line;
use crate::{ID, descriptor};
use firmware_proto::Dialect;
use firmware_proto::descriptor::{Descriptor, Own, OwnState};
use proptest::prelude::*;
fn dialects() -> impl Strategy<Value = Dialect> {
    prop_oneof![Just(Dialect::Flo01), Just(Dialect::Microflo1)]
}

/// What happens to the bytes that a board sends.
#[derive(Clone, Debug)]
enum Damage {
    Flip { at: usize, bit: u8 },
    Lose { at: usize },
    Overwrite { from: usize, bytes: Vec<u8> },
}

fn damages() -> impl Strategy<Value = Damage> {
    prop_oneof![
        (0usize..400, 0u8..8).prop_map(|(at, bit)| Damage::Flip { at, bit }),
        (0usize..400).prop_map(|at| Damage::Lose { at }),
        (0usize..400, proptest::collection::vec(any::<u8>(), 1..20))
            .prop_map(|(from, bytes)| Damage::Overwrite { from, bytes }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn damaged_answers_never_give_wrong_content(dialect in dialects(), damages in proptest::collection::vec(damages(), 1..4)) {
        let bytes = descriptor(dialect);
        let mut line = Line::new(dialect, &bytes);
        let own = Own { id: Some(ID), label: "Fenster links" };
        line.write(&own).unwrap();
        let mut sent = 0;
        line.damage = Box::new(move |answer| {
            let start = sent;
            sent += answer.len();
            for damage in &damages {
                match damage {
                    Damage::Flip { at, bit } => {
                        if let Some(byte) = at.checked_sub(start).and_then(|at| answer.get_mut(at)) {
                            *byte ^= 1 << bit;
                        }
                    }
                    Damage::Lose { at } if (start..start + answer.len()).contains(at) => {
                        answer.remove(at - start);
                    }
                    Damage::Lose { .. } => {}
                    Damage::Overwrite { from, bytes } => {
                        for (place, byte) in (*from..).zip(bytes) {
                            if let Some(found) = place.checked_sub(start).and_then(|at| answer.get_mut(at)) {
                                *found = *byte;
                            }
                        }
                    }
                }
            }
        });
        let (reader, _) = line.read(false);
        if let Ok(content) = reader.content() {
            prop_assert_eq!(content, &bytes[..]);
        }
        if let Ok(OwnState::Stored(read)) = reader.own() {
            prop_assert_eq!(read, own);
        }
    }

    #[test]
    fn any_bytes_are_read_without_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..300), versioned: bool) {
        if let (true, Some(first)) = (versioned, bytes.first_mut()) {
            *first = 1;
        }
        if let Ok(read) = Descriptor::read(&bytes) {
            for component in read.components() {
                let named = component.in_ports.iter().filter(|word| **word != 0).count();
                prop_assert_eq!(read.ports(component.in_ports).count(), named);
            }
        }
        let _ = OwnState::read(&bytes);
    }

    #[test]
    fn a_cut_or_flipped_descriptor_is_refused_or_sound(at in 0usize..200, bit in 0u8..8, cut in 0usize..200) {
        let mut bytes = descriptor(Dialect::Flo01);
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 1 << bit;
        }
        if let Ok(read) = Descriptor::read(&bytes) {
            // All of its references hold.
            for (_, node) in read.nodes() {
                prop_assert!(read.components().any(|component| component.id == node.component));
            }
        }
        let whole = descriptor(Dialect::Flo01);
        if cut < whole.len() {
            prop_assert!(Descriptor::read(&whole[..cut]).is_err());
        }
    }
}
