//! Answers to "is this generic chip a MicroFlo board?"

use std::collections::HashMap;

use uuid::Uuid;

use super::{Store, StoreError};

/// What a user said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Open it.
    Allow,
    /// Leave it alone.
    Ignore,
}

/// A USB chip's vendor and product id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Chip {
    /// Vendor id.
    pub vid: u16,
    /// Product id.
    pub pid: u16,
}

/// All answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Admissions {
    /// For single boards. They go before those for chips.
    pub boards: HashMap<Uuid, Answer>,
    /// For every device of a chip on this host.
    pub chips: HashMap<Chip, Answer>,
}

impl Store {
    /// All answers ever given.
    pub async fn load_admissions(&self) -> Result<Admissions, StoreError> {
        let rows: Vec<(String, String)> =
            sqlx::query_as("SELECT subject, answer FROM admissions").fetch_all(&self.database.durable).await?;
        let mut all = Admissions::default();
        for (subject, answer) in rows {
            let answer = if answer == "allow" { Answer::Allow } else { Answer::Ignore };
            match parse(&subject).ok_or(StoreError::Damaged("answer about a board"))? {
                Subject::Board(id) => all.boards.insert(id, answer),
                Subject::Chip(chip) => all.chips.insert(chip, answer),
            };
        }
        Ok(all)
    }

    /// Remembers the answer for one board.
    pub async fn admit_board(&self, id: Uuid, answer: Answer) -> Result<(), StoreError> {
        self.save_admission(format!("board:{id}"), answer).await
    }

    /// Remembers the answer for every device of a chip.
    pub async fn admit_chip(&self, chip: Chip, answer: Answer) -> Result<(), StoreError> {
        self.save_admission(format!("chip:{:04x}:{:04x}", chip.vid, chip.pid), answer).await
    }

    async fn save_admission(&self, subject: String, answer: Answer) -> Result<(), StoreError> {
        let answer = match answer {
            Answer::Allow => "allow",
            Answer::Ignore => "ignore",
        };
        sqlx::query(
            "INSERT INTO admissions (subject, answer) VALUES (?, ?)
             ON CONFLICT (subject) DO UPDATE SET answer = excluded.answer",
        )
        .bind(subject)
        .bind(answer)
        .execute(&self.database.durable)
        .await?;
        Ok(())
    }
}

enum Subject {
    Board(Uuid),
    Chip(Chip),
}

fn parse(subject: &str) -> Option<Subject> {
    if let Some(id) = subject.strip_prefix("board:") {
        return Uuid::parse_str(id).ok().map(Subject::Board);
    }
    let (vid, pid) = subject.strip_prefix("chip:")?.split_once(':')?;
    let hex = |text| u16::from_str_radix(text, 16).ok();
    Some(Subject::Chip(Chip { vid: hex(vid)?, pid: hex(pid)? }))
}
