use std::collections::BTreeMap;
use std::path::PathBuf;

use proptest::prelude::*;
use uuid::{Uuid, uuid};

use super::told::Told;
use super::*;
use crate::pure::port::Port;

const HOST: HostKey = HostKey::from_random([7; 32]);

fn usb(path: &str, serial: Option<&str>) -> UsbPort {
    UsbPort {
        device: PathBuf::from("/dev/ttyUSB0"),
        vid: 0x1a86,
        pid: 0x7523,
        serial: serial.map(str::to_owned),
        manufacturer: None,
        product: None,
        interface: 0,
        port_number: Some(0),
        path: path.to_owned(),
        plugging: "1/1".to_owned(),
    }
}

fn ids(ports: &[Port], host: &HostKey) -> Vec<(Rung, Uuid)> {
    let assigned = assign(ports, &Told::default(), &BTreeMap::new(), &BTreeMap::new(), host);
    assigned.assignments.iter().map(|a| (a.rung, a.id)).collect()
}

/// The state of one host: what is plugged, what is stored.
#[derive(Default)]
struct Bench {
    plugged: BTreeMap<String, &'static str>,
    stored: BTreeMap<String, SerialMemory>,
}

impl Bench {
    fn plug(&mut self, path: &str, serial: &'static str) {
        self.plugged.insert(path.to_owned(), serial);
    }

    fn unplug(&mut self, path: &str) {
        self.plugged.remove(path);
    }

    fn ports(&self) -> Vec<Port> {
        self.plugged.iter().map(|(path, serial)| Port::Usb(usb(path, Some(serial)))).collect()
    }

    /// Scans and stores; gives each path's assignment.
    fn scan(&mut self) -> BTreeMap<String, Assignment> {
        let assigned = assign(&self.ports(), &Told::default(), &self.stored, &BTreeMap::new(), &HOST);
        self.stored.extend(assigned.changes);
        self.plugged.keys().cloned().zip(assigned.assignments).collect()
    }
}

/// Computed independently (Python's hashlib and uuid). Never change them: ids in the field depend on each bit.
#[test]
fn ids_are_golden() {
    let machine = HostKey::from_machine_id("0123456789abcdef0123456789abcdef\n").unwrap();
    assert_eq!(machine.to_string(), "f6ace8f2dfd3f6fbed9fa678892ffc44c0a421316571b1487600bf6ff6d5d9f1");

    let uno = UsbPort { vid: 0x2341, pid: 0x0043, port_number: None, ..usb("x", Some("75835353038351F0B1A1")) };
    let ftdi = UsbPort { vid: 0x0403, pid: 0x6001, ..usb("x", Some("AH03F1X2")) };
    let odd = UsbPort { vid: 0x1234, pid: 0xabcd, interface: 10, port_number: Some(12), ..usb("x", Some("A:B%C")) };
    let ch340 = Port::Usb(usb("pci-0000:00:14.0-usb-0:3.1", None));
    let ports = [
        Port::Usb(uno),
        Port::Usb(ftdi),
        Port::Usb(odd),
        ch340.clone(),
        Port::Named("/dev/pts/7".into()),
        Port::Simulated(0),
    ];
    assert_eq!(
        ids(&ports, &HOST),
        [
            (Rung::Serial, uuid!("e65e4cdb-b821-4af8-b5e5-33a59cdb665d")),
            (Rung::Serial, uuid!("439e9ea2-b80d-4943-8bb2-89fd6c2fb271")),
            (Rung::Serial, uuid!("04ae5b67-6755-49cc-9c4a-f667dfab4629")),
            (Rung::Path, uuid!("25550d06-db8f-44f3-816f-efbf4db8157c")),
            (Rung::Device, uuid!("a9a0733b-2d91-435e-9db5-5a4ccb775f8b")),
            (Rung::Simulated, uuid!("9ceef162-0d03-4fb2-bee6-b8695927358f")),
        ]
    );
    assert_eq!(ids(&[ch340], &machine), [(Rung::Path, uuid!("ff575f8c-955d-4b08-ac34-aa1d8ef602c9"))]);
}

#[test]
fn a_machine_id_that_says_nothing_gives_no_host_key() {
    for text in ["", "uninitialized\n", "00000000000000000000000000000000", "not a machine id"] {
        assert_eq!(HostKey::from_machine_id(text), None, "{text:?}");
    }
}

