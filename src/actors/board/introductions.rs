//! A board that says who it is waits for the supervisor's answer, with its port open.

use std::future::pending;

use tokio::sync::oneshot;

use super::{Loop, now};
use crate::actors::directory::DirectoryError;
use crate::actors::status::{Introduced, Recognized};
use crate::pure::board::{OwnChange, OwnChangeError};
use crate::pure::introduction::Introduction;

impl Loop {
    /// Passes on what the board says of itself.
    pub(super) fn introduce(&mut self, introduction: Introduction) {
        let (reply, recognition) = oneshot::channel();
        self.recognition = Some(recognition);
        let generation = self.setup.generation;
        self.status.introduce(self.setup.id, Introduced { generation, introduction, reply });
    }

    /// The port is closed. If the board is known by another id since, that is the one to report so.
    pub(super) fn take_last_answer(&mut self) {
        self.claiming = None;
        let Some(mut recognition) = self.recognition.take() else { return };
        recognition.close();
        if let Ok(Recognized { recognition, .. }) = recognition.try_recv() {
            self.setup.id = recognition.identity.id;
        }
    }

    /// Has the board store something; whoever asked waits until it is read back, and the board known by it.
    pub(super) fn store(&mut self, change: &OwnChange, reply: oneshot::Sender<Result<bool, DirectoryError>>) {
        match self.board.store(change, now()) {
            Ok(true) => self.storing = Some(reply),
            // It stores that id already, and may be known by it from now on.
            Ok(false) if change.id.is_some_and(|id| id != self.setup.id) => {
                self.claiming = Some(reply);
                self.introduce(self.board.introduction().clone());
            }
            Ok(false) => drop(reply.send(Ok(false))),
            Err(error) => drop(reply.send(Err(DirectoryError::OnBoard(error)))),
        }
    }

    /// The board has stored it, or not.
    pub(super) fn stored(&mut self, result: Result<(), OwnChangeError>) {
        if let Some(reply) = self.storing.take() {
            // An asker who has left needs no answer.
            let _ = reply.send(result.map(|()| true).map_err(DirectoryError::OnBoard));
        }
    }

    /// The supervisor has said who the board is, or cannot.
    pub(super) fn recognized(&mut self, answer: Option<Recognized>) {
        let before = self.setup.id;
        self.take_up(answer);
        if let Some(reply) = self.claiming.take() {
            let _ = reply.send(Ok(self.setup.id != before));
        }
    }

    fn take_up(&mut self, answer: Option<Recognized>) {
        let Some(Recognized { recognition, meter }) = answer else { return self.board.not_recognized(now()) };
        self.setup.id = recognition.identity.id;
        self.setup.identity = recognition.identity.clone();
        self.setup.meter = meter;
        if self.board.recognized(recognition, now()) {
            let reason = format!("the board has said which one it is: its id is {} now", self.setup.id);
            for client in self.clients.drop_all(&reason) {
                self.board.disconnect(client);
            }
            // Under its new id nothing was said yet.
            let mut said = self.now_said.clone();
            said.clients = 0;
            self.status.report(self.setup.id, self.setup.generation, said.clone());
            self.now_said = said;
        }
    }
}

/// The answer, once it is there; `None` in place of one that will never come. Waits for ever where nothing was asked.
pub(super) async fn answered(recognition: &mut Option<oneshot::Receiver<Recognized>>) -> Option<Recognized> {
    let Some(receiver) = recognition else { return pending().await };
    let answer = receiver.await.ok();
    *recognition = None;
    answer
}
