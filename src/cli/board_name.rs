//! BOARD on the command line: a label, an id or the beginning of one, or a device path.

use std::fmt;
use std::path::Path;

use crate::http::board_json::BoardJson;
use crate::pure::view::BoardState;

use super::screen::plain;

/// Why a name is no board's.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NameError {
    #[error("there is no board `{name}`, and no other; plug one in, or see `microflo-bridge list --all`")]
    NoBoards { name: String },
    #[error("there is no board `{name}`; there {}", Candidates(boards))]
    Unknown { name: String, boards: Vec<Candidate> },
    #[error("`{name}` could be several boards; use more of the id: there {}", Candidates(boards))]
    Ambiguous { name: String, boards: Vec<Candidate> },
}

/// A board that may have been meant.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    id: String,
    label: String,
    device: Option<String>,
}

struct Candidates<'a>(&'a [Candidate]);

impl fmt::Display for Candidates<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.len() == 1 { "is " } else { "are " })?;
        for (n, board) in self.0.iter().enumerate() {
            let separator = if n == 0 { "" } else { ", " };
            write!(f, "{separator}`{}` ({}", plain(&board.label), board.id)?;
            match &board.device {
                Some(device) => write!(f, " at {})", plain(device))?,
                None => f.write_str(")")?,
            }
        }
        Ok(())
    }
}

impl From<&BoardJson> for Candidate {
    fn from(board: &BoardJson) -> Self {
        Candidate { id: board.id.to_string(), label: board.label.clone(), device: board.device.clone() }
    }
}

/// The board of that name: by id, else by label, else by device path, else by the beginning of its id.
///
/// A board that is there wins over a gone one of the same name. `same_file` tells whether two paths are one device, so that
/// a link from /dev/serial/by-id is as good as what it points to.
pub(super) fn resolve<'a>(
    boards: &'a [BoardJson],
    name: &str,
    same_file: impl Fn(&Path, &Path) -> bool,
) -> Result<&'a BoardJson, NameError> {
    let lower = name.to_lowercase();
    let is_device = |device: &String| device == name || same_file(Path::new(device), Path::new(name));
    let rules: [&dyn Fn(&BoardJson) -> bool; 5] = [
        &|board| board.id.to_string() == lower,
        &|board| board.label == name,
        &|board| board.label.to_lowercase() == lower,
        &|board| board.device.as_ref().is_some_and(is_device),
        &|board| !name.is_empty() && board.id.to_string().starts_with(&lower),
    ];
    let name = name.to_owned();
    for rule in rules {
        let fitting: Vec<_> = boards.iter().filter(|board| rule(board)).collect();
        let present: Vec<_> = fitting.iter().copied().filter(|board| board.state != BoardState::Gone).collect();
        match if present.is_empty() { fitting } else { present }.as_slice() {
            [] => {}
            [board] => return Ok(board),
            several => {
                return Err(NameError::Ambiguous { name, boards: several.iter().map(|&b| b.into()).collect() });
            }
        }
    }
    if boards.is_empty() {
        return Err(NameError::NoBoards { name });
    }
    Err(NameError::Unknown { name, boards: boards.iter().map(Candidate::from).collect() })
}

/// Whether two paths lead to the same file.
pub(super) fn same_file(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::cli::fixtures;

    fn board(id: u128, label: &str, device: Option<&str>, state: BoardState) -> BoardJson {
        BoardJson { device: device.map(Into::into), state, ..fixtures::board(id, label) }
    }

    const A: u128 = 0xabc1_0000_0000_4000_8000_0000_0000_0001;
    const B: u128 = 0xabc2_0000_0000_4000_8000_0000_0000_0002;
    const C: u128 = 0x1111_0000_0000_4000_8000_0000_0000_0003;

    fn boards() -> Vec<BoardJson> {
        vec![
            board(A, "Door", Some("/dev/ttyACM0"), BoardState::Ready),
            board(B, "Blink", Some("/dev/ttyACM1"), BoardState::Busy),
            board(C, "Blink", Some("/dev/ttyUSB0"), BoardState::Gone),
        ]
    }

    fn find(name: &str) -> Result<u128, NameError> {
        let link = |device: &Path, name: &Path| device == "/dev/ttyACM0" && name == "/dev/serial/by-id/door";
        resolve(&boards(), name, link).map(|board| board.id.as_u128())
    }

    #[test]
    fn a_board_is_found_by_label_id_prefix_and_device() {
        assert_eq!(find("Door"), Ok(A));
        assert_eq!(find("door"), Ok(A));
        assert_eq!(find(&Uuid::from_u128(B).to_string()), Ok(B));
        assert_eq!(find("ABC2"), Ok(B));
        assert_eq!(find("/dev/ttyACM1"), Ok(B));
        assert_eq!(find("/dev/serial/by-id/door"), Ok(A));
    }

    #[test]
    fn a_board_that_is_there_wins_over_a_gone_one_which_is_found_by_its_id() {
        assert_eq!(find("Blink"), Ok(B));
        assert_eq!(find("1111"), Ok(C));
    }

    #[test]
    fn an_ambiguous_name_lists_those_it_could_be() {
        let text = find("abc").unwrap_err().to_string();
        assert!(text.contains("`Door` (abc1") && text.contains("`Blink` (abc2") && !text.contains("1111"), "{text}");
    }

    #[test]
    fn an_unknown_name_lists_all_and_an_empty_one_is_unknown() {
        let text = find("Dor").unwrap_err().to_string();
        assert!(text.contains("no board `Dor`") && text.contains("/dev/ttyUSB0"), "{text}");
        assert!(matches!(find(""), Err(NameError::Unknown { .. })));
        let none = resolve(&[], "x", |_, _| false).unwrap_err();
        assert_eq!(none, NameError::NoBoards { name: "x".into() });
    }
}
