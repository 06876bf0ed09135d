//! How things stand, for people.

use super::{Board, Registration, Remote};

impl Registration {
    /// How things stand and what remains to be done, in words.
    pub fn detail(&self) -> String {
        let away = matches!(self.board, Board::AwaySince { .. });
        match (&self.remote, &self.error) {
            (Remote::Foreign, _) if !self.can_delete => {
                "another host holds this board's record, with another secret: give the bridge a token for this registry, \
                 or delete the record there"
                    .to_owned()
            }
            (Remote::Foreign, Some(error)) => {
                format!("another host holds this board's record, with another secret, and it cannot be replaced: {error}")
            }
            (Remote::Holds(_), Some(error)) => format!("registered, but the last attempt failed: {error}"),
            (_, Some(error)) => format!("{error}; the bridge keeps trying"),
            (Remote::Holds(_), None) if !self.can_delete => {
                "registered; without a token for this registry the bridge cannot delete it when the board goes".to_owned()
            }
            (Remote::Holds(_), None) if away => "registered; will be deleted unless the board comes back".to_owned(),
            (Remote::Holds(_), None) => "registered".to_owned(),
            (_, None) if away => "being deleted".to_owned(),
            (_, None) if self.board == Board::Starting => "waits until the board is ready".to_owned(),
            (_, None) => "being registered".to_owned(),
        }
    }
}
