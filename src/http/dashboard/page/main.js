// The page: one card for each board, kept up to date by the bridge's events.

import { dropToken, hasToken, takeToken } from "./access.js";
import { BoardCard } from "./board.js";
import { announce, el, say } from "./dom.js";
import { follow } from "./events.js";
import { stateWords, summaryWords } from "./words.js";

const COMMAND = "microflo-bridge dashboard";

const cards = new Map();
const list = document.getElementById("boards");
let bridge = { fullAccess: false };
/** Why the page can only show. */
let why = "This page can only show. To name boards, allow them, see their graphs and open them in Flowhub, type ";

function show(board) {
  const before = cards.get(board.id)?.board;
  if (before) {
    cards.get(board.id).update(board);
    if (before.state !== board.state) announce(`${board.label}: ${stateWords(board.state)[0]}`);
  } else {
    const card = new BoardCard(board, bridge);
    place(card);
    cards.set(board.id, card);
  }
  return !before;
}

/** New cards go where their label belongs; a card that is there does not move while it is read or renamed. */
function place(card) {
  const after = [...list.children].find((other) => {
    const label = cards.get(other.dataset.board).board.label;
    return label.localeCompare(card.board.label, undefined, { numeric: true }) > 0;
  });
  list.insertBefore(card.element, after ?? null);
}

function remove(id) {
  const card = cards.get(id);
  if (!card) return;
  const focused = card.element.contains(document.activeElement);
  cards.delete(id);
  card.remove();
  if (focused) list.focus();
}

function snapshot(boards) {
  const present = new Set(boards.map((board) => board.id));
  for (const id of [...cards.keys()]) if (!present.has(id)) remove(id);
  for (const board of boards) show(board);
}

/** Cards know whether they may change anything, so they are made anew when that changes. */
function meet(news) {
  if (news.fullAccess !== bridge.fullAccess || news.ide !== bridge.ide) for (const id of [...cards.keys()]) remove(id);
  bridge = news;
  say(document.getElementById("about"), `microflo-bridge ${news.version} at ${news.address} · live links open ${news.ide}`);
  notice();
}

function notice() {
  const element = document.getElementById("notice");
  element.hidden = bridge.fullAccess;
  if (bridge.fullAccess) return;
  element.replaceChildren(why, el("code", {}, COMMAND), " on the computer that runs the bridge.");
}

function count() {
  const boards = [...cards.values()].map((card) => card.board);
  say(document.getElementById("summary"), summaryWords(boards));
  document.getElementById("nothing").hidden = boards.length > 0;
  document.title = boards.length > 0 ? `${summaryWords(boards)} – microflo-bridge` : "microflo-bridge";
}

function link(state, words) {
  const element = document.getElementById("link");
  if (element.dataset.state !== state && state !== "waiting") announce(words);
  element.dataset.state = document.body.dataset.link = state;
  say(element, words);
}

const events = {
  bridge: meet,
  boards: snapshot,
  board(board) {
    if (show(board)) announce(`${board.label} is here: ${stateWords(board.state)[0]}`);
  },
  gone(id) {
    const label = cards.get(id)?.board.label;
    remove(id);
    if (label) announce(`${label} is gone`);
  },
  traffic(moved) {
    for (const card of cards.values()) card.traffic(moved[card.board.id] ?? [0, 0]);
  },
};

/** Between samples with traffic in them the bridge says nothing: then nothing has moved. */
let sampled = Date.now();
setInterval(() => {
  if (Date.now() - sampled >= 1500) events.traffic({});
}, 1000);

function take(name, data) {
  link("live", "Live");
  if (name === "traffic") sampled = Date.now();
  events[name]?.(data);
  if (name !== "traffic" && name !== "bridge") count();
}

function lost(status) {
  if (status === 401 && hasToken()) {
    dropToken();
    why = "This page's token is of an earlier run of the bridge, so it can only show. To make changes again, type ";
    return true;
  }
  link("lost", status === 503 ? "Too many pages watch; close some" : "The bridge does not answer");
  return false;
}

if (!(await takeToken())) why = "This link was used already or is too old, so the page can only show. For a new one, type ";
window.addEventListener("hashchange", () => {
  if (/^#(token|code)=/.test(location.hash)) location.reload();
});
follow({ event: take, lost });
