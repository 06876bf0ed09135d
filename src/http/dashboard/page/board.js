// The card of one board.

import { buttons } from "./actions.js";
import { el, say } from "./dom.js";
import { GraphPicture } from "./graph.js";
import { Label } from "./label.js";
import { Sparkline } from "./sparkline.js";
import { clientWords, firmwareWords, portWords, registryWords, stateWords } from "./words.js";

const FACTS = ["Firmware", "Port", "Components", "Clients", "Registry", "Address", "Traffic"];

/** A picture from this width on does not fit into half a page. */
const WIDE_PX = 620;

export class BoardCard {
  /** `access.fullAccess` tells whether anything may be changed, or is even shown. */
  constructor(board, access) {
    this.full = access.fullAccess;
    this.label = new Label(board, this.full);
    this.state = el("span", { class: "state" });
    this.reason = el("p", { class: "reason" });
    this.warnings = el("ul", { class: "warnings" });
    this.sparkline = new Sparkline();
    this.facts = new Map(FACTS.map((name) => [name, el("dd")]));
    this.facts.get("Traffic").append(this.sparkline.element);
    this.address = el("code");
    this.facts.get("Address").append(this.address);
    this.rows = [...this.facts].map(([name, value]) => [el("dt", {}, name), value]);
    this.buttons = el("div", { class: "buttons" });
    this.trouble = el("p", { class: "trouble", role: "alert", hidden: true });
    this.graph = this.full ? new GraphPicture(() => this.showFacts()) : null;
    this.element = el(
      "article",
      { class: "card", "data-board": board.id },
      el("div", { class: "card-head" }, this.label.element, this.state),
      this.reason,
      this.warnings,
      ...(this.graph ? [this.graph.element] : []),
      el("dl", { class: "facts" }, ...this.rows.flat()),
      this.buttons,
      this.trouble,
    );
    // A wide picture gets a wide card, where there is room.
    this.element.addEventListener("measured", ({ detail }) => this.element.classList.toggle("wide", detail > WIDE_PX));
    this.update(board);
  }

  update(board) {
    const before = this.board;
    this.board = board;
    const [words, kind] = stateWords(board.state);
    this.label.update(board);
    this.element.setAttribute("aria-label", board.label);
    say(this.state, words);
    this.state.dataset.kind = kind;
    say(this.reason, board.reason);
    this.warnings.hidden = board.warnings.length === 0;
    this.warnings.replaceChildren(...board.warnings.map((warning) => el("li", {}, warning)));
    this.showFacts();
    if (this.full && buttonsDiffer(before, board)) {
      this.buttons.replaceChildren(...buttons(board, (error) => this.complain(error)));
    }
    this.graph?.update(board);
  }

  showFacts() {
    const board = this.board;
    if (!board) return;
    const fact = (name, words) => say(this.facts.get(name), words);
    fact("Firmware", firmwareWords(board));
    fact("Port", portWords(board));
    fact("Components", board.components ?? "not known; microflo-bridge firmware add names them");
    fact("Clients", clientWords(board.clients, this.graph?.isWatching() ?? false));
    fact("Registry", board.registries.map(registryWords).join("; ") || "none");
    say(this.address, board.url);
    const isServed = !["not-allowed", "ignored"].includes(board.state);
    for (const row of this.rows) row.forEach((part) => (part.hidden = !isServed && row[1] !== this.facts.get("Port")));
  }

  traffic(moved) {
    this.sparkline.add(moved);
  }

  complain(error) {
    this.trouble.hidden = !error;
    say(this.trouble, error?.message ?? "");
  }

  remove() {
    this.graph?.remove();
    this.element.remove();
  }
}

/** Buttons that are the same stay, and keep the focus. */
function buttonsDiffer(before, now) {
  return !before || ["state", "label", "liveUrl", "url"].some((key) => before[key] !== now[key]);
}
