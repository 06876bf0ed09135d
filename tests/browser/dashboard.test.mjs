// The dashboard as its owner uses it: boards come, are named, show their graph, and go, without a reload.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { Bridge, cardOf, firmware, map, openTab, plugIn, plugInSimulated, until } from "./harness.mjs";

/** How soon a board must be on the page, and off it. */
const SOON_MS = 1000;

/** Opens the dashboard with its token. */
async function openDashboard(t, bridge, options) {
  const tab = await openTab(t, bridge, options);
  await tab.page.goto(await bridge.link());
  await tab.page.locator("#link[data-state=live]").waitFor();
  return tab;
}

/** Nothing left the origin, and nothing was blocked or failed. */
function isClean(tab) {
  assert.deepEqual(tab.foreign, [], "requests that left the origin");
  assert.deepEqual(tab.wrong, [], "errors in the page");
}

for (const [kind, plug] of [["real firmware", plugIn], ["a simulated board", plugInSimulated]]) {
  const skip = kind === "real firmware" && !firmware && "the firmware is not built here";
  test(`${kind} is plugged in, named, watched and unplugged without a reload`, { skip }, async (t) => {
    const path = await map(t, kind);
    const bridge = await Bridge.start(t, ["--device", `${path.device},components=${path.components}`]);
    const tab = await openDashboard(t, bridge);
    const { page } = tab;
    assert.equal(new URL(page.url()).hash, "", "the token has left the address bar");
    await page.getByRole("heading", { name: "No board yet" }).waitFor();

    const unplug = await plug(t, path.device);
    const plugged = Date.now();
    const card = page.locator("article");
    await card.waitFor();
    const shown = Date.now() - plugged;
    await card.locator(".state", { hasText: "Ready" }).waitFor();
    const ready = Date.now() - plugged;
    await card.getByRole("img", { name: /^Graph of/ }).waitFor();
    console.log(`${kind}: card after ${shown} ms, ready after ${ready} ms, graph after ${Date.now() - plugged} ms`);
    assert.ok(shown < SOON_MS, `the card took ${shown} ms`);

    assert.ok((await card.locator("g.node").count()) >= 2, "nodes are drawn");
    assert.ok((await card.locator("path.edge").count()) >= 1, "edges are drawn");
    await card.locator("g.value.shown").first().waitFor();
    assert.match(await card.locator("g.value.shown text").first().textContent(), /null|true|false/);
    await card.locator(".rate", { hasText: /B\/s in/ }).waitFor();
    await card.getByText("Graph as text").click();
    await card.locator(".last", { hasText: "last packet" }).first().waitFor();

    await card.getByRole("button", { name: /rename/ }).click();
    await page.keyboard.type("Greenhouse <b>1</b>");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Greenhouse <b>1</b>" }).waitFor();
    assert.equal((await bridge.boards())[0].label, "Greenhouse <b>1</b>");
    assert.equal(await page.locator("article b").count(), 0, "a label is text, never HTML");

    unplug();
    const pulled = Date.now();
    await card.waitFor({ state: "detached" });
    const gone = Date.now() - pulled;
    console.log(`${kind}: gone after ${gone} ms`);
    assert.ok(gone < SOON_MS, `the card stayed for ${gone} ms`);
    await page.getByRole("heading", { name: "No board yet" }).waitFor();

    await plug(t, path.device);
    await page.getByRole("heading", { name: "Greenhouse <b>1</b>" }).waitFor();
    console.log(`${kind}: the name is still there after a replug`);
    isClean(tab);
  });
}

test("the picture follows edits, and packets can be switched off", async (t) => {
  const bridge = await Bridge.start(t, ["--simulate", "1"]);
  const tab = await openDashboard(t, bridge);
  const card = tab.page.locator("article");
  await card.locator("g.node").first().waitFor();
  const graph = join(bridge.dir, "loop.fbp");
  await writeFile(graph, "'200' -> INTERVAL clock(Timer) OUT -> IN a(ToggleBoolean) OUT -> IN b(Forward) OUT -> IN c(InvertBoolean)\n");
  await bridge.cli("graph", "upload", (await bridge.boards())[0].id, graph);
  await card.getByText("loop", { exact: true }).waitFor();
  await until(async () => (await card.locator("g.node").count()) === 4);
  await card.locator("g.value.shown").first().waitFor();
  await card.getByText("only this page").waitFor();
  await card.getByRole("button", { name: "Live packets", pressed: true }).click();
  await card.getByText("nobody").waitFor();
  await until(async () => (await card.locator("g.value.shown").count()) === 0);
  isClean(tab);
});

test("the address is copied, and the link opens Flowhub without handing anything on", async (t) => {
  const bridge = await Bridge.start(t, ["--simulate", "1"]);
  const tab = await openDashboard(t, bridge, { permissions: ["clipboard-read", "clipboard-write"] });
  const { page } = tab;
  const [board] = await bridge.boards();
  await page.getByRole("button", { name: /^Copy address/ }).click();
  await page.getByText("Copied").first().waitFor();
  assert.equal(await page.evaluate("navigator.clipboard.readText()"), board.url);
  const link = page.getByRole("link", { name: /^Open in Flowhub/ });
  assert.equal(await link.getAttribute("href"), board.liveUrl);
  assert.equal(await link.getAttribute("rel"), "noopener noreferrer");
  isClean(tab);
});

test("a bridge that stops is told, and one that comes back with another token too", async (t) => {
  const bridge = await Bridge.start(t, ["--simulate", "1"]);
  const { page } = await openDashboard(t, bridge);
  await page.locator("article").waitFor();
  await bridge.stop();
  await page.getByText("The bridge does not answer").first().waitFor();
  await Bridge.start(t, ["--simulate", "1"], { port: bridge.port, state: bridge.dir });
  await page.getByText("is of an earlier run of the bridge").waitFor();
  await page.locator("article").waitFor();
  assert.equal(await page.locator("article button").count(), 0);
  const again = await bridge.link();
  await page.evaluate((url) => (location.href = url), again);
  await page.getByRole("link", { name: /^Open in Flowhub/ }).waitFor();
});

test("twenty boards are listed by their names, numbers in their order", async (t) => {
  const bridge = await Bridge.start(t, ["--simulate", "20"]);
  const { page } = await openDashboard(t, bridge);
  await until(async () => (await page.locator("article").count()) === 20);
  await page.getByText("20 boards, 20 ready").waitFor();
  await pause(200);
  const labels = await page.locator("h2 .label span:first-child").allTextContents();
  assert.deepEqual(labels, [...labels].sort((a, b) => a.localeCompare(b, undefined, { numeric: true })));
  await cardOf(page, labels[3]).getByRole("button", { name: /rename/ }).waitFor();
});
