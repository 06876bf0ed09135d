//! Which messages are answered, and with what. A client's answers come in the order of its messages.

use std::collections::VecDeque;

use serde_json::Value;

use super::picture::Picture;

/// How packets on edges begin, most of all messages: they are only counted.
const DATA: &str = r#"{"protocol":"network","command":"data""#;

/// How much of a message is shown.
const SHOWN_CHARS: usize = 300;

/// So much news is shown.
const SHOWN_NEWS: usize = 30;

/// A message without an answer.
struct Open {
    id: Option<String>,
    text: String,
    protocol: String,
    reply: Option<&'static str>,
}

#[derive(Default)]
pub(super) struct Ledger {
    open: VecDeque<Open>,
    pub(super) asked: usize,
    pub(super) answers: usize,
    pub(super) errors: usize,
    pub(super) data: usize,
    pub(super) told: usize,
    /// The graph as it was told, of a client that only listens: an answer may come after news that are newer.
    pub(super) picture: Option<Picture>,
    /// The latest news of the graph, for failures.
    news: VecDeque<String>,
    pub(super) failure: Option<String>,
}

impl Ledger {
    pub(super) fn expect(&mut self, id: Option<String>, text: &str, protocol: String, reply: Option<&'static str>) {
        self.asked += 1;
        let text = text.chars().take(SHOWN_CHARS).collect();
        self.open.push_back(Open { id, text, protocol, reply });
    }

    /// Takes what came. True if it was a message's last answer.
    pub(super) fn take(&mut self, text: &str) -> Result<bool, String> {
        if text.starts_with(DATA) {
            self.data += 1;
            return Ok(false);
        }
        let message: Value = serde_json::from_str(text).map_err(|error| format!("{error}: {text}"))?;
        if text.contains("not known any more") {
            return Err(format!("the bridge has lost the board's graph: {text}"));
        }
        let is_answer = match (message["responseTo"].as_str(), self.open.front()) {
            (Some(id), Some(front)) if front.id.as_deref() == Some(id) => true,
            (Some(_), _) => return Err(format!("answers nothing, or not the oldest message: {text}")),
            (None, Some(front)) => front.id.is_none() && front.is_answered_by(&message),
            (None, None) => false,
        };
        // One of many that a list is answered with.
        if message["command"] == "component" && message["protocol"] == "component" {
            return Ok(false);
        }
        if is_answer { self.settle(&message).map(|()| true) } else { self.note(&message).map(|()| false) }
    }

    fn settle(&mut self, answer: &Value) -> Result<(), String> {
        let open = self.open.pop_front().expect("looked at before");
        let command = answer["command"].as_str().unwrap_or_default();
        let fits = command == "error" || Some(command) == open.reply;
        if !fits || answer["protocol"] != open.protocol.as_str() {
            return Err(format!("{} was answered with {answer}", open.text));
        }
        if command == "error" && answer["payload"]["message"].as_str().is_none_or(str::is_empty) {
            return Err(format!("an error without words: {answer}"));
        }
        self.answers += 1;
        self.errors += usize::from(command == "error");
        Ok(())
    }

    /// Something that nobody asked for.
    fn note(&mut self, message: &Value) -> Result<(), String> {
        self.told += 1;
        if message["command"] == "error" {
            return Err(format!("an error that answers nothing: {message}"));
        }
        let Some(picture) = &mut self.picture else { return Ok(()) };
        self.news.push_back(message.to_string());
        if self.news.len() > SHOWN_NEWS {
            self.news.pop_front();
        }
        picture.apply(message).map_err(|why| format!("{why}; before: {:#?}", self.news))
    }

    pub(super) fn state(&self) -> String {
        let failure = self.failure.clone().unwrap_or_default();
        let oldest = self.open.front().map(|open| &open.text);
        format!("{failure} ({} of {} answered; the next: {oldest:?})", self.answers, self.asked)
    }
}

impl Open {
    /// Without an id a message is answered by an error on its sub-protocol, or by what nobody is told unasked.
    fn is_answered_by(&self, message: &Value) -> bool {
        let command = message["command"].as_str();
        message["protocol"] == self.protocol.as_str() && (command == Some("error") || command == self.reply)
    }
}
