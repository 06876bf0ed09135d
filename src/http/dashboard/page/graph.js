// The graph on a board: its picture, the same in text, and what flows.

import { ask } from "./access.js";
import { Picture } from "./draw.js";
import { el, say } from "./dom.js";
import { layout } from "./layout.js";
import { Packets } from "./packets.js";
import { short } from "./words.js";

/** How long changes are gathered before the graph is asked for again, in milliseconds. */
const GATHER_MS = 150;
/** The longest value in the text, in characters. */
const VALUE_CHARS = 60;

export class GraphPicture {
  /** `watchingChanged` is told when the page begins or stops to be a client of the board. */
  constructor(watchingChanged) {
    this.name = el("span", { class: "graph-name" });
    this.state = el("span", { class: "graph-state" });
    this.live = el("button", { class: "button small", type: "button", "aria-pressed": "true", click: () => this.toggle() });
    this.live.append("Live packets");
    this.view = el("div", { class: "graph-view" });
    this.text = el("details", {}, el("summary", {}, "Graph as text"));
    const head = el("div", { class: "graph-head" }, this.name, this.state, this.live);
    this.element = el("div", { class: "graph", role: "group", hidden: true }, head, this.view, this.text);
    this.wanted = true;
    this.lasts = new Map();
    this.packets = new Packets({
      changed: () => this.fetchSoon(),
      status: (words) => say(this.state, words),
      packet: (packet) => this.packet(packet),
      watching: watchingChanged,
    });
    this.visibility = new IntersectionObserver(([entry]) => this.see(entry.isIntersecting));
    this.visibility.observe(this.element);
    this.size = new ResizeObserver(() => this.reach());
    this.size.observe(this.view);
    this.onVisible = () => this.follow();
    document.addEventListener("visibilitychange", this.onVisible);
  }

  update(board) {
    const isUp = board.state === "ready";
    const news = isUp && (!this.isUp || board.components !== this.board?.components);
    this.board = board;
    this.isUp = isUp;
    this.element.hidden = !isUp;
    this.element.setAttribute("aria-label", `Graph of ${board.label}`);
    if (news) this.fetchNow();
    this.follow();
  }

  see(seen) {
    this.seen = seen;
    this.follow();
  }

  isWatching() {
    return this.packets.isOpen();
  }

  toggle() {
    this.wanted = !this.wanted;
    this.live.setAttribute("aria-pressed", this.wanted);
    this.follow();
    if (this.wanted) this.fetchNow();
  }

  /** Nobody watches what nobody sees: a board's reports of packets take time on its line. */
  follow() {
    const on = this.wanted && this.isUp && this.seen && document.visibilityState === "visible";
    this.packets.follow(on ? this.board : null);
    if (!on) say(this.state, "");
  }

  fetchSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.fetchNow(), GATHER_MS);
  }

  async fetchNow() {
    let answer;
    try {
      answer = await ask(`api/boards/${this.board.id}/graph`);
    } catch {
      return;
    }
    // A board that is just going has no graph any more; its next state says why.
    if (answer.ok) this.draw(await answer.json());
  }

  draw(graph) {
    const names = Object.keys(graph.processes ?? {});
    this.packets.choose(graph);
    say(this.name, graph.properties?.name ?? "Graph");
    this.lasts.clear();
    if (names.length === 0) {
      this.picture = null;
      this.view.replaceChildren(nothing(this.board));
      this.text.hidden = true;
      return;
    }
    const places = layout(graph);
    this.element.dispatchEvent(new CustomEvent("measured", { detail: places.width, bubbles: true }));
    this.picture?.remove();
    this.picture = new Picture(places, `Graph of ${this.board.label}; the same as text follows`);
    this.view.replaceChildren(this.picture.element);
    this.reach();
    this.text.hidden = false;
    this.text.replaceChildren(this.text.firstElementChild, ...this.inText(graph, names));
  }

  /** What can be scrolled must be reachable by keyboard. */
  reach() {
    const scrolls = this.view.scrollWidth > this.view.clientWidth || this.view.scrollHeight > this.view.clientHeight;
    for (const [name, value] of [["tabindex", "0"], ["role", "group"], ["aria-label", "Picture of the graph"]]) {
      if (scrolls) this.view.setAttribute(name, value);
      else this.view.removeAttribute(name);
    }
  }

  inText(graph, names) {
    const nodes = names.map((name) => el("li", {}, `${name}: ${graph.processes[name].component}`));
    const edges = [];
    const initials = [];
    for (const { src, tgt, data } of graph.connections ?? []) {
      const to = `${tgt.process} ${tgt.port.toUpperCase()}`;
      if (!src) {
        initials.push(el("li", {}, `${short(data, VALUE_CHARS)} → ${to}`));
        continue;
      }
      const last = el("span", { class: "last" });
      this.lasts.set(`${src.process} ${src.port.toLowerCase()}`, last);
      edges.push(el("li", {}, `${src.process} ${src.port.toUpperCase()} → ${to} `, last));
    }
    const exported = (direction, ports) =>
      Object.entries(ports ?? {}).map(([name, port]) => el("li", {}, `${direction} ${name}: ${port.process} ${port.port.toUpperCase()}`));
    const exports = [...exported("In", graph.inports), ...exported("Out", graph.outports)];
    const part = (title, items) => (items.length > 0 ? [el("p", { class: "part" }, title), el("ul", { "aria-label": title }, ...items)] : []);
    return [
      ...part("Nodes", nodes),
      ...part("Edges", edges),
      ...part("Initial packets", initials),
      ...part("Exported ports", exports),
    ];
  }

  packet({ src, data }) {
    const key = `${src.node} ${src.port.toLowerCase()}`;
    this.picture?.packet(key, data);
    const last = this.lasts.get(key);
    if (last && this.text.open) say(last, `last packet ${short(data, VALUE_CHARS)}`);
  }

  remove() {
    clearTimeout(this.timer);
    this.packets.follow(null);
    this.picture?.remove();
    this.visibility.disconnect();
    this.size.disconnect();
    document.removeEventListener("visibilitychange", this.onVisible);
  }
}

function nothing(board) {
  const command = `microflo-bridge graph upload "${board.label}" FILE.fbp`;
  return el("p", { class: "empty" }, "No graph that is known of runs here. Open it in Flowhub to make one, or type ", el("code", {}, command));
}
