//! Firmware builds that are added and removed while boards run.

use super::Supervisor;
use crate::actors::board::Command;
use crate::actors::directory::{DirectoryError, FirmwareView};
use crate::io::store::FirmwareRecord;
use crate::pure::firmwares::{NAME_CHARS, Subject};
use crate::pure::model::build::Build;

impl Supervisor {
    pub(super) fn firmwares(&self) -> Vec<FirmwareView> {
        let view = |(name, build, subjects): (&str, &Build, Vec<Subject>)| FirmwareView {
            name: name.to_owned(),
            components: build.library.components().len(),
            graph: build.graph.is_some(),
            subjects,
        };
        self.memory.firmwares.iter().map(view).collect()
    }

    pub(super) async fn add_firmware(
        &mut self,
        firmware: FirmwareRecord,
        subjects: Vec<Subject>,
    ) -> Result<FirmwareView, DirectoryError> {
        let name = firmware.name.clone();
        if !(1..=NAME_CHARS).contains(&name.chars().count()) || name.chars().any(char::is_control) {
            let text = format!("a firmware's name has 1 to {NAME_CHARS} characters on one line");
            return Err(DirectoryError::Invalid(text));
        }
        let build = Build::read(&firmware.components, firmware.graph.as_deref(), &name);
        let build = build.map_err(|error| DirectoryError::Invalid(error.to_string()))?;
        let stored = self.store.save_firmware(&firmware, &subjects).await;
        stored.map_err(|error| DirectoryError::Store(error.to_string()))?;
        self.memory.firmwares.add(&name, build, subjects);
        self.give_builds();
        let added = self.firmwares().into_iter().find(|view| view.name == name);
        added.ok_or_else(|| DirectoryError::Invalid(format!("the firmware {name} was not added")))
    }

    pub(super) async fn remove_firmware(&mut self, name: &str) -> Result<(), DirectoryError> {
        let stored = self.store.remove_firmware(name).await;
        let stored = stored.map_err(|error| DirectoryError::Store(error.to_string()))?;
        // One that cannot be read is only in the store.
        if !self.memory.firmwares.remove(name) && !stored {
            let text = format!("no firmware is called {name}; `microflo-bridge firmware list` shows them");
            return Err(DirectoryError::Invalid(text));
        }
        self.give_builds();
        Ok(())
    }

    /// Tells the boards whose build is another one now.
    pub(super) fn give_builds(&mut self) {
        let mut changed = false;
        for entry in self.entries.values_mut() {
            let build = self.planner.build(&entry.port, entry.id, &self.memory.firmwares, &entry.introduction);
            if build == entry.build {
                continue;
            }
            // A loop that is too busy is told at the next look at the ports.
            let told =
                entry.handle.as_ref().is_none_or(|handle| handle.request(Command::SetBuild(build.clone())).is_ok());
            if told {
                entry.build = build;
                changed = true;
            }
        }
        if changed {
            self.changed();
        }
    }
}