#[test]
fn a_serial_number_follows_the_board_to_another_host_and_a_path_does_not() {
    let other = HostKey::from_random([8; 32]);
    for (port, same) in [
        (Port::Usb(usb("usb-0:1", Some("AH03F1X2"))), true),
        (Port::Usb(usb("usb-0:1", None)), false),
        (Port::Usb(usb("usb-0:1", Some("0001"))), false),
        (Port::Named("/dev/ttyAMA0".into()), false),
        (Port::Simulated(3), false),
    ] {
        let here = ids(std::slice::from_ref(&port), &HOST);
        assert_eq!(here == ids(std::slice::from_ref(&port), &other), same, "{port:?}");
    }
}

#[test]
fn ttys_of_one_device_have_their_own_ids() {
    let first = usb("usb-0:1", Some("AH03F1X2"));
    let second = UsbPort { interface: 1, ..first.clone() };
    let third = UsbPort { port_number: Some(1), ..first.clone() };
    let ids = ids(&[Port::Usb(first), Port::Usb(second), Port::Usb(third)], &HOST);
    assert!(ids.iter().all(|(rung, _)| *rung == Rung::Serial));
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
}

#[test]
fn a_unique_serial_number_keeps_its_id_in_any_port() {
    let mut bench = Bench::default();
    bench.plug("usb-0:1", "AH03F1X2");
    let before = bench.scan()["usb-0:1"].id;
    bench.unplug("usb-0:1");
    bench.scan();
    bench.plug("usb-0:4.2", "AH03F1X2");
    assert_eq!(bench.scan()["usb-0:4.2"].id, before);
    assert_eq!(bench.stored.values().next().unwrap().last_path, "usb-0:4.2");
}

#[test]
fn of_twins_the_first_keeps_the_serial_numbers_id_and_the_other_keeps_its_ports_id_even_alone() {
    let mut bench = Bench::default();
    bench.plug("usb-0:2", "AH03F1X2");
    let first = bench.scan()["usb-0:2"].id;
    bench.plug("usb-0:1", "AH03F1X2");
    let both = bench.scan();
    assert_eq!(both["usb-0:2"].id, first);
    assert_eq!((both["usb-0:1"].rung, both["usb-0:2"].rung), (Rung::Path, Rung::Serial));
    assert!(both["usb-0:1"].warning.as_ref().unwrap().contains("same serial number AH03F1X2"));
    bench.unplug("usb-0:2");
    assert_eq!(bench.scan()["usb-0:1"], both["usb-0:1"]);
}

#[test]
fn a_stored_override_wins_unless_another_board_has_that_id() {
    let ports = [Port::Simulated(0), Port::Simulated(1)];
    let [first, second] = [0, 1].map(|index| simulated_id(index, &HOST));
    let chosen = Uuid::from_u128(42);
    let with = |overrides| assign(&ports, &Told::default(), &BTreeMap::new(), &overrides, &HOST).assignments;

    let boards = with(BTreeMap::from([(first, chosen)]));
    assert_eq!((boards[0].id, boards[0].natural_id, boards[1].id), (chosen, first, second));
    let boards = with(BTreeMap::from([(first, second)]));
    assert_eq!((boards[0].id, boards[1].id), (first, second));
    assert!(boards[0].warning.is_some());
}

#[test]
fn labels_name_the_product_or_the_port() {
    let id = uuid!("e65e4cdb-b821-4af8-b5e5-33a59cdb665d");
    let product = |name: &str| Port::Usb(UsbPort { product: Some(name.to_owned()), ..usb("p", None) });
    assert_eq!(default_label(&product("Arduino Uno"), id), "Arduino Uno 665d");
    assert_eq!(default_label(&product("\u{7}Evil\n  <b>\u{0}"), id), "Evil <b> 665d");
    assert_eq!(default_label(&Port::Usb(usb("p", None)), id), "CH340 serial chip 665d");
    assert_eq!(default_label(&Port::Named("/dev/pts/7".into()), id), "pts/7 665d");
    assert_eq!(default_label(&Port::Simulated(0), id), "Simulated board 1 665d");
    assert!(default_label(&product(&"x".repeat(500)), id).chars().count() <= 64);
}

const PATHS: [&str; 4] = ["usb-0:1", "usb-0:2", "usb-0:3.1", "usb-0:3.2"];

