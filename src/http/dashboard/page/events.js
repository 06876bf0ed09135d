// The bridge's events. EventSource cannot send the token in a header, so the stream is read by hand.

import { ask } from "./access.js";

/** The bridge says something at least every 15 s. */
const SILENCE_MS = 40_000;
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 5_000;

/**
 * Follows the events for ever. `on.event(name, data)` takes them; `on.lost(status)` hears of every end, and tells with true
 * that it is worth trying again at once.
 */
export async function follow(on) {
  let pause = FIRST_RETRY_MS;
  for (;;) {
    let status = 0;
    try {
      status = await readOnce((name, data) => {
        pause = FIRST_RETRY_MS;
        on.event(name, data);
      });
    } catch {
      // The connection broke; the words for that are the page's.
    }
    if (on.lost(status)) continue;
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(pause * 2, LAST_RETRY_MS);
  }
}

/** Reads one stream to its end. The status of the answer. */
async function readOnce(take) {
  const abort = new AbortController();
  let timer = setTimeout(() => abort.abort(), SILENCE_MS);
  try {
    const answer = await ask("api/events", { signal: abort.signal, headers: { Accept: "text/event-stream" } });
    if (!answer.ok) return answer.status;
    const parser = new Parser(take);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return answer.status;
      clearTimeout(timer);
      timer = setTimeout(() => abort.abort(), SILENCE_MS);
      parser.push(value);
    }
  } finally {
    clearTimeout(timer);
    abort.abort();
  }
}

/** Cuts the text of a stream into events. */
export class Parser {
  constructor(take) {
    this.take = take;
    this.rest = "";
    this.name = "";
    this.data = [];
  }

  push(text) {
    const lines = (this.rest + text).split("\n");
    this.rest = lines.pop();
    for (const line of lines) this.line(line);
  }

  line(line) {
    if (line === "") {
      if (this.data.length > 0) this.take(this.name, JSON.parse(this.data.join("\n")));
      this.name = "";
      this.data = [];
    } else if (line.startsWith("event:")) {
      this.name = line.slice(6).trim();
    } else if (line.startsWith("data:")) {
      this.data.push(line.slice(5).replace(/^ /, ""));
    }
  }
}
