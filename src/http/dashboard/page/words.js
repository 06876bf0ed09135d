// Words for what the bridge reports.

const STATES = {
  "not-allowed": ["Not allowed yet", "wait"],
  "waiting-for-permission": ["Needs permission", "bad"],
  busy: ["Busy", "bad"],
  opening: ["Opening", "wait"],
  booting: ["Starting", "wait"],
  handshaking: ["Asking", "wait"],
  ready: ["Ready", "good"],
  unresponsive: ["No answer", "bad"],
  "not-microflo": ["Not MicroFlo", "idle"],
  flashing: ["Being flashed", "wait"],
  released: ["Lent", "idle"],
  ignored: ["Ignored", "idle"],
};

/** A state in words, and its kind: good, wait, bad or idle. */
export function stateWords(state) {
  return STATES[state] ?? [state, "wait"];
}

/** Where a board is plugged in. */
export function portWords(board) {
  if (!board.usb) return board.device ?? "none: it is simulated";
  const { manufacturer, product, vid, pid } = board.usb;
  const name = [manufacturer, product].filter(Boolean).join(" ");
  return [board.device, name, `USB ${vid}:${pid}`].filter(Boolean).join(" · ");
}

/** A board's firmware. */
export function firmwareWords(board) {
  if (!board.firmware) return "not known yet";
  return `MicroFlo ${board.firmware.dialect}, ${board.firmware.baud} baud`;
}

/** Who is connected; the page itself is one of them while it watches packets. */
export function clientWords(count, watching) {
  const others = Math.max(count - (watching ? 1 : 0), 0);
  const words = others === 1 ? "1 client" : `${others} clients`;
  if (!watching) return others === 0 ? "nobody" : words;
  return others === 0 ? "only this page" : `${words} and this page`;
}

/** Where a board is registered. */
export function registryWords(entry) {
  const where = entry.registry === "embedded" ? "this bridge" : entry.registry;
  return entry.registered ? `${where}: registered` : `${where}: ${entry.detail || "not registered"}`;
}

/** Bytes per second. */
export function rateWords(bytes) {
  if (bytes < 1000) return `${bytes} B/s`;
  return `${(bytes / 1000).toFixed(bytes < 10_000 ? 1 : 0)} kB/s`;
}

/** How many boards there are. */
export function summaryWords(boards) {
  if (boards.length === 0) return "";
  const ready = boards.filter((board) => board.state === "ready").length;
  return `${boards.length === 1 ? "1 board" : `${boards.length} boards`}, ${ready} ready`;
}

/** A value in a graph, short enough for a picture. */
export function short(value, length) {
  const text = typeof value === "string" ? value : JSON.stringify(value) ?? "";
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
