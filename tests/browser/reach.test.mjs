// Everybody can use it: axe finds nothing in either theme, the keyboard reaches every control and shows where it is.

import assert from "node:assert/strict";
import { test } from "node:test";

import { violations, walk } from "./axe.mjs";
import { Bridge, map, openTab, plugInSimulated } from "./harness.mjs";
import { machineWithChip } from "./usb.mjs";

const PHONE = { width: 360, height: 740 };

for (const colorScheme of ["light", "dark"]) {
  test(`axe finds nothing in the ${colorScheme} theme, in any state of the page`, async (t) => {
    const { device } = await map(t, "a simulated board");
    await plugInSimulated(t, device);
    const usb = await machineWithChip(t, device);
    const bridge = await Bridge.start(t, ["--simulate", "1", ...usb]);
    const { page } = await openTab(t, bridge, { colorScheme, bypassCSP: true, reducedMotion: "reduce" });
    const check = async (state) => {
      const { found, unsure, checks } = await violations(page);
      console.log(`${colorScheme}, ${state}: ${checks} rules passed, ${found.length} violated; to be looked at: ${unsure.join(", ") || "none"}`);
      assert.deepEqual(found, [], state);
    };
    await page.goto(bridge.base);
    await page.locator("article").nth(1).waitFor();
    await check("read-only");
    await page.goto(await bridge.link());
    await page.getByText("Not allowed yet").waitFor();
    await page.locator("g.node").first().waitFor();
    await page.locator("g.value.shown").first().waitFor();
    await page.locator("summary:visible").click();
    await check("with boards");
    await page.setViewportSize(PHONE);
    await check("on a phone");
    const wide = await page.evaluate("document.documentElement.scrollWidth");
    assert.ok(wide <= PHONE.width, `the page is ${wide} px wide on a phone`);
    await page.getByRole("button", { name: /rename/ }).first().click();
    await check("while a board is renamed");
  });
}

test("axe finds nothing on a page without boards", async (t) => {
  const bridge = await Bridge.start(t, []);
  const { page } = await openTab(t, bridge, { bypassCSP: true });
  await page.goto(await bridge.link());
  await page.getByRole("heading", { name: "No board yet" }).waitFor();
  assert.deepEqual((await violations(page)).found, []);
});

test("the keyboard reaches every control, sees where it is, and can do everything", async (t) => {
  const { device } = await map(t, "a simulated board");
  await plugInSimulated(t, device);
  const bridge = await Bridge.start(t, ["--simulate", "1", ...(await machineWithChip(t, device))]);
  const { page } = await openTab(t, bridge);
  await page.goto(await bridge.link());
  await page.getByText("Not allowed yet").waitFor();
  await page.locator("g.node").first().waitFor();
  const stops = await walk(page);
  console.log(`Tab stops: ${stops.map((stop) => stop.name).join(" → ")}`);
  assert.deepEqual(stops.filter((stop) => !stop.seen), [], "stops whose focus cannot be seen");
  const controls = await page.locator("a:visible, button:visible, summary:visible, input:visible").count();
  const reached = await page.locator("a[data-stop], button[data-stop], summary[data-stop], input[data-stop]").count();
  assert.equal(reached, controls, "controls that Tab reaches, of all");

  const allow = page.getByRole("button", { name: /^Allow this board/ });
  await allow.focus();
  await page.keyboard.press("Enter");
  await page.getByText("2 boards, 2 ready").waitFor();
  const rename = page.getByRole("button", { name: /rename/ }).first();
  await rename.focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Escape");
  assert.match(await page.evaluate("document.activeElement.textContent"), /rename/, "Escape gives the focus back");
  await page.keyboard.press("Enter");
  await page.keyboard.type("Door");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Space");
  await page.getByRole("heading", { name: "Door" }).waitFor();
  await page.getByRole("status").getByText("The board is now called Door").waitFor({ state: "attached" });
});

test("a chip that nobody has allowed is ignored and allowed again with the page's buttons", async (t) => {
  const { device } = await map(t, "a simulated board");
  await plugInSimulated(t, device);
  const bridge = await Bridge.start(t, await machineWithChip(t, device));
  const { page } = await openTab(t, bridge);
  await page.goto(await bridge.link());
  await page.getByRole("button", { name: /^Allow every 1a86:7523/ }).waitFor();
  await page.getByRole("button", { name: /^Ignore it/ }).click();
  await page.getByText("Ignored", { exact: true }).waitFor();
  await page.getByRole("button", { name: /^Allow it after all/ }).click();
  await page.getByText("1 board, 1 ready").waitFor();
  assert.equal((await bridge.boards())[0].state, "ready");
});
