//! Which ports are opened: known boards at once, generic chips after a yes, nothing else.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::families::{Family, Kind, classify};
use super::port::UsbPort;

/// What to do with generic chips that nobody has answered for yet: the setting `generic`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum GenericPolicy {
    /// Show them, and open after `allow`.
    #[default]
    Ask,
    /// Open them all.
    Open,
    /// Leave them alone.
    Never,
}

impl GenericPolicy {
    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            GenericPolicy::Ask => "ask",
            GenericPolicy::Open => "open",
            GenericPolicy::Never => "never",
        }
    }
}

/// What the user has said: yes or no, to a board or to every device of a VID:PID. The answer for the board wins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// By the id that a board has before it has said anything.
    pub boards: BTreeMap<Uuid, bool>,
    /// By VID and PID.
    pub chips: BTreeMap<(u16, u16), bool>,
}

impl Answers {
    fn for_port(&self, usb: &UsbPort, id: Uuid) -> Option<bool> {
        self.boards.get(&id).or_else(|| self.chips.get(&(usb.vid, usb.pid))).copied()
    }
}

/// Whether a port may be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Yes, and this is how to treat it.
    Open(Family),
    /// Not before somebody says yes: shown as `not-allowed`.
    Ask {
        /// Why, and which command says yes.
        reason: String,
    },
    /// Somebody, or the setting, said no: shown as `ignored`.
    Ignored {
        /// Why, and which command says yes.
        reason: String,
    },
    /// A board that waits to be flashed: never opened; it comes back under another USB id.
    Bootloader {
        /// What it is.
        reason: String,
    },
    /// Not a board as far as anybody knows: neither opened nor shown.
    NotOurs,
}

/// Decides for one port; `id` is the id that identity gives it before it has said anything.
pub fn admission(usb: &UsbPort, id: Uuid, generic: GenericPolicy, answers: &Answers) -> Admission {
    let device = usb.device.display();
    let kind = classify(usb.vid, usb.pid);
    match (kind, answers.for_port(usb, id)) {
        (Kind::Bootloader(family), _) => Admission::Bootloader {
            reason: format!("{} in its bootloader: it is left alone while it is flashed", family.name),
        },
        (_, Some(false)) => {
            Admission::Ignored { reason: format!("you said no to it; to use it: microflo-bridge allow {device}") }
        }
        (Kind::Known(family) | Kind::Generic(family), Some(true)) | (Kind::Known(family), None) => {
            Admission::Open(family)
        }
        (Kind::Unknown, Some(true)) => Admission::Open(Family::UNLISTED),
        (Kind::Unknown, None) => Admission::NotOurs,
        (Kind::Generic(family), None) => unanswered(usb, family, generic),
    }
}

/// A generic chip that nobody has answered for.
fn unanswered(usb: &UsbPort, family: Family, generic: GenericPolicy) -> Admission {
    let (device, name) = (usb.device.display(), family.name);
    match generic {
        GenericPolicy::Open => Admission::Open(family),
        GenericPolicy::Ask => Admission::Ask {
            reason: format!(
                "{name}, which many products use; opening it may reset what is behind it. If that is your board: \
                 microflo-bridge allow {device} (add --chip for every {name} on this host)"
            ),
        },
        GenericPolicy::Never => Admission::Ignored {
            reason: format!(
                "{name}: the setting generic = \"never\" leaves such chips alone; to use this one: \
                 microflo-bridge allow {device}"
            ),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: Uuid = Uuid::from_u128(1);

    fn port(vid: u16, pid: u16) -> UsbPort {
        UsbPort {
            device: "/dev/ttyUSB0".into(),
            vid,
            pid,
            serial: None,
            manufacturer: None,
            product: None,
            interface: 0,
            port_number: None,
            path: "usb-0:1".into(),
            plugging: "1/2".into(),
        }
    }

    fn uno() -> UsbPort {
        port(0x2341, 0x0043)
    }

    fn ch340() -> UsbPort {
        port(0x1a86, 0x7523)
    }

    fn stranger() -> UsbPort {
        port(0x1234, 0x5678)
    }

    fn board(answer: bool) -> Answers {
        Answers { boards: BTreeMap::from([(ID, answer)]), ..Answers::default() }
    }

    fn ask(usb: &UsbPort, answers: &Answers) -> Admission {
        admission(usb, ID, GenericPolicy::Ask, answers)
    }

    #[test]
    fn known_boards_are_opened_and_strangers_are_not_ours() {
        assert!(matches!(ask(&uno(), &Answers::default()), Admission::Open(family) if family.name == "Arduino Uno"));
        assert_eq!(ask(&stranger(), &Answers::default()), Admission::NotOurs);
        assert_eq!(ask(&stranger(), &board(true)), Admission::Open(Family::UNLISTED));
    }

    #[test]
    fn a_generic_chip_waits_for_a_yes_and_says_how_to_give_it() {
        let Admission::Ask { reason } = ask(&ch340(), &Answers::default()) else { panic!("not asked") };
        assert!(reason.contains("CH340") && reason.contains("microflo-bridge allow /dev/ttyUSB0"), "{reason}");
        assert!(matches!(ask(&ch340(), &board(true)), Admission::Open(_)));
        let chip = Answers { chips: BTreeMap::from([((0x1a86, 0x7523), true)]), ..Answers::default() };
        assert!(matches!(ask(&ch340(), &chip), Admission::Open(_)));
    }

    #[test]
    fn the_setting_decides_what_nobody_answered() {
        let none = Answers::default();
        assert!(matches!(admission(&ch340(), ID, GenericPolicy::Open, &none), Admission::Open(_)));
        assert!(matches!(admission(&ch340(), ID, GenericPolicy::Never, &none), Admission::Ignored { .. }));
        assert!(matches!(admission(&ch340(), ID, GenericPolicy::Never, &board(true)), Admission::Open(_)));
        assert!(matches!(admission(&uno(), ID, GenericPolicy::Never, &none), Admission::Open(_)));
    }

    #[test]
    fn a_no_holds_for_boards_too_and_the_boards_own_answer_wins() {
        assert!(matches!(ask(&uno(), &board(false)), Admission::Ignored { .. }));
        let mut answers = board(false);
        answers.chips.insert((0x1a86, 0x7523), true);
        assert!(matches!(ask(&ch340(), &answers), Admission::Ignored { .. }));
    }

    #[test]
    fn a_bootloader_is_never_opened() {
        for answers in [Answers::default(), board(true)] {
            let found = admission(&port(0x2341, 0x0036), ID, GenericPolicy::Open, &answers);
            assert!(matches!(found, Admission::Bootloader { .. }));
        }
    }
}
