//! `trace`: a recording of what flowed, as a Flowtrace, for looking at afterwards.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::message::Incoming;
use super::refusal::Refusal;
use super::{Runtime, naming};
use crate::pure::time::UnixMillis;

/// Bytes of events that are kept if nobody says how many.
const BUFFER_BYTES: usize = 256 * 1024;

/// The most that anybody may ask for.
const MAX_BUFFER_BYTES: usize = 4 * 1024 * 1024;

/// The only form in which a trace is given.
const FLOWTRACE: &str = "flowtrace.json";

/// A recording: the newest events, as JSON.
#[derive(Debug, Default)]
pub(super) struct Trace {
    on: bool,
    events: VecDeque<String>,
    bytes: usize,
    limit: usize,
}

impl Trace {
    pub(super) fn is_on(&self) -> bool {
        self.on
    }

    /// Keeps the payload of an event, and forgets the oldest for it where there is no room.
    pub(super) fn keep(&mut self, command: &str, payload: &str, now: u64) {
        let time = UnixMillis::from(now);
        let event =
            format!("{{\"protocol\":\"network\",\"command\":\"{command}\",\"payload\":{payload},\"time\":\"{time}\"}}");
        self.bytes += event.len();
        self.events.push_back(event);
        while self.bytes > self.limit {
            let Some(oldest) = self.events.pop_front() else { return };
            self.bytes -= oldest.len();
        }
    }

    fn clear(&mut self) {
        self.events.clear();
        self.bytes = 0;
    }
}

impl Runtime {
    /// Starts, stops, clears or gives the recording. Returns the payload that confirms it.
    pub(super) fn trace(&mut self, message: &Incoming) -> Result<Value, Refusal> {
        self.check_graph(message.payload.get("graph").and_then(Value::as_str))?;
        let mut echo = json!({ "graph": self.graph.name() });
        match message.command.as_str() {
            "start" => {
                let limit = message.payload.get("buffersize").filter(|size| !size.is_null());
                let limit = limit.map_or(Some(BUFFER_BYTES as u64), Value::as_u64);
                let limit =
                    limit.and_then(|limit| usize::try_from(limit).ok()).filter(|limit| *limit <= MAX_BUFFER_BYTES);
                let words =
                    || Refusal::Malformed(format!("`buffersize` must be a number of bytes up to {MAX_BUFFER_BYTES}"));
                (self.trace.limit, self.trace.on) = (limit.ok_or_else(words)?, true);
                echo["buffersize"] = json!(self.trace.limit);
            }
            "stop" => self.trace.on = false,
            "clear" => self.trace.clear(),
            _ => return self.dump(message),
        }
        Ok(echo)
    }

    fn dump(&self, message: &Incoming) -> Result<Value, Refusal> {
        if message.name("type").map_err(Refusal::Malformed)? != FLOWTRACE {
            return Err(Refusal::Malformed(format!("`type` must be `{FLOWTRACE}`")));
        }
        let graph = self.graph.name();
        let header = json!({
            "metadata": { "label": self.identity.label, "type": "microflo" },
            "graphs": { graph: naming::fbp_json(&self.graph, self.library.as_ref()) },
        });
        let events = self.trace.events.iter().map(String::as_str).collect::<Vec<_>>().join(",");
        let flowtrace = format!("{{\"header\":{header},\"events\":[{events}]}}");
        Ok(json!({ "graph": graph, "type": FLOWTRACE, "flowtrace": flowtrace }))
    }
}
