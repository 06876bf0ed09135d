//! Answers to "is this generic chip a MicroFlo board?"

use uuid::Uuid;

use super::{Store, StoreError, parse_id};
use crate::pure::admission::Answers;

impl Store {
    /// All answers ever given.
    pub async fn load_answers(&self) -> Result<Answers, StoreError> {
        let rows: Vec<(String, bool)> = sqlx::query_as("SELECT subject, answer = 'allow' FROM admissions")
            .fetch_all(&self.database.durable)
            .await?;
        let mut all = Answers::default();
        for (subject, allow) in rows {
            if let Some(id) = subject.strip_prefix("board:") {
                all.boards.insert(parse_id(id)?, allow);
            } else {
                let chip = parse_chip(&subject).ok_or(StoreError::Damaged("answer about a chip"))?;
                all.chips.insert(chip, allow);
            }
        }
        Ok(all)
    }

    /// Remembers yes or no to one board.
    pub async fn save_board_answer(&self, id: Uuid, allow: bool) -> Result<(), StoreError> {
        self.save_answer(format!("board:{id}"), allow).await
    }

    /// Remembers yes or no to every device of a chip.
    pub async fn save_chip_answer(&self, vid: u16, pid: u16, allow: bool) -> Result<(), StoreError> {
        self.save_answer(format!("chip:{vid:04x}:{pid:04x}"), allow).await
    }

    async fn save_answer(&self, subject: String, allow: bool) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO admissions (subject, answer) VALUES (?, ?)
             ON CONFLICT (subject) DO UPDATE SET answer = excluded.answer",
        )
        .bind(subject)
        .bind(if allow { "allow" } else { "ignore" })
        .execute(&self.database.durable)
        .await?;
        Ok(())
    }
}

fn parse_chip(subject: &str) -> Option<(u16, u16)> {
    let (vid, pid) = subject.strip_prefix("chip:")?.split_once(':')?;
    let hex = |text| u16::from_str_radix(text, 16).ok();
    Some((hex(vid)?, hex(pid)?))
}
