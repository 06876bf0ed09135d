// The picture of a graph, from its layout.

import { say, svg } from "./dom.js";
import { short } from "./words.js";

/** How long an edge shows that a packet has passed, and how long the packet's value stays, in milliseconds. */
const HOT_MS = 140;
const VALUE_MS = 1600;
const VALUE_CHARS = 12;
const CHAR = 6.7;
const NAME_CHARS = 22;
const PORT_CHARS = 12;
/** The smallest scale; what does not fit then is scrolled. */
const LEAST_SCALE = 0.85;

export class Picture {
  constructor(layout, title) {
    const { left, top, width, height } = layout;
    this.edges = new Map();
    const lines = layout.edges.map((edge) => this.edge(edge));
    this.element = svg(
      "svg",
      { viewBox: `${left} ${top} ${width} ${height}`, width, height, role: "img", "aria-label": title },
      svg("g", {}, ...lines.map((line) => line.path)),
      svg("g", {}, ...layout.chips.map(chip)),
      svg("g", {}, ...layout.nodes.map(node)),
      svg("g", {}, ...lines.map((line) => line.value)),
    );
    this.element.style.width = `min(100%, ${width}px)`;
    this.element.style.minWidth = `${width * LEAST_SCALE}px`;
    this.fresh = new Map();
  }

  edge(edge) {
    const path = svg("path", { class: "edge", d: curve(edge) });
    path.append(svg("title", {}, `${edge.src.name} ${edge.out} → ${edge.tgt.name} ${edge.in}`));
    const text = svg("text", { "text-anchor": "middle", y: 4 });
    const box = svg("rect", { y: -9, height: 18, rx: 9 });
    const { x, y } = middle(edge);
    const value = svg("g", { class: "value", transform: `translate(${x} ${y})`, "aria-hidden": "true" }, box, text);
    const line = { path, value, text, box };
    this.edges.set(`${edge.src.name} ${edge.out}`, line);
    return line;
  }

  /** A packet has passed: shown with the next frame, so that a flood costs no more than a trickle. */
  packet(key, data) {
    if (!this.edges.has(key)) return;
    if (this.fresh.size === 0) this.frame = requestAnimationFrame(() => this.show());
    this.fresh.set(key, data);
  }

  show() {
    for (const [key, data] of this.fresh) {
      const line = this.edges.get(key);
      const text = short(data, VALUE_CHARS);
      const width = text.length * CHAR + 14;
      say(line.text, text);
      line.box.setAttribute("x", -width / 2);
      line.box.setAttribute("width", width);
      line.path.classList.add("hot");
      line.value.classList.add("shown");
      clearTimeout(line.cool);
      clearTimeout(line.hide);
      line.cool = setTimeout(() => line.path.classList.remove("hot"), HOT_MS);
      line.hide = setTimeout(() => line.value.classList.remove("shown"), VALUE_MS);
    }
    this.fresh.clear();
  }

  remove() {
    cancelAnimationFrame(this.frame);
  }
}

function curve({ from, to, below }) {
  if (below === undefined) {
    const bend = Math.max(24, Math.abs(to.x - from.x) / 2);
    return `M${from.x} ${from.y}C${from.x + bend} ${from.y} ${to.x - bend} ${to.y} ${to.x} ${to.y}`;
  }
  const [right, left] = [from.x + 26, to.x - 26];
  return (
    `M${from.x} ${from.y}C${right} ${from.y} ${right} ${below} ${from.x - 10} ${below}` +
    `L${to.x + 10} ${below}C${left} ${below} ${left} ${to.y} ${to.x} ${to.y}`
  );
}

function middle({ from, to, below }) {
  return { x: (from.x + to.x) / 2, y: below ?? (from.y + to.y) / 2 };
}

function node({ name, component, x, y, width, height, ins, outs }) {
  const row = (at) => 40 + at * 18 + 11;
  const label = (className, text, chars, attributes) => svg("text", { class: className, ...attributes }, short(text, chars));
  const dot = (cx, at) => svg("circle", { class: "dot", cx, cy: row(at), r: 4 });
  return svg(
    "g",
    { class: "node", transform: `translate(${x} ${y})` },
    svg("title", {}, `${name} (${component})`),
    svg("rect", { width, height, rx: 9 }),
    svg("line", { class: "rule", x1: 0, x2: width, y1: 40, y2: 40 }),
    label("name", name, NAME_CHARS, { x: width / 2, y: 18, "text-anchor": "middle" }),
    label("component", component ?? "", NAME_CHARS, { x: width / 2, y: 33, "text-anchor": "middle" }),
    ...ins.flatMap((port, at) => [dot(0, at), label("port", port, PORT_CHARS, { x: 10, y: row(at) + 4 })]),
    ...outs.flatMap((port, at) => [
      dot(width, at),
      label("port", port, PORT_CHARS, { x: width - 10, y: row(at) + 4, "text-anchor": "end" }),
    ]),
  );
}

function chip({ x, y, width, height, port, kind, text, chars }) {
  const edge = kind === "out" ? x : x + width;
  return svg(
    "g",
    { class: kind === "initial" ? "chip" : "chip export" },
    svg("title", {}, kind === "initial" ? `initial packet ${text}` : `exported as ${text}`),
    svg("path", { d: `M${edge} ${y + height / 2}L${port.x} ${port.y}` }),
    svg("rect", { x, y, width, height, rx: 8 }),
    svg("text", { x: x + width / 2, y: y + 12.5, "text-anchor": "middle" }, short(text, chars)),
  );
}
