// Who can use a page: what axe finds in it, and what the Tab key reaches.

import { readFile } from "node:fs/promises";

import { modules } from "./harness.mjs";

const axe = await readFile(modules.resolve("axe-core/axe.min.js"), "utf8");

/** What axe finds in the page as it is. */
export async function violations(page) {
  await page.evaluate(axe);
  const result = await page.evaluate("axe.run(document, { resultTypes: ['violations', 'incomplete'] })");
  const words = ({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" | ")}`;
  const unsure = result.incomplete.map(({ id }) => id);
  return { found: result.violations.map(words), unsure, checks: result.passes.length };
}

/** Presses Tab until the focus comes round; what had it, and whether that could be seen. */
export async function walk(page) {
  const stops = [];
  await page.evaluate("document.activeElement.blur()");
  for (let press = 0; press < 100; press++) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => {
      const it = document.activeElement;
      if (it === document.body) return null;
      const { outlineStyle, outlineWidth } = getComputedStyle(it);
      const box = it.getBoundingClientRect();
      const seen = outlineStyle !== "none" && parseFloat(outlineWidth) >= 2 && box.width > 1 && box.height > 1;
      it.dataset.stop ??= String(document.querySelectorAll("[data-stop]").length);
      return { stop: it.dataset.stop, name: it.textContent.trim().slice(0, 50) || it.ariaLabel, seen };
    });
    if (stop === null || stops.some((other) => other.stop === stop.stop)) break;
    stops.push(stop);
  }
  return stops;
}
