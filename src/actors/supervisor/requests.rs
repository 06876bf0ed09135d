//! What the directory is asked.

use uuid::Uuid;

use super::Supervisor;
use super::entry::Entry;
use crate::actors::board::{Command, Upload};
use crate::actors::directory::{DirectoryError, Request};
use crate::pure::board::OwnChange;
use crate::pure::identity::label::LABEL_CHARS;
use crate::pure::identity::told::is_storable;
use crate::pure::port::Port;

impl Supervisor {
    pub(super) async fn answer(&mut self, request: Request) {
        // An asker who has left needs no answer.
        match request {
            Request::SetLabel { id, label, reply } => drop(reply.send(self.set_label(id, label).await)),
            Request::ForgetLabel { id, reply } => drop(reply.send(self.forget_label(id).await)),
            Request::Store { id, change, reply } => match self.storing(id, &change).await {
                Ok(handle) => {
                    if let Err(Command::Store(_, reply)) = handle.request(Command::Store(change, reply)) {
                        drop(reply.send(Err(busy(id))));
                    }
                }
                Err(error) => drop(reply.send(Err(error))),
            },
            Request::Admit { id, allow, chip, reply } => drop(reply.send(self.admit(id, allow, chip).await)),
            Request::Secrets { id, reply } => drop(reply.send(self.entry(id).map(|entry| entry.secrets.clone()))),
            Request::Reconfigure { planner, generic, reply } => {
                self.reconfigure(*planner, generic).await;
                drop(reply.send(Ok(())));
            }
            Request::Firmwares { reply } => drop(reply.send(Ok(self.firmwares()))),
            Request::AddFirmware { firmware, subjects, reply } => {
                drop(reply.send(self.add_firmware(firmware, subjects).await));
            }
            Request::RemoveFirmware { name, reply } => drop(reply.send(self.remove_firmware(&name).await)),
            Request::Graph { id, reply } => match self.connectable(id) {
                Ok(handle) => drop(handle.request(Command::Graph(reply))),
                Err(_) => drop(reply),
            },
            Request::Upload { id, upload, reply } => drop(reply.send(self.upload(id, upload))),
            Request::Connect { id, kind, reply } => match self.connectable(id) {
                Ok(handle) => {
                    if let Err(Command::Connect(_, reply)) = handle.request(Command::Connect(kind, reply)) {
                        drop(reply.send(Err(busy(id))));
                    }
                }
                Err(error) => drop(reply.send(Err(error))),
            },
        }
    }

    /// A hint came: whoever waits for a port may try again.
    pub(super) fn retry_waiting(&self) {
        use crate::pure::view::BoardState::{Busy, Opening, WaitingForPermission};
        let waiting = |entry: &&Entry| matches!(entry.status.state, Opening | Busy | WaitingForPermission);
        for handle in self.entries.values().filter(waiting).filter_map(|entry| entry.handle.as_ref()) {
            // A full queue has a retry in it already.
            let _ = handle.request(Command::Retry);
        }
    }

    fn entry(&self, id: Uuid) -> Result<&Entry, DirectoryError> {
        self.entries.get(&id).ok_or(DirectoryError::NotFound(id))
    }

    fn connectable(&self, id: Uuid) -> Result<&crate::actors::board::Handle, DirectoryError> {
        let entry = self.entry(id)?;
        entry.handle.as_ref().ok_or_else(|| DirectoryError::NotOpen { id, reason: entry.status.reason.clone() })
    }

    fn upload(&self, id: Uuid, upload: Upload) -> Result<(), DirectoryError> {
        self.connectable(id)?.request(Command::Upload(upload)).map_err(|_| busy(id))
    }

    async fn set_label(&mut self, id: Uuid, label: String) -> Result<(), DirectoryError> {
        let label = label.trim().to_owned();
        let length = label.chars().count();
        if length == 0 || length > LABEL_CHARS || label.chars().any(char::is_control) {
            let text = format!("a label has 1 to {LABEL_CHARS} characters on one line; this one has {length}");
            return Err(DirectoryError::Invalid(text));
        }
        self.entry(id)?;
        self.store.set_label(id, Some(&label)).await.map_err(|error| DirectoryError::Store(error.to_string()))?;
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.label.clone_from(&label);
            if let Some(handle) = &entry.handle {
                // A loop that is too busy shows the old label until it is started again; the store has the new one.
                let _ = handle.request(Command::SetLabel(label));
            }
        }
        self.publish();
        Ok(())
    }

    /// The loop of a board that is to store something.
    async fn storing(&mut self, id: Uuid, change: &OwnChange) -> Result<&crate::actors::board::Handle, DirectoryError> {
        if let Some(new) = change.id {
            if !is_storable(new) {
                let text = format!("{new} is no UUID of version 4; type `--on-board new` for a new one");
                return Err(DirectoryError::Invalid(text));
            }
            let has = |entry: &Entry| entry.id == new || entry.introduction.id == Some(new);
            let is_taken =
                |entry: &Entry| entry.natural_id == new || (!entry.is_gone() && entry.id != id && has(entry));
            if self.entries.values().any(is_taken) {
                let text =
                    format!("{new} is what a board or a port here is known by; type `--on-board new` for a new one");
                return Err(DirectoryError::Invalid(text));
            }
            self.connectable(id)?;
            let place = self.entry(id)?.natural_id;
            self.keep_for(new, place).await.map_err(|error| DirectoryError::Store(error.to_string()))?;
        }
        self.connectable(id)
    }

    async fn forget_label(&mut self, id: Uuid) -> Result<(), DirectoryError> {
        self.entry(id)?;
        self.store.set_label(id, None).await.map_err(|error| DirectoryError::Store(error.to_string()))?;
        let entry = self.entry(id)?;
        let (port, family) = (entry.port.clone(), entry.opening.family);
        let introduction = entry.introduction.clone();
        let manner = self.manner(&port, id, family, &introduction).await;
        if let (Some(entry), Some(manner)) = (self.entries.get_mut(&id), manner) {
            entry.label.clone_from(&manner.label);
            if let Some(handle) = &entry.handle {
                // As with another label.
                let _ = handle.request(Command::SetLabel(manner.label));
            }
        }
        self.publish();
        Ok(())
    }

    async fn admit(&mut self, id: Uuid, allow: bool, chip: bool) -> Result<(), DirectoryError> {
        let entry = self.entry(id)?;
        // What it is called before it is opened: only then can it say anything else.
        let natural_id = entry.natural_id;
        let stored = match (&entry.port, chip) {
            (Port::Usb(usb), true) => {
                let (vid, pid) = (usb.vid, usb.pid);
                self.memory.answers.chips.insert((vid, pid), allow);
                self.memory.answers.boards.remove(&natural_id);
                self.store.save_chip_answer(vid, pid, allow).await
            }
            (_, false) => {
                self.memory.answers.boards.insert(natural_id, allow);
                self.store.save_board_answer(natural_id, allow).await
            }
            (_, true) => {
                return Err(DirectoryError::Invalid("only a USB device has a chip to say yes or no to".into()));
            }
        };
        stored.map_err(|error| DirectoryError::Store(error.to_string()))?;
        // Said yes again to a board that is being left alone: try it again.
        if let Some(handle) = self.entries.get(&id).and_then(|entry| entry.handle.as_ref()).filter(|_| allow) {
            let _ = handle.request(Command::Retry);
        }
        self.reconcile().await;
        self.publish();
        Ok(())
    }
}

fn busy(id: Uuid) -> DirectoryError {
    DirectoryError::NotOpen { id, reason: "it is too busy; try again".to_owned() }
}
