//! Firmware builds that the user has added, and which boards have them.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use super::model::build::Build;
use super::port::Port;

/// The longest name of a build, in characters.
pub const NAME_CHARS: usize = 64;

/// Which boards have a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// One board.
    Board(Uuid),
    /// Every board with this USB vendor and product id.
    Chip(u16, u16),
    /// Every board that nothing else is known of.
    Default,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Board(id) => write!(f, "board:{id}"),
            Subject::Chip(vid, pid) => write!(f, "chip:{vid:04x}:{pid:04x}"),
            Subject::Default => f.write_str("default"),
        }
    }
}

/// A text that names no boards.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no boards; write board:ID, chip:VID:PID (four hexadecimal digits each) or default")]
pub struct NoSubject(String);

impl FromStr for Subject {
    type Err = NoSubject;

    fn from_str(text: &str) -> Result<Self, NoSubject> {
        let wrong = || NoSubject(text.chars().take(NAME_CHARS).collect());
        let hex = |digits: &str| u16::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 4);
        match text.split_once(':') {
            None if text == "default" => Ok(Subject::Default),
            Some(("board", id)) => Uuid::try_parse(id).map(Subject::Board).map_err(|_| wrong()),
            Some(("chip", chip)) => {
                let (vid, pid) = chip.split_once(':').ok_or_else(wrong)?;
                Ok(Subject::Chip(hex(vid).ok_or_else(wrong)?, hex(pid).ok_or_else(wrong)?))
            }
            _ => Err(wrong()),
        }
    }
}

/// All builds that were added.
#[derive(Clone, Debug, Default)]
pub struct Firmwares {
    builds: BTreeMap<String, Build>,
    rules: BTreeMap<Subject, String>,
}

impl Firmwares {
    /// Adds a build, or puts it in place of the one of that name, for those boards besides the ones it had.
    pub fn add(&mut self, name: &str, build: Build, subjects: impl IntoIterator<Item = Subject>) {
        self.builds.insert(name.to_owned(), build);
        self.rules.extend(subjects.into_iter().map(|subject| (subject, name.to_owned())));
    }

    /// From now on those boards have the build of that name.
    pub fn assign(&mut self, subject: Subject, name: &str) {
        self.rules.insert(subject, name.to_owned());
    }

    /// Removes a build and its rules. False if there is none of that name.
    pub fn remove(&mut self, name: &str) -> bool {
        self.rules.retain(|_, of| of != name);
        self.builds.remove(name).is_some()
    }

    /// The build of that name.
    pub fn get(&self, name: &str) -> Option<&Build> {
        self.builds.get(name)
    }

    /// Every build by name, with the boards that have it.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Build, Vec<Subject>)> {
        self.builds.iter().map(|(name, build)| {
            let subjects = self.rules.iter().filter(|(_, of)| *of == name).map(|(subject, _)| *subject);
            (name.as_str(), build, subjects.collect())
        })
    }

    /// The build that was added for a board: its own before its chip's.
    pub fn of(&self, id: Uuid, port: &Port) -> Option<&Build> {
        let chip = match port {
            Port::Usb(usb) => Some(Subject::Chip(usb.vid, usb.pid)),
            Port::Named(_) | Port::Simulated(_) => None,
        };
        let subjects = [Some(Subject::Board(id)), chip];
        let name = subjects.into_iter().flatten().find_map(|subject| self.rules.get(&subject))?;
        self.builds.get(name)
    }

    /// The build of boards that nothing else is known of.
    pub fn of_all_others(&self) -> Option<&Build> {
        self.builds.get(self.rules.get(&Subject::Default)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pure::model::library::Library;

    fn build(origin: &str) -> Build {
        Build::of(Library::from_json(r#"{"components":{}}"#).unwrap(), origin)
    }

    #[test]
    fn subjects_are_written_as_they_are_read() {
        for subject in [Subject::Board(Uuid::from_u128(7)), Subject::Chip(0x2341, 0x43), Subject::Default] {
            assert_eq!(subject.to_string().parse(), Ok(subject));
        }
        for wrong in ["", "board", "board:x", "chip:2341", "chip:2341:43", "chip:2341:004g", "all"] {
            assert!(wrong.parse::<Subject>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_build_is_added_for_a_board_or_for_all_that_nothing_else_is_known_of() {
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut firmwares = Firmwares::default();
        firmwares.add("blink", build("blink"), [Subject::Default]);
        firmwares.add("door", build("door"), [Subject::Board(one)]);
        let port = Port::Simulated(0);
        assert_eq!(firmwares.of(one, &port).unwrap().origin, "door");
        assert!(firmwares.of(other, &port).is_none());
        assert_eq!(firmwares.of_all_others().unwrap().origin, "blink");
        assert!(firmwares.remove("blink"));
        assert!(firmwares.of_all_others().is_none());
        assert!(!firmwares.remove("blink"));
    }
}
