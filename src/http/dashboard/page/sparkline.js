// Traffic of the last minute.

import { el, say, svg } from "./dom.js";
import { rateWords } from "./words.js";

/** Samples that are shown, one a second. */
const SAMPLES = 60;
const WIDTH = 120;
const HEIGHT = 28;
/** What fills the height at least, in bytes per second: a keep-alive should not look like a flood. */
const LEAST_TOP = 64;

export class Sparkline {
  constructor() {
    this.samples = new Array(SAMPLES).fill(0);
    this.line = svg("path", { class: "line" });
    this.area = svg("path", { class: "area" });
    this.rate = el("span", { class: "rate" });
    const floor = svg("line", { class: "floor", x1: 0, x2: WIDTH, y1: HEIGHT - 0.5, y2: HEIGHT - 0.5 });
    const chart = svg(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" },
      floor,
      this.area,
      this.line,
    );
    this.element = el("div", { class: "traffic" }, chart, this.rate);
    this.add([0, 0]);
  }

  /** Takes the bytes of one second, from and to the board. */
  add([from, to]) {
    this.samples.push(from + to);
    this.samples.shift();
    const top = Math.max(LEAST_TOP, ...this.samples);
    const step = WIDTH / (SAMPLES - 1);
    const points = this.samples.map((sample, at) => {
      const y = HEIGHT - 1 - (sample / top) * (HEIGHT - 3);
      return `${(at * step).toFixed(1)} ${y.toFixed(1)}`;
    });
    this.line.setAttribute("d", `M${points.join("L")}`);
    this.area.setAttribute("d", `M0 ${HEIGHT}L${points.join("L")}L${WIDTH} ${HEIGHT}Z`);
    say(this.rate, from + to === 0 ? "quiet" : `${rateWords(from)} in, ${rateWords(to)} out`);
  }
}