proptest! {
    /// Plugs and unplugs boards of two serial numbers at random; the bridge may restart at each step, which is why
    /// everything goes through the stored memory.
    #[test]
    fn twins_never_share_or_swap_ids(
        steps in proptest::collection::vec((0..PATHS.len(), prop_oneof![Just(None), Just(Some("TWIN1A")), Just(Some("OTHER7"))]), 1..40)
    ) {
        let mut bench = Bench::default();
        let mut fixed: BTreeMap<(String, &str), Uuid> = BTreeMap::new();
        for (slot, serial) in steps {
            match serial {
                Some(serial) => bench.plug(PATHS[slot], serial),
                None => bench.unplug(PATHS[slot]),
            }
            let mut reversed = bench.ports();
            reversed.reverse();
            let backwards = assign(&reversed, &Told::default(), &bench.stored, &BTreeMap::new(), &HOST);
            let found = bench.scan();

            let unique: std::collections::BTreeSet<Uuid> = found.values().map(|a| a.id).collect();
            prop_assert_eq!(unique.len(), found.len(), "two boards share an id");
            let mut backwards = backwards.assignments;
            backwards.reverse();
            prop_assert_eq!(&backwards, &found.values().cloned().collect::<Vec<_>>(), "the order of ports mattered");

            for (path, serial) in &bench.plugged {
                let key = serial_key(&usb(path, Some(serial))).unwrap();
                if bench.stored[&key].shared {
                    let id = *fixed.entry((path.clone(), serial)).or_insert(found[path].id);
                    prop_assert_eq!(id, found[path].id, "a twin's id moved");
                }
            }
        }
    }
}

mod told {
    use super::super::told::{is_storable, last_told, stored_key};
    use super::*;

    const STORED: Uuid = uuid!("0f9a3c56-5d1e-4f0a-9b1c-2d3e4f506172");

    /// Boards without a serial number, by USB port, and the ids that some have told.
    #[derive(Default)]
    struct Desk {
        plugged: BTreeMap<&'static str, Option<Uuid>>,
        stored: BTreeMap<String, SerialMemory>,
        overrides: BTreeMap<Uuid, Uuid>,
        /// Whether those that have told nothing may still do so.
        booting: bool,
    }

    impl Desk {
        fn natural(path: &str) -> Uuid {
            path_id(&usb(path, None), &HOST)
        }

        fn scan(&mut self) -> Vec<Assignment> {
            let ports: Vec<Port> = self.plugged.keys().map(|path| Port::Usb(usb(path, None))).collect();
            let ids = self.plugged.iter().filter_map(|(path, id)| Some((Desk::natural(path), (*id)?))).collect();
            let silent = self.plugged.iter().filter(|(_, id)| self.booting && id.is_none());
            let told = Told { ids, awaited: silent.map(|(path, _)| Desk::natural(path)).collect() };
            let assigned = assign(&ports, &told, &self.stored, &self.overrides, &HOST);
            self.stored.extend(assigned.changes);
            assigned.assignments
        }

        fn ids(&mut self) -> Vec<(Rung, Uuid)> {
            self.scan().iter().map(|assignment| (assignment.rung, assignment.id)).collect()
        }
    }

    #[test]
    fn a_stored_id_follows_its_board_and_is_remembered_with_its_place() {
        let mut desk = Desk::default();
        desk.plugged.insert("usb-0:1", None);
        assert_eq!(desk.ids(), [(Rung::Path, Desk::natural("usb-0:1"))]);
        desk.plugged.insert("usb-0:1", Some(STORED));
        assert_eq!(desk.ids(), [(Rung::OnBoard, STORED)]);
        assert_eq!(last_told(&desk.stored, Desk::natural("usb-0:1")), [STORED]);
        desk.plugged = BTreeMap::from([("usb-0:3.2", Some(STORED))]);
        assert_eq!(desk.ids(), [(Rung::OnBoard, STORED)]);
        assert!(last_told(&desk.stored, Desk::natural("usb-0:1")).is_empty());
    }

    #[test]
    fn of_clones_the_first_keeps_the_id_for_ever_and_the_other_is_told_what_to_type() {
        let mut desk = Desk::default();
        desk.plugged.insert("usb-0:2", Some(STORED));
        desk.scan();
        desk.plugged.insert("usb-0:1", Some(STORED));
        let both = desk.scan();
        let other = Desk::natural("usb-0:1");
        assert_eq!(both.iter().map(|it| it.id).collect::<Vec<_>>(), [other, STORED]);
        let warning = both[0].warning.as_ref().unwrap();
        assert!(warning.contains(&format!("microflo-bridge id {other} --on-board new")), "{warning}");
        desk.plugged.remove("usb-0:2");
        assert_eq!(desk.ids(), [(Rung::Path, other)], "also alone");
        desk.plugged.insert("usb-0:2", Some(STORED));
        desk.plugged.insert("usb-0:1", Some(uuid!("7d444840-9dc0-41d1-b245-5ffdce74fad2")));
        assert_eq!(desk.ids()[1], (Rung::OnBoard, STORED), "the other one has an id of its own now");
    }

