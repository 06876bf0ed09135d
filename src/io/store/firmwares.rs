//! Firmware builds that the user has added, and which boards have them.

use super::{Store, StoreError};
use crate::pure::firmwares::Subject;

/// A build as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirmwareRecord {
    /// Its name, unique.
    pub name: String,
    /// Its component map, JSON.
    pub components: String,
    /// Its embedded graph, JSON.
    pub graph: Option<String>,
}

impl Store {
    /// Every build.
    pub async fn firmwares(&self) -> Result<Vec<FirmwareRecord>, StoreError> {
        let rows: Vec<(String, String, Option<String>)> =
            sqlx::query_as("SELECT name, components, graph FROM firmwares ORDER BY name")
                .fetch_all(&self.database.durable)
                .await?;
        Ok(rows.into_iter().map(|(name, components, graph)| FirmwareRecord { name, components, graph }).collect())
    }

    /// Which boards have which build.
    pub async fn firmware_rules(&self) -> Result<Vec<(Subject, String)>, StoreError> {
        let rows: Vec<(String, String)> =
            sqlx::query_as("SELECT subject, firmware FROM firmware_rules").fetch_all(&self.database.durable).await?;
        let rule = |(subject, firmware): (String, String)| {
            Ok((subject.parse().map_err(|_| StoreError::Damaged("firmware rule"))?, firmware))
        };
        rows.into_iter().map(rule).collect()
    }

    /// Adds a build, or puts it in place of the one of that name, for those boards besides the ones it had.
    pub async fn save_firmware(&self, firmware: &FirmwareRecord, subjects: &[Subject]) -> Result<(), StoreError> {
        let mut transaction = super::database::Database::begin(&self.database.durable).await?;
        sqlx::query(
            "INSERT INTO firmwares (name, components, graph) VALUES (?, ?, ?)
             ON CONFLICT (name) DO UPDATE SET components = excluded.components, graph = excluded.graph",
        )
        .bind(&firmware.name)
        .bind(&firmware.components)
        .bind(&firmware.graph)
        .execute(&mut *transaction)
        .await?;
        for subject in subjects {
            sqlx::query(
                "INSERT INTO firmware_rules (subject, firmware) VALUES (?, ?)
                 ON CONFLICT (subject) DO UPDATE SET firmware = excluded.firmware",
            )
            .bind(subject.to_string())
            .bind(&firmware.name)
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Removes a build and its rules. False if there is none of that name.
    pub async fn remove_firmware(&self, name: &str) -> Result<bool, StoreError> {
        let gone =
            sqlx::query("DELETE FROM firmwares WHERE name = ?").bind(name).execute(&self.database.durable).await?;
        Ok(gone.rows_affected() > 0)
    }
}