    #[test]
    fn an_id_waits_for_the_board_that_had_it_and_goes_to_another_when_that_one_says_otherwise() {
        let mut desk = Desk::default();
        desk.plugged.insert("usb-0:1", Some(STORED));
        desk.scan();
        desk.plugged = BTreeMap::from([("usb-0:1", None), ("usb-0:2", Some(STORED))]);
        desk.booting = true;
        let waiting = desk.scan();
        assert_eq!(waiting[1].id, Desk::natural("usb-0:2"));
        let warning = waiting[1].warning.as_ref().unwrap();
        assert!(warning.contains("has not answered yet") && !warning.contains("on-board new"), "{warning}");
        desk.booting = false;
        let moved = desk.scan();
        assert_eq!((moved[1].id, &moved[1].warning), (STORED, &None), "the board has moved to another port");
    }

    #[test]
    fn nobody_takes_the_id_that_another_port_has() {
        let mut desk = Desk::default();
        desk.plugged.insert("usb-0:1", None);
        desk.plugged.insert("usb-0:2", Some(Desk::natural("usb-0:1")));
        let boards = desk.scan();
        assert_eq!([boards[0].id, boards[1].id], [Desk::natural("usb-0:1"), Desk::natural("usb-0:2")]);
        assert!(boards[1].warning.is_some());
    }

    #[test]
    fn an_override_wins_over_the_board() {
        let chosen = uuid!("7d444840-9dc0-41d1-b245-5ffdce74fad2");
        let mut desk = Desk::default();
        desk.plugged.insert("usb-0:1", Some(STORED));
        desk.overrides.insert(Desk::natural("usb-0:1"), chosen);
        assert_eq!(desk.ids()[0].1, chosen);
    }

    #[test]
    fn only_version_4_is_an_id() {
        assert!(is_storable(STORED));
        for wrong in [Uuid::nil(), Uuid::max(), uuid!("0f9a3c56-5d1e-1f0a-9b1c-2d3e4f506172")] {
            assert!(!is_storable(wrong), "{wrong}");
        }
        assert!(stored_key(STORED).starts_with("on-board:"));
    }

    proptest! {
        /// One of them had the id before the others came. Then the bridge starts, and all answer, each in its time.
        #[test]
        fn after_a_start_the_id_is_the_first_ones_whoever_answers_first(
            order in Just((0..PATHS.len()).collect::<Vec<_>>()).prop_shuffle(),
            first in 0..PATHS.len(),
            were_seen in any::<bool>(),
        ) {
            let mut desk = Desk { booting: true, ..Desk::default() };
            desk.plugged.insert(PATHS[first], Some(STORED));
            desk.scan();
            if were_seen {
                desk.plugged.extend(PATHS.map(|path| (path, Some(STORED))));
                desk.scan();
            }
            desk.plugged.extend(PATHS.map(|path| (path, None)));
            for answers in order {
                desk.plugged.insert(PATHS[answers], Some(STORED));
                let found = desk.scan();
                for (path, assignment) in desk.plugged.keys().zip(&found) {
                    let entitled = *path == PATHS[first] && desk.plugged[path].is_some();
                    let expected = if entitled { STORED } else { Desk::natural(path) };
                    prop_assert_eq!(assignment.id, expected, "{}", path);
                }
            }
        }

        /// Clones of two ids are plugged and unplugged at random; the bridge may restart at each step.
        #[test]
        fn clones_never_share_or_swap_ids(
            steps in proptest::collection::vec((0..PATHS.len(), 0..3_usize), 1..40)
        ) {
            let marks = [STORED, uuid!("7d444840-9dc0-41d1-b245-5ffdce74fad2")];
            let mut desk = Desk::default();
            let mut fixed: BTreeMap<(&str, Uuid), Uuid> = BTreeMap::new();
            for (slot, mark) in steps {
                match marks.get(mark) {
                    Some(id) => drop(desk.plugged.insert(PATHS[slot], Some(*id))),
                    None => drop(desk.plugged.remove(PATHS[slot])),
                }
                let found = desk.scan();
                let unique: std::collections::BTreeSet<Uuid> = found.iter().map(|a| a.id).collect();
                prop_assert_eq!(unique.len(), found.len(), "two boards share an id");
                for ((path, mark), assignment) in desk.plugged.iter().zip(&found) {
                    let mark = mark.unwrap();
                    if desk.stored[&stored_key(mark)].shared {
                        let id = *fixed.entry((path, mark)).or_insert(assignment.id);
                        prop_assert_eq!(id, assignment.id, "a clone's id moved");
                    }
                }
            }
        }
    }
}
